//! Tests of the APIs over a store.

use http::{Method, Request};
use http_body_util::BodyExt as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::{Value, json};

use super::go::{duration, rfc3339};
use super::serve;
use crate::store::{Limits, Place, SpanBatch, Store};

fn store() -> Store {
    Store::open(Place::Memory, Limits::default()).unwrap()
}

fn pair(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue {
            value: Some(Any::StringValue(value.into())),
        }),
        ..KeyValue::default()
    }
}

/// Returns a span of the trace `number`, which starts at that second.
fn span(number: u64, id: u64, parent: u64) -> Span {
    Span {
        trace_id: u128::from(number).to_be_bytes().into(),
        span_id: id.to_be_bytes().into(),
        parent_span_id: parent.to_be_bytes().into(),
        name: "GET".into(),
        kind: 2,
        start_time_unix_nano: number * 1_000_000_000,
        end_time_unix_nano: number * 1_000_000_000 + 5_000,
        ..Span::default()
    }
}

async fn keep(store: &Store, service: &str, spans: Vec<Span>) {
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![pair("service.name", service)],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let batch = SpanBatch::from_request(&request);
    store.insert(batch, |_| ()).await.unwrap();
}

async fn ask(store: &Store, path: &str) -> (u16, Value) {
    let (parts, ()) = Request::get(path).body(()).unwrap().into_parts();
    let response = serve(store, &parts).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn ids(answer: &Value) -> Vec<&str> {
    let traces = answer["data"].as_array().unwrap();
    traces
        .iter()
        .map(|it| it["traceID"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_trace_is_shown_in_jaegers_model() {
    let store = store();
    keep(&store, "shop", vec![span(7, 1, 0), span(7, 2, 1)]).await;
    let (status, answer) = ask(&store, "/api/traces/7").await;
    let span = |id: &str, references: Value| {
        json!({
            "traceID": "0000000000000007", "spanID": id, "operationName": "GET",
            "references": references, "startTime": 7_000_000, "duration": 5,
            "tags": [{"key": "span.kind", "type": "string", "value": "server"}],
            "logs": [], "processID": "p1", "warnings": null,
        })
    };
    let parent = json!([{
        "refType": "CHILD_OF", "traceID": "0000000000000007", "spanID": "0000000000000001",
    }]);
    let trace = json!({
        "traceID": "0000000000000007",
        "spans": [span("0000000000000001", json!([])), span("0000000000000002", parent)],
        "processes": {"p1": {"serviceName": "shop", "tags": []}},
        "warnings": null,
    });
    let whole = json!({"data": [trace], "total": 0, "limit": 0, "offset": 0, "errors": null});
    assert_eq!((status, answer), (200, whole));
}

#[tokio::test]
async fn a_search_finds_the_last_to_arrive_however_many_it_looks_through() {
    let store = store();
    for number in 1..=1_500 {
        let mut span = span(number, 1, 0);
        if number % 700 == 1 {
            span.attributes.push(pair("rare", "yes"));
        }
        keep(
            &store,
            if number % 500 == 3 { "rare" } else { "shop" },
            vec![span],
        )
        .await;
    }
    let always = "start=0&end=9000000000000000";
    for (rest, expected) in [
        ("service=shop&limit=3", vec![1_500, 1_499, 1_498]),
        ("service=shop&tag=rare:yes", vec![1_401, 701, 1]),
        ("service=shop&tag=rare:yes&limit=2", vec![1_401, 701]),
        ("service=rare", vec![1_003, 503, 3]),
        ("service=rare&limit=1", vec![1_003]),
        ("service=shop&minDuration=6us", vec![]),
        ("service=shop&tag=rare:no", vec![]),
    ] {
        let (status, answer) = ask(&store, &format!("/api/traces?{rest}&{always}")).await;
        let expected: Vec<String> = expected.iter().map(|it| format!("{it:016x}")).collect();
        assert_eq!(
            (status, ids(&answer)),
            (200, expected.iter().map(String::as_str).collect()),
            "{rest}"
        );
    }
    let (_, answer) = ask(
        &store,
        "/api/traces?service=shop&start=10000000&end=12000000",
    )
    .await;
    assert_eq!(
        ids(&answer),
        ["000000000000000c", "000000000000000b", "000000000000000a"]
    );
    let (_, answer) = ask(
        &store,
        &format!("/api/traces?service=shop&limit=100000&{always}"),
    )
    .await;
    assert_eq!(ids(&answer).len(), 1_497);
    let (_, answer) = ask(
        &store,
        "/api/dependencies?endTs=9000000000&lookback=9000000000",
    )
    .await;
    assert_eq!(answer["data"], json!([]));
}

#[tokio::test]
async fn a_trace_is_as_deep_as_it_is_long() {
    let store = store();
    let spans = (1..=20_000).map(|id| span(1, id, id - 1));
    keep(&store, "deep", spans.collect()).await;
    let (status, answer) = ask(&store, "/api/traces/1").await;
    assert_eq!(status, 200);
    assert_eq!(answer["data"][0]["spans"].as_array().unwrap().len(), 20_000);
    let (status, answer) = ask(&store, "/api/v3/traces/1").await;
    let scopes = &answer["result"]["resourceSpans"][0]["scopeSpans"];
    assert_eq!(
        (status, scopes[0]["spans"].as_array().unwrap().len()),
        (200, 20_000)
    );
    let (_, answer) = ask(
        &store,
        "/api/dependencies?endTs=9000000000&lookback=9000000000",
    )
    .await;
    let edge = json!([{"parent": "deep", "child": "deep", "callCount": 19_999}]);
    assert_eq!(answer["data"], edge);
}

#[tokio::test]
async fn other_methods_are_refused() {
    let store = store();
    let request = Request::builder().method(Method::POST).uri("/api/traces");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let response = serve(&store, &parts).await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "GET, HEAD");
}

/// A sequence of numbers that looks random and is the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.next(list.len())]
    }
}

const PATHS: [&str; 14] = [
    "/api/traces",
    "/api/traces/",
    "/api/traces/7",
    "/api/services",
    "/api/services/a/operations",
    "/api/services/%e9/operations",
    "/api/operations",
    "/api/dependencies",
    "/api/metrics/latencies",
    "/api/metrics/calls",
    "/api/v3/traces",
    "/api/v3/traces/7",
    "/api/v3/operations",
    "/api/v3/traces/%00",
];
const NAMES: [&str; 25] = [
    "service",
    "operation",
    "start",
    "end",
    "limit",
    "minDuration",
    "maxDuration",
    "tag",
    "tags",
    "traceID",
    "raw",
    "endTs",
    "lookback",
    "quantile",
    "spanKind",
    "step",
    "query.service_name",
    "query.start_time_min",
    "query.start_time_max",
    "query.num_traces",
    "query.duration_min",
    "query.raw_traces",
    "start_time",
    "raw_traces",
    "%zz",
];
const PIECES: [&str; 34] = [
    "shop",
    "0",
    "1",
    "-",
    "+",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    ".",
    "1e9",
    "s",
    "ms",
    "h",
    "%C2%B5s",
    "%",
    "%F0%9F%9A%B2",
    "%FF",
    ":",
    "=",
    ";",
    "%7B",
    "%7D",
    "%22",
    "null",
    "true",
    "2026-11-30",
    "T12:00:00",
    "Z",
    "%2B01:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "7",
    "ffffffffffffffff",
    "error",
];

#[tokio::test]
async fn no_question_breaks_the_sink() {
    let store = store();
    keep(&store, "shop", vec![span(7, 1, 0), span(7, 2, 1)]).await;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut statuses = std::collections::BTreeMap::new();
    for _ in 0..20_000 {
        let mut path = numbers.of(&PATHS).to_owned();
        if path.ends_with('/') {
            path.push_str(numbers.of(&PIECES));
            path.push_str(numbers.of(&PIECES));
        }
        for at in 0..numbers.next(6) {
            path.push(if at == 0 { '?' } else { '&' });
            path.push_str(numbers.of(&NAMES));
            path.push('=');
            for _ in 0..numbers.next(4) {
                path.push_str(numbers.of(&PIECES));
            }
        }
        let (status, _) = ask(&store, &path).await;
        assert!(status < 500 || status == 501, "{status}: {path}");
        *statuses.entry(status).or_insert(0) += 1;
    }
    // Questions that are all refused alike would show nothing.
    for status in [200, 400, 404, 501] {
        assert!(statuses.get(&status) > Some(&20), "{statuses:?}");
    }
    for _ in 0..20_000 {
        let pieces = (0..numbers.next(6)).map(|_| numbers.of(&PIECES));
        let text: String = pieces.collect();
        let _ = (duration(&text), rfc3339(&text));
        let text = text.replace("%C2%B5", "µ").replace("%F0%9F%9A%B2", "🚲");
        let _ = (duration(&text), rfc3339(&text));
    }
}
