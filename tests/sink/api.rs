//! The sink's API for readers: what it finds, how it refuses, and that every field comes back.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use prost::Message;
use serde_json::{Value, json};
use sidespan_sink::otlp_json::read_request;
use sidespan_sink::{Access, Limits, Place, Sink, SinkConfig, Store};
use tokio::net::TcpStream;

use super::client::{Answer, JSON, PROTOBUF, TRACES, post, send};
use super::corpus::{corpus, lines_sent};

const API: &str = "/api/sidespan/v1";

async fn sink() -> Sink {
    let started = Sink::start(SinkConfig::default()).await;
    started.expect("free ports")
}

async fn ask(sink: &Sink, method: Method, path: &str) -> Answer {
    let path = format!("{API}/{path}");
    let answer = send(sink.http_addr(), method, &path, &[], "").await;
    answer.unwrap_or_else(|error| panic!("{path}: {error}"))
}

async fn get(sink: &Sink, path: &str) -> (u16, Value) {
    let answer = ask(sink, Method::GET, path).await;
    let json = serde_json::from_slice(&answer.body);
    let json = json.unwrap_or_else(|error| panic!("{path}: {error}: {}", answer.text()));
    (answer.status, json)
}

/// A span in JSON: the digit that its trace id is made of, its service, and its own number.
fn span(trace: char, service: &str, number: u64) -> String {
    let start = 1_700_000_000_000_000_000 + number * 1_000_000_000;
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [{"spans": [{
            "traceId": trace.to_string().repeat(32), "spanId": format!("{number:016x}"), "name": format!("step {number}"),
            "kind": 2, "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + number * 1_000_000).to_string(),
            "status": {"code": if number.is_multiple_of(2) { 2 } else { 1 }},
            "attributes": [{"key": "http.response.status_code", "value": {"intValue": (500 + number).to_string()}}],
        }]}],
    }]})
    .to_string()
}

async fn fill(sink: &Sink) {
    for (trace, service, number) in [('a', "cart", 1), ('b', "web", 2), ('c', "cart", 4)] {
        let body = span(trace, service, number);
        let answer = post(sink.http_addr(), TRACES, &[JSON], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_search_finds_what_meets_every_condition_newest_first() {
    let sink = sink().await;
    fill(&sink).await;
    for (conditions, expected) in [
        ("", "cba"),
        ("service=cart", "ca"),
        ("name=step+2", "b"),
        ("status=error", "cb"),
        ("status=ok", "a"),
        ("kind=server&limit=1", "c"),
        ("kind=client", ""),
        ("minDuration=2ms", "cb"),
        ("maxDuration=0.0015s", "a"),
        ("attribute=http.response.status_code%3D504", "c"),
        (
            "attribute=http.response.status_code%3D504&attribute=service.name%3Dweb",
            "",
        ),
        ("from=2023-11-14T22:13:22Z", "cb"),
        ("to=2023-11-14T22:13:21.5Z", "a"),
        ("from=15m", ""),
        ("service=cart&status=error", "c"),
    ] {
        let (status, found) = get(&sink, &format!("traces?{conditions}")).await;
        assert_eq!(status, 200, "{conditions}: {found}");
        let found: String = found["traces"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|trace| &trace["traceId"].as_str().expect("an id")[..1])
            .collect();
        assert_eq!(found, expected, "{conditions}");
        // An export has the same traces, the oldest first.
        let exported = ask(&sink, Method::GET, &format!("export?{conditions}")).await;
        assert_eq!(exported.status, 200);
        assert_eq!(exported.header("content-type"), "application/x-ndjson");
        let digits: String = exported
            .text()
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).expect("a line of JSON");
                let id = &line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"];
                id.as_str().expect("an id")[..1].to_owned()
            })
            .collect();
        assert_eq!(
            digits,
            expected.chars().rev().collect::<String>(),
            "{conditions}"
        );
    }
    let (_, status) = get(&sink, "status").await;
    assert_eq!(
        (&status["traces"], &status["spans"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(status["counts"]["accepted"], 3);
    assert_eq!(ask(&sink, Method::DELETE, "traces").await.status, 200);
    let (_, status) = get(&sink, "status").await;
    assert_eq!(
        (&status["traces"], &status["spans"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(sink.spans().len(), 0);
}

#[tokio::test]
async fn a_trace_is_found_by_its_id_and_by_a_beginning_that_no_other_has() {
    let sink = sink().await;
    fill(&sink).await;
    let other = span('a', "cart", 9).replace(&"a".repeat(32), &format!("ab{}", "0".repeat(30)));
    post(sink.http_addr(), TRACES, &[JSON], other).await;
    for id in ["b", "aa", "AA", &"a".repeat(32)] {
        let (status, found) = get(&sink, &format!("traces/{id}")).await;
        assert_eq!(status, 200, "{id}: {found}");
        assert!(found["resourceSpans"].is_array(), "{found}");
    }
    let (status, error) = get(&sink, "traces/a").await;
    assert_eq!(status, 409);
    assert_eq!(error["traceIds"].as_array().map(Vec::len), Some(2));
    assert_eq!(error["error"], "2 traces begin with a: give more digits");
    let (status, error) = get(&sink, "traces/f").await;
    assert_eq!(status, 404);
    let cause = "no trace f is here: it never came, or it was evicted";
    assert_eq!(error, json!({ "error": cause }));
}

#[tokio::test]
async fn what_is_wrong_is_told_with_the_name_the_value_and_what_is_accepted() {
    let sink = sink().await;
    for (path, status, part) in [
        (
            "traces?status=bad",
            400,
            "parameter status: expected unset, ok or error, found \"bad\"",
        ),
        (
            "export?limit=0",
            400,
            "parameter limit: expected a whole number above 0",
        ),
        (
            "follow?sevice=a",
            400,
            "unknown parameter \"sevice\": accepted are service",
        ),
        (
            "map?limit=0",
            400,
            "parameter limit: expected a whole number above 0",
        ),
        (
            "traces/xyz",
            400,
            "hexadecimal digits of a trace id, found \"xyz\"",
        ),
        ("traces/a/b", 400, "found \"a/b\""),
        ("trace", 404, "GET /api/sidespan/v1/status"),
    ] {
        let (found, error) = get(&sink, path).await;
        assert_eq!(found, status, "{path}");
        let cause = error["error"].as_str().unwrap_or_default();
        assert!(cause.contains(part), "{path}: {error}");
    }
    for (method, path, allowed) in [
        (Method::POST, "traces", "GET, HEAD, DELETE"),
        (Method::DELETE, "export", "GET, HEAD"),
        (Method::POST, "map", "GET, HEAD"),
        (Method::PUT, "traces/ab", "GET, HEAD"),
    ] {
        let answer = ask(&sink, method, path).await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.header("allow"), allowed, "{path}");
    }
}

#[tokio::test]
async fn every_field_comes_back() {
    let sink = sink().await;
    let sent = corpus();
    post(sink.http_addr(), TRACES, &[PROTOBUF], sent.encode_to_vec()).await;
    let (_, found) = get(&sink, "traces").await;
    let ids = found["traces"].as_array().expect("a list").iter();
    let mut whole = sent.clone();
    whole.resource_spans.clear();
    for id in ids.filter_map(|trace| trace["traceId"].as_str()) {
        let answer = ask(&sink, Method::GET, &format!("traces/{id}")).await;
        let (trace, _) = read_request(&answer.body).expect("OTLP in JSON");
        whole.resource_spans.extend(trace.resource_spans);
    }
    assert_eq!(lines_sent(&whole), lines_sent(&sent), "trace by trace");
    whole.resource_spans.clear();
    for line in ask(&sink, Method::GET, "export").await.text().lines() {
        let (trace, _) = read_request(line.as_bytes()).expect("OTLP in JSON");
        whole.resource_spans.extend(trace.resource_spans);
    }
    assert_eq!(lines_sent(&whole), lines_sent(&sent), "exported");
}

#[tokio::test]
async fn readers_need_the_token_and_pages_their_origin() {
    let access = Access {
        token: Some("secret".parse().expect("a token")),
        origins: vec!["http://localhost:3000".parse().expect("an origin")],
    };
    let config = SinkConfig {
        access,
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.expect("free ports");
    for path in ["status", "traces", "export", "follow", "map", "traces/a"] {
        assert_eq!(ask(&sink, Method::GET, path).await.status, 401, "{path}");
    }
    assert_eq!(ask(&sink, Method::DELETE, "traces").await.status, 401);
    let path = format!("{API}/status");
    let headers = [
        ("authorization", "Bearer secret"),
        ("origin", "http://localhost:3000"),
    ];
    let answer = send(sink.http_addr(), Method::GET, &path, &headers, "").await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200);
    let origin = answer.header("access-control-allow-origin");
    assert_eq!(origin, "http://localhost:3000");
}

/// A stream of events that is read as it comes.
struct Events {
    body: Incoming,
    text: String,
}

impl Events {
    async fn open(sink: &Sink, path: &str) -> Self {
        let stream = TcpStream::connect(sink.http_addr()).await.expect("a sink");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        let request = Request::get(format!("{API}/{path}")).header("host", "sink");
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        let answer = sender.send_request(request).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            body: answer.into_body(),
            text: String::new(),
        }
    }

    /// Returns the next summary.
    async fn next(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.strip_prefix("data: ").map(str::to_owned);
                self.text = rest.to_owned();
                if let Some(data) = data {
                    return serde_json::from_str(&data).expect("JSON");
                }
                continue;
            }
            let frame = self.body.frame().await.expect("more").expect("a frame");
            let data = frame.into_data().expect("data");
            self.text
                .push_str(std::str::from_utf8(&data).expect("text"));
        }
    }
}

#[tokio::test]
async fn a_follower_sees_each_trace_that_changes_and_that_it_asks_for() {
    let sink = sink().await;
    let mut all = Events::open(&sink, "follow").await;
    let mut some = Events::open(&sink, "follow?service=web&status=error").await;
    for (trace, service, number) in [('a', "cart", 2), ('b', "web", 3), ('a', "web", 4)] {
        let body = span(trace, service, number);
        post(sink.http_addr(), TRACES, &[JSON], body).await;
        let told = all.next().await;
        assert_eq!(told["traceId"], trace.to_string().repeat(32), "{told}");
    }
    let told = some.next().await;
    assert_eq!(told["traceId"], "a".repeat(32), "{told}");
    assert_eq!((&told["spans"], &told["errors"]), (&json!(2), &json!(2)));
    assert_eq!(told["services"], json!(["cart", "web"]));
}

#[tokio::test]
async fn a_follower_does_not_hold_the_file_of_a_sink_that_has_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::File(folder.path().join("spans.db"));
    let config = SinkConfig {
        place: place.clone(),
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.expect("free ports");
    let mut events = Events::open(&sink, "follow").await;
    post(sink.http_addr(), TRACES, &[JSON], span('a', "cart", 1)).await;
    events.next().await;
    sink.stop().await;
    Store::open(place, Limits::default()).expect("the file is free");
}
