//! The names and values of attributes.

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::api::{percent_decoded, serve};
use crate::forward::Destinations;
use crate::store::{Limits, Place, SpanBatch, Store, golden};

async fn get(store: &Store, path: &str) -> (StatusCode, Value) {
    let request = Request::builder().uri(format!("/api/sidespan/v1/{path}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let answer = serve(store, &Destinations::default(), &parts, || ()).await;
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn store() -> Store {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let batch = SpanBatch::from_request(&golden::request());
    store.insert(batch, |_| ()).await.unwrap();
    store
}

#[tokio::test]
async fn names_come_with_their_place_and_the_common_ones_first() {
    let store = store().await;
    let (status, all) = get(&store, "attributes").await;
    assert_eq!(status, StatusCode::OK);
    let rows = all["attributes"].as_array().unwrap();
    assert_eq!(
        rows[0],
        json!({"key": "service.name", "scope": "resource", "spans": 2})
    );
    assert!(
        rows.contains(&json!({"key": "n", "scope": "event", "spans": 1})),
        "{all}"
    );
    assert_eq!(
        (&all["spans"], &all["spansLeft"], &all["leftOut"]),
        (&json!(2), &json!(0), &json!(0))
    );
    let (_, few) = get(&store, "attributes?scope=span&prefix=a&limit=1").await;
    assert_eq!(
        few["attributes"],
        json!([{"key": "a", "scope": "span", "spans": 1}])
    );
    assert_eq!(few["leftOut"], 1, "a0 is beyond the limit");
}

#[tokio::test]
async fn values_come_with_their_types() {
    let store = store().await;
    let (_, found) = get(&store, "attributes/s?scope=span").await;
    let expected = json!([{"value": "again", "type": "string", "spans": 1}, {"value": "v", "type": "string", "spans": 1}]);
    assert_eq!(found["values"], expected);
    let (_, found) = get(&store, "attributes/service%2Ename?prefix=ca").await;
    assert_eq!(
        found["values"],
        json!([{"value": "cart", "type": "string", "spans": 2}])
    );
    let (_, none) = get(&store, "attributes/s?scope=resource").await;
    assert_eq!(none["values"], json!([]));
}

#[tokio::test]
async fn a_bad_parameter_is_refused_with_what_is_accepted() {
    let store = store().await;
    for (path, cause) in [
        (
            "attributes?scope=all",
            "expected resource, span, event, link or instrumentation, found \"all\"",
        ),
        (
            "attributes/a?limit=0",
            "parameter limit: expected a whole number above 0",
        ),
        (
            "attributes?key=a",
            "unknown parameter \"key\": accepted are scope, prefix and limit",
        ),
    ] {
        let (status, answer) = get(&store, path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(
            answer["error"].as_str().unwrap().contains(cause),
            "{path}: {answer}"
        );
    }
}

#[test]
fn a_part_of_a_path_is_decoded_as_such() {
    for (part, name) in [
        ("a.b", "a.b"),
        ("a%20b", "a b"),
        ("a+b=c&d", "a+b=c&d"),
        ("%C3%A4%2F", "ä/"),
        ("100%", "100%"),
    ] {
        assert_eq!(percent_decoded(part), name, "{part}");
    }
}
