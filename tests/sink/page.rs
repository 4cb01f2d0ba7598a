//! The page's files and its part of the API, over HTTP: who may ask for what.

use hyper::Method;
use serde_json::{Value, json};
use sidespan_sink::{Access, Sink, SinkConfig};

use super::client::{Answer, JSON, TRACES, post, send};

const STATES: &str = "/api/sidespan/v1/states";

async fn start(access: Access) -> Sink {
    let config = SinkConfig {
        access,
        ..SinkConfig::default()
    };
    Sink::start(config).await.expect("free ports")
}

async fn ask(sink: &Sink, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let answer = send(sink.http_addr(), method, path, headers, "").await;
    answer.unwrap_or_else(|error| panic!("{path}: {error}"))
}

async fn get(sink: &Sink, path: &str) -> Value {
    let answer = ask(sink, Method::GET, path, &[]).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// Sends a trace of cart and pay: pay's span fails, and cart's parent never comes.
async fn fill(sink: &Sink) {
    let spans = |service: &str, id: &str, parent: &str, code: u8| {
        json!({
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
            "scopeSpans": [{"spans": [{
                "traceId": "a".repeat(32), "spanId": id.repeat(16), "parentSpanId": parent.repeat(16), "name": "GET /",
                "kind": 2, "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000500000000",
                "status": {"code": code},
            }]}],
        })
    };
    let body = json!({"resourceSpans": [spans("cart", "2", "1", 2), spans("pay", "3", "2", 2)]});
    let answer = post(sink.http_addr(), TRACES, &[JSON], body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn it_lists_services_operations_and_states() {
    let sink = start(Access::default()).await;
    fill(&sink).await;
    let services = get(&sink, "/api/sidespan/v1/services").await;
    assert_eq!(
        services,
        json!({"services": [{"name": "cart"}, {"name": "pay"}]})
    );
    let operations = get(&sink, "/api/sidespan/v1/operations?service=pay").await;
    let expected = json!({"operations": [{"name": "GET /", "kind": "SERVER", "spans": 1}]});
    assert_eq!(operations, expected);
    let states = get(
        &sink,
        &format!("{STATES}?id={}&id={}", "a".repeat(32), "b".repeat(32)),
    )
    .await;
    let expected = json!({
        "traceId": "a".repeat(32), "isWhole": false, "brokenService": "cart", "errorService": "pay",
    });
    assert_eq!(states, json!({"states": [expected]}));
    for (path, part) in [
        (format!("{STATES}?id=abc"), "found id=abc"),
        (format!("{STATES}?trace=1"), "found trace=1"),
        (
            "/api/sidespan/v1/operations".into(),
            "takes the parameter service",
        ),
        (
            "/api/sidespan/v1/operations?name=a".into(),
            "accepted is service",
        ),
    ] {
        let answer = ask(&sink, Method::GET, &path, &[]).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text().contains(part), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn its_files_need_no_token_and_its_data_do() {
    let access = Access {
        token: Some("secret".parse().expect("a token")),
        origins: vec![],
    };
    let sink = start(access).await;
    for path in ["/", "/trace/abc", "/page/main.js"] {
        assert_eq!(
            ask(&sink, Method::GET, path, &[]).await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(ask(&sink, Method::GET, STATES, &[]).await.status, 401);
    assert_eq!(ask(&sink, Method::POST, "/", &[]).await.status, 401);
}

#[tokio::test]
async fn pages_of_others_neither_read_by_a_name_of_theirs_nor_clear() {
    let sink = start(Access::default()).await;
    fill(&sink).await;
    let traces = "/api/sidespan/v1/traces";
    // The client's own host header comes first, and the sink goes by it; so the name is sent as an origin here, and as a host
    // in the tests of the guard.
    for headers in [
        [("origin", "https://evil.example")],
        [("sec-fetch-site", "cross-site")],
    ] {
        let answer = ask(&sink, Method::DELETE, traces, &headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    assert_eq!(sink.spans().len(), 2);
    let own = [("origin", "http://sink"), ("sec-fetch-site", "same-origin")];
    assert_eq!(ask(&sink, Method::DELETE, traces, &own).await.status, 200);
    assert_eq!(sink.spans().len(), 0);
    let wrong = format!("{traces}?sort=up");
    assert_eq!(ask(&sink, Method::GET, &wrong, &[]).await.status, 400);
    let received = sink.received();
    assert_eq!((received.foreign, received.bad_questions), (2, 1));
}
