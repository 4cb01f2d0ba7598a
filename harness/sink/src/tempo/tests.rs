//! The API's answers. What a Tempo 3.0 answered for the same spans was recorded by hand, and stands here as it came, but for
//! fields that tell how it stores.

mod tags;

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};

use super::{is_of_api, serve};
use crate::otlp_json::read_request;
use crate::store::{Limits, Place, SpanBatch, Store};

/// A trace of two services whose id has zeros in front.
fn request() -> ExportTraceServiceRequest {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let id = "000000000000000012ab34cd56ef7890";
    let front = json!({
        "traceId": id, "spanId": "00000000000000a1", "name": "GET /cart", "kind": 2, "traceState": "ot=th:8",
        "startTimeUnixNano": "1796019881988637000", "endTimeUnixNano": "1796019882238637000",
        "attributes": [
            {"key": "ratio", "value": {"doubleValue": 0.5}},
            {"key": "flag", "value": {"boolValue": true}},
            {"key": "tags", "value": {"arrayValue": {"values": [{"stringValue": "x"}, {"stringValue": "y"}]}}},
            {"key": "http.response.status_code", "value": {"intValue": "503"}},
            text("http.route", "/cart"),
        ],
        "events": [
            {"timeUnixNano": "1796019881993637000", "name": "exception", "attributes": [text("exception.type", "E")]},
            {"timeUnixNano": "1796019881997637000", "name": "retry"},
        ],
        "links": [{"traceId": "ab".repeat(16), "spanId": "cd".repeat(8), "attributes": [text("why", "batch")]}],
        "status": {"message": "boom", "code": 2},
    });
    let cart = |span: &str, name: &str, kind: u8, from: u64, to: u64| {
        json!({
            "traceId": id, "spanId": span, "parentSpanId": "00000000000000a1", "name": name, "kind": kind,
            "startTimeUnixNano": (1_796_019_881_988_637_000 + from * 1_000_000).to_string(),
            "endTimeUnixNano": (1_796_019_881_988_637_000 + to * 1_000_000).to_string(),
        })
    };
    let mut select = cart("00000000000000b2", "SELECT", 3, 10, 30);
    select["attributes"] = json!([text("http.response.status_code", "200")]);
    let mut work = cart("00000000000000c3", "work", 1, 40, 41);
    work["status"] = json!({"code": 1});
    let resource = |name: &str| json!({"attributes": [text("service.name", name)]});
    let all = json!({"resourceSpans": [
        {"resource": resource("front"), "scopeSpans": [{"scope": {"name": "lib", "version": "1.2"}, "spans": [front]}]},
        {"resource": resource("cart"), "scopeSpans": [{"scope": {"name": "db"}, "spans": [select, work]}]},
    ]});
    read_request(all.to_string().as_bytes()).unwrap().0
}

async fn store() -> Store {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    store
        .insert(SpanBatch::from_request(&request()), |_| ())
        .await
        .unwrap();
    store
}

async fn ask(store: &Store, path: &str, accept: &str) -> (StatusCode, Bytes) {
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header("accept", accept);
    let (parts, ()) = request.body(()).unwrap().into_parts();
    assert!(is_of_api(parts.uri.path()), "{path}");
    let answer = serve(store, &parts).await;
    let status = answer.status();
    (
        status,
        answer.into_body().collect().await.unwrap().to_bytes(),
    )
}

async fn json_of(store: &Store, path: &str) -> Value {
    let (status, body) = ask(store, path, "application/json").await;
    let text = String::from_utf8_lossy(&body);
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
}

/// Returns what a search answers; `{`, `}`, `"` and spaces need not be escaped.
async fn search(store: &Store, parameters: &[(&str, &str)]) -> Value {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    json_of(store, &format!("/api/search?{}", query.finish())).await
}

#[tokio::test]
async fn a_trace_is_that_of_tempo_in_json_and_in_protobuf() {
    let store = store().await;
    let expected: Value = serde_json::from_str(include_str!("tests/trace.json")).unwrap();
    for id in ["12ab34cd56ef7890", "000000000000000012AB34CD56EF7890"] {
        assert_eq!(
            json_of(&store, &format!("/api/traces/{id}")).await,
            expected,
            "{id}"
        );
    }
    let second = json_of(&store, "/api/v2/traces/12ab34cd56ef7890").await;
    assert_eq!(second["trace"]["resourceSpans"], expected["batches"]);
    let accept = "application/protobuf, application/json;q=0.5";
    let (_, first) = ask(&store, "/api/traces/12ab34cd56ef7890", accept).await;
    assert_eq!(
        ExportTraceServiceRequest::decode(first.clone()),
        Ok(request())
    );
    let (_, second) = ask(&store, "/api/v2/traces/12ab34cd56ef7890", accept).await;
    // Field 1 is the trace, and nothing follows.
    let length = second.len() - first.len();
    assert_eq!((second[0], second.slice(length..)), (0x0A, first));
}

#[tokio::test]
async fn a_trace_that_is_not_here_and_an_id_that_is_none_are_told_as_by_tempo() {
    let store = store().await;
    let (status, body) = ask(&store, "/api/traces/ffff", "").await;
    assert_eq!((status, &body[..]), (StatusCode::NOT_FOUND, &b""[..]));
    assert_eq!(
        json_of(&store, "/api/v2/traces/ffff").await,
        json!({"trace": {}, "metrics": {}})
    );
    for (id, cause) in [
        (
            "xyz",
            "trace IDs can only contain hex characters: invalid character 'x' at position 1",
        ),
        (
            "1122334455667788990011223344556677",
            "expected the 1 to 32 hexadecimal digits",
        ),
        ("", "expected the 1 to 32 hexadecimal digits"),
    ] {
        let (status, body) = ask(&store, &format!("/api/traces/{id}"), "").await;
        let text = String::from_utf8_lossy(&body);
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(text.starts_with(cause), "{text}");
    }
}

#[tokio::test]
async fn a_search_shows_what_tempo_shows() {
    let store = store().await;
    let query = "{ status = error && .http.route = \"/cart\" }";
    let found = search(
        &store,
        &[("q", query), ("start", "1796010000"), ("end", "1796090000")],
    )
    .await;
    let spans = json!({"matched": 1, "spans": [{
        "spanID": "00000000000000a1", "startTimeUnixNano": "1796019881988637000", "durationNanos": "250000000",
        "attributes": [
            {"key": "status", "value": {"stringValue": "error"}},
            {"key": "http.route", "value": {"stringValue": "/cart"}},
        ],
    }]});
    let expected = json!([{
        "traceID": "12ab34cd56ef7890", "rootServiceName": "front", "rootTraceName": "GET /cart",
        "startTimeUnixNano": "1796019881988637000", "durationMs": 250, "spanSet": spans, "spanSets": [spans],
        "serviceStats": {"cart": {"spanCount": 2}, "front": {"spanCount": 1, "errorCount": 1}},
    }]);
    assert_eq!(found["traces"], expected);
    assert_eq!(found["metrics"]["inspectedTraces"], 1);

    let all = search(&store, &[("q", "{}"), ("spss", "2")]).await;
    let set = &all["traces"][0]["spanSet"];
    assert_eq!(
        (&set["matched"], set["spans"].as_array().map(Vec::len)),
        (&json!(3), Some(2))
    );
    let named = search(
        &store,
        &[("q", "{ name = \"GET /cart\" && span:childCount = 2 }")],
    )
    .await;
    let span = &named["traces"][0]["spanSet"]["spans"][0];
    assert_eq!(span["name"], "GET /cart");
    assert_eq!(
        span["attributes"],
        json!([{"key": "span:childCount", "value": {"intValue": "2"}}])
    );
}

#[tokio::test]
async fn a_search_finds_by_tags_durations_and_ids() {
    let store = store().await;
    for (parameters, count) in [
        (vec![("tags", "service.name=CAR")], 1),
        (vec![("tags", "service.name=cart http.route=/cart")], 0),
        (
            vec![("tags", "http.response.status_code=50 name=\"get /c\"")],
            1,
        ),
        (vec![("tags", "error=true")], 1),
        (vec![("tags", "")], 1),
        (vec![], 1),
        (vec![("minDuration", "200ms"), ("maxDuration", "1s")], 1),
        (vec![("minDuration", "251ms")], 0),
        (
            vec![(
                "q",
                "{ resource.service.name = \"cart\" && duration < 1.5ms }",
            )],
            1,
        ),
        (
            vec![("q", "{ trace:id = \"12ab34cd56ef7890\" && kind = client }")],
            1,
        ),
        (vec![("q", "{ trace:id = \"12\" }")], 0),
        (vec![("q", "{ trace:id = \"x\" }")], 0),
        (
            vec![(
                "q",
                "{ rootServiceName = \"front\" && span:parentID = \"a1\" }",
            )],
            1,
        ),
        (
            vec![("q", "{}"), ("start", "1796090000"), ("end", "1796099999")],
            0,
        ),
    ] {
        let found = search(&store, &parameters).await;
        assert_eq!(
            found["traces"].as_array().map(Vec::len),
            Some(count),
            "{parameters:?}: {found}"
        );
    }
    let by_tags = search(&store, &[("tags", "service.name=cart")]).await;
    assert_eq!(by_tags["traces"][0]["spanSet"], Value::Null, "as by Tempo");
}

#[tokio::test]
async fn a_bad_parameter_is_refused_with_its_name() {
    let store = store().await;
    for (query, cause) in [
        ("limit=0", "invalid limit: must be a positive number"),
        (
            "limit=many",
            "invalid limit: expected a whole number, found \"many\"",
        ),
        (
            "start=5&end=4",
            "start must be before end. received start=5 end=4",
        ),
        ("q=%7B%7D&tags=a", "can't specify tags and q"),
        (
            "minDuration=2s&maxDuration=1s",
            "invalid maxDuration: must be greater",
        ),
        (
            "minDuration=2",
            "invalid minDuration: expected a duration such as 100ms",
        ),
        (
            "tags=a%3D1%20a%3D2",
            "invalid tags: tag a has been set twice",
        ),
        (
            "tags=a%3D%22b",
            "invalid tags: the quotation mark at character 3 has no end",
        ),
        ("tags=%3D", "invalid tags: expected a key at character 1"),
        (
            "q=%7B%20bad%20%7D",
            "TraceQL, character 3: expected a field",
        ),
        (
            "q=%7B%7D%20%7C%20rate()",
            "this sink does not answer pipelines",
        ),
    ] {
        let (status, body) = ask(&store, &format!("/api/search?{query}"), "").await;
        let text = String::from_utf8_lossy(&body);
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert!(text.contains(cause), "{query}: {text}");
    }
    let (status, body) = ask(&store, "/api/metrics/query_range?q=x", "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&body).contains("/metrics, for Prometheus"));
}

#[tokio::test]
async fn grafana_is_told_that_the_source_works() {
    let store = store().await;
    let (status, body) = ask(&store, "/api/echo", "").await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"echo\n"[..]));
    let build = json_of(&store, "/api/status/buildinfo").await;
    assert_eq!(build["version"], env!("CARGO_PKG_VERSION"));
    let post = Request::builder().method(Method::POST).uri("/api/search");
    let (parts, ()) = post.body(()).unwrap().into_parts();
    assert_eq!(
        serve(&store, &parts).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[test]
fn paths_of_others_are_not_taken() {
    for path in [
        "/api/traces/1",
        "/api/v2/traces/1",
        "/api/search",
        "/api/metrics/query",
        "/api/search/tag/a/values",
    ] {
        assert!(is_of_api(path), "{path}");
    }
    for path in [
        "/api/traces",
        "/api/v2/spans",
        "/api/services",
        "/search",
        "/api/search/tag//values",
        "/metrics",
    ] {
        assert!(!is_of_api(path), "{path}");
    }
}
