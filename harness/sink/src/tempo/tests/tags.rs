//! What a query is completed with.

use http::StatusCode;
use serde_json::json;

use super::{ask, json_of, store};

#[tokio::test]
async fn names_and_values_of_tags_are_those_of_tempo() {
    let store = store().await;
    let names = json_of(&store, "/api/search/tags").await;
    let expected = [
        "exception.type",
        "flag",
        "http.response.status_code",
        "http.route",
        "ratio",
        "service.name",
        "tags",
        "why",
    ];
    assert_eq!(names["tagNames"], json!(expected));
    let scoped = json_of(&store, "/api/v2/search/tags?scope=resource").await;
    assert_eq!(
        scoped["scopes"],
        json!([{"name": "resource", "tags": ["service.name"]}])
    );
    let filtered = json_of(
        &store,
        "/api/v2/search/tags?scope=span&q=%7Bkind%3Dclient%7D",
    )
    .await;
    assert_eq!(
        filtered["scopes"],
        json!([{"name": "span", "tags": ["http.response.status_code"]}])
    );
    let fields = json_of(&store, "/api/v2/search/tags?scope=intrinsic").await;
    let fields = fields["scopes"][0]["tags"].as_array().unwrap().clone();
    assert!(fields.contains(&json!("trace:rootService")) && fields.contains(&json!("duration")));
    let typed = |kind: &str, text: &str| json!({"type": kind, "value": text});
    for (path, expected) in [
        (
            ".http.response.status_code/values",
            json!([typed("string", "200"), typed("int", "503")]),
        ),
        (
            "name/values",
            json!([
                typed("string", "GET /cart"),
                typed("string", "SELECT"),
                typed("string", "work")
            ]),
        ),
        (
            "resource.service.name/values",
            json!([typed("string", "cart"), typed("string", "front")]),
        ),
        (
            "resource.service.name/values?q=%7Bstatus%3Derror%7D",
            json!([typed("string", "front")]),
        ),
        // A person is still typing.
        (
            "resource.service.name/values?q=%7Bstatus%3Derror%20%26%26%20span.a%3D%7D",
            json!([typed("string", "front")]),
        ),
        ("rootServiceName/values", json!([typed("string", "front")])),
        (
            "trace:rootName/values",
            json!([typed("string", "GET /cart")]),
        ),
        (
            "status/values",
            json!([
                typed("keyword", "error"),
                typed("keyword", "ok"),
                typed("keyword", "unset")
            ]),
        ),
        ("duration/values", json!([])),
        (
            "span.tags/values",
            json!([typed("string", "x"), typed("string", "y")]),
        ),
        (
            "event:name/values",
            json!([typed("string", "exception"), typed("string", "retry")]),
        ),
        (
            "span%2E%22http.route%22/values",
            json!([typed("string", "/cart")]),
        ),
    ] {
        let found = json_of(&store, &format!("/api/v2/search/tag/{path}")).await;
        assert_eq!(found["tagValues"], expected, "{path}");
    }
    let older = json_of(&store, "/api/search/tag/service.name/values").await;
    assert_eq!(older["tagValues"], json!(["cart", "front"]));
    let (status, _) = ask(&store, "/api/v2/search/tag/nonsense/values", "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
