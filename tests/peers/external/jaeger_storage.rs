//! A real Jaeger with the sink as its remote storage, and `sidespan trace` beside a real Jaeger.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use sidespan_tests::collector::Collector;
use sidespan_tests::otlp;
use sidespan_tests::peers::Jaeger;

use super::corpus;
use super::jaeger_pair::{ask, differences, plain, wait_until_found};
use super::jaeger_worlds::{ids, request, requests, span, text};

const ALWAYS: &str = "start=1&end=9000000000000000";

#[test]
fn a_jaeger_over_the_sink_finds_and_shows_the_same() {
    let sink = Collector::start();
    let jaeger = Jaeger::over(sink.sink().grpc_addr());
    let requests = requests();
    let ids = ids(&requests);
    // Half comes through Jaeger, which writes to its storage, and half to the sink itself.
    for (at, (request, id)) in requests.iter().zip(&ids).enumerate() {
        match at % 2 {
            0 => otlp::export(jaeger.grpc_addr(), request.clone()),
            _ => otlp::export(sink.sink().grpc_addr(), request.clone()),
        };
        wait_until_found(&jaeger, id);
        let spans = corpus::count(request);
        assert_eq!(sink.trace(id, spans).len(), spans);
    }
    let mut paths: Vec<String> = [
        "/api/services",
        "/api/services/cart/operations",
        "/api/operations?service=cart&spanKind=server",
        "/api/dependencies?endTs=9000000000000&lookback=9000000000000",
        "/api/traces/ff",
        "/api/v3/services",
    ]
    .map(str::to_owned)
    .into();
    for id in &ids {
        paths.push(format!("/api/traces/{id}"));
        paths.push(format!("/api/traces/{id}?raw=true"));
        paths.push(format!("/api/v3/traces/{id}"));
    }
    for search in [
        "service=cart",
        "service=front&tag=exception.type:Timeout",
        "service=front&tags=%7B%22error%22%3A%22true%22%7D",
        "service=gateway&minDuration=1s",
        "service=gateway&minDuration=10ms&limit=1",
        "service=nobody",
    ] {
        paths.push(format!("/api/traces?{search}&{ALWAYS}"));
    }
    let mut wrong = Vec::new();
    for path in &paths {
        let [(status, over), (own_status, own)] = [jaeger.get(path), ask(&sink, path)];
        let mut found = differences("", &plain(path, over), &plain(path, own));
        if status != own_status || !found.is_empty() {
            found.truncate(8);
            let found = found.join("\n  ");
            wrong.push(format!("{path}: {status} and {own_status}\n  {found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "Jaeger over the sink, and the sink:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_large_trace_reaches_a_jaeger_over_the_sink_in_pieces() {
    let sink = Collector::start();
    let jaeger = Jaeger::over(sink.sink().grpc_addr());
    let start = 1_790_000_000_000_000_000;
    let long = "x".repeat(1_000);
    let spans = (1..=12_000).map(|number| {
        let mut span = span(
            [0xb7; 16],
            number,
            number / 2,
            "step",
            1,
            (start, start + 1_000),
        );
        span.attributes = vec![text("text", &long)];
        span
    });
    // More than a client of gRPC takes in one message.
    otlp::export(
        sink.sink().grpc_addr(),
        request(vec![("large", vec![], spans.collect())]),
    );
    let (status, answer) = jaeger.get(&format!("/api/traces/{}?raw=true", "b7".repeat(16)));
    assert_eq!(status, 200, "{}", jaeger.log());
    let spans = answer["data"][0]["spans"].as_array().expect("spans");
    let ids: BTreeSet<_> = spans.iter().map(|span| span["spanID"].as_str()).collect();
    assert_eq!((spans.len(), ids.len()), (12_000, 12_000));
}

#[test]
fn sidespan_trace_reads_a_real_jaeger() {
    let jaeger = Jaeger::start();
    let requests = requests();
    for request in &requests {
        otlp::export(jaeger.grpc_addr(), request.clone());
    }
    let from = format!("http://{}", jaeger.query_addr());
    for (request, id) in requests.iter().zip(ids(&requests)) {
        wait_until_found(&jaeger, &id);
        let shown = trace(&["--from", &from, &id, "--json"]);
        let json: Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(spans_of(&json), corpus::count(request), "{id}: {shown}");
    }
    let found = trace(&["--from", &from, "--service", "front", "--json"]);
    assert!(found.contains(&"a1".repeat(16)), "{found}");
    let none = trace(&["--from", &from, "--service", "nobody", "--json"]);
    assert!(!none.contains(&"a1".repeat(16)), "{none}");
}

fn spans_of(json: &Value) -> usize {
    let lists = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let scopes = lists(json, "resourceSpans").into_iter();
    let scopes = scopes.flat_map(|it| lists(&it, "scopeSpans"));
    scopes.map(|it| lists(&it, "spans").len()).sum()
}

fn trace(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .arg("trace")
        .args(arguments)
        .env_remove("SIDESPAN_SINK_TOKEN")
        .output()
        .expect("the program");
    // 1 is nothing found.
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{errors}");
    String::from_utf8(output.stdout).expect("text")
}
