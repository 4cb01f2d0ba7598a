//! Each question of Jaeger's query APIs to a real Jaeger and to the sink: the answers are equal field by field, but for what
//! `jaeger_differences` lists.

use super::jaeger_pair::{Pair, differences, plain};
use super::jaeger_worlds::{ids, requests};

/// The time of all traces, in microseconds, as parameters.
const ALWAYS: &str = "start=1&end=9000000000000000";
/// The same for `/api/v3`.
const ALWAYS_V3: &str =
    "query.start_time_min=2000-01-01T00:00:00Z&query.start_time_max=2200-01-01T00:00:00Z";

/// Jaeger's store in memory hands out what it has, and the enrichment of `/api/v3` changes it there. So this test asks `/api/v3`
/// for traces as they came, and the next asks for each enriched trace once.
#[test]
fn what_jaeger_answers_the_sink_answers() {
    let requests = requests();
    let ids = ids(&requests);
    let pair = Pair::start(&requests);
    let mut paths = lists();
    for id in &ids {
        paths.extend(traces(id));
    }
    paths.extend(searches(&ids));
    paths.extend(searches_v3());
    paths.extend(malformed());
    assert!(paths.len() > 150, "{} questions", paths.len());
    compare(&pair, &paths);
}

#[test]
fn what_jaeger_enriches_the_sink_enriches() {
    let requests = requests();
    let pair = Pair::start(&requests);
    let paths = ids(&requests)
        .iter()
        .map(|id| format!("/api/v3/traces/{id}"))
        .collect::<Vec<_>>();
    compare(&pair, &paths);
    let pair = Pair::start(&requests);
    let all = format!("/api/v3/traces?query.num_traces=100&{ALWAYS_V3}");
    compare(&pair, &[all]);
}

fn compare(pair: &Pair, paths: &[String]) {
    let mut wrong = Vec::new();
    for path in paths {
        let [(status, jaeger), (own_status, sink)] = pair.ask(path);
        let mut found = differences("", &plain(path, jaeger), &plain(path, sink));
        if status != own_status {
            found.push(format!("status: {status} and {own_status}"));
        }
        found.truncate(8);
        if !found.is_empty() {
            wrong.push(format!("{path}\n  {}", found.join("\n  ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "Jaeger and the sink:\n{}",
        wrong.join("\n")
    );
}

fn lists() -> Vec<String> {
    let mut paths: Vec<String> = [
        "/api/services",
        "/api/services/cart/operations",
        "/api/services/zahlung-gr%C3%BCn/operations",
        "/api/services/old+client/operations",
        "/api/services/old%20client/operations",
        "/api/services/nobody/operations",
        "/api/services/%25zz/operations",
        "/api/operations?service=cart",
        "/api/operations?service=cart&spanKind=server",
        "/api/operations?service=cart&spanKind=SERVER",
        "/api/operations?service=cart&spanKind=",
        "/api/operations?service=nobody",
        "/api/operations",
        "/api/operations?service=",
        "/api/v3/services",
        "/api/v3/operations?service=cart",
        "/api/v3/operations?service=cart&span_kind=internal",
        "/api/v3/operations?service=nobody",
        "/api/v3/operations",
        "/api/metrics/minstep",
        "/api/metrics/calls",
        "/api/metrics/calls?service=cart",
        "/api/metrics/errors?service=cart&endTs=x",
        "/api/metrics/errors?service=cart&groupByOperation=maybe",
        "/api/metrics/latencies?service=cart",
        "/api/metrics/latencies?service=cart&quantile=0.95",
        "/api/metrics/latencies?service=cart&quantile=0.95&spanKind=odd",
        "/api/metrics/latencies?service=cart&quantile=0.95&spanKind=server&step=1s",
        "/api/metrics/latencies?quantile=0.95",
    ]
    .map(str::to_owned)
    .into();
    let end = "9000000000000";
    for rest in ["", "&service=cart", "&service=nobody"] {
        paths.push(format!(
            "/api/dependencies?endTs={end}&lookback={end}{rest}"
        ));
    }
    for bad in [
        "endTs=x",
        "endTs=1&lookback=1h",
        "endTs=1000&lookback=10",
        "endTs=99999999999999999999",
    ] {
        paths.push(format!("/api/dependencies?{bad}"));
    }
    paths
}

fn traces(id: &str) -> Vec<String> {
    let short = id.trim_start_matches('0');
    vec![
        format!("/api/traces/{id}"),
        format!("/api/traces/{id}?raw=true"),
        format!("/api/traces/{}", id.to_uppercase()),
        format!("/api/traces/{short}"),
        format!("/api/traces/{id}?start=1&end=2"),
        format!("/api/v3/traces/{id}?raw_traces=true"),
        format!("/api/v3/traces/{short}?raw_traces=1"),
    ]
}

fn searches(ids: &[String]) -> Vec<String> {
    let mut paths: Vec<String> = [
        "service=cart",
        "service=front",
        "service=zahlung-gr%C3%BCn&raw=true",
        "service=cart&operation=publish",
        "service=cart&operation=nothing",
        "service=nobody",
        "service=cart&limit=1",
        "service=front&tags=%7B%22http.response.status_code%22%3A%22502%22%7D",
        "service=front&tags=%7B%22exception.type%22%3A%22Timeout%22%7D",
        "service=front&tags=%7B%22k8s.pod.name%22%3A%22front-1%22%7D",
        "service=front&tags=%7B%22scope.of%22%3A%22front%22%7D",
        "service=front&tags=%7B%22scope.of%22%3A%22cart%22%7D",
        "service=front&tags=null",
        "service=front&tags=%7B%22a%22%3Anull%7D",
        "service=front&tag=http.request.method:GET",
        "service=front&tag=http.request.method:GET&tag=k8s.pod.name:front-1",
        "service=front&tag=http.request.method:GET&tag=k8s.pod.name:cart-1",
        "service=cart&tag=true:true",
        "service=cart&tag=fraction:0.1",
        "service=cart&tag=tiny:2.2250738585072014e-308",
        "service=cart&tag=large:1e%2B300",
        "service=cart&tag=whole:3",
        "service=cart&tag=least:-9223372036854775808",
        "service=cart&tag=bytes:AP9/",
        "service=cart&tag=nothing:",
        "service=cart&tag=list:[%22a%22,-1]",
        "service=cart&tag=map:%7B%22deeper%22:7,%22inner%22:%22value%22%7D",
        "service=gateway&tag=sidespan.kept:slow",
        "service=gateway&minDuration=699ms",
        "service=gateway&minDuration=701ms",
        "service=gateway&maxDuration=700ms",
        "service=gateway&maxDuration=1us",
        "service=gateway&minDuration=0.5s&maxDuration=1s",
        "service=gateway&minDuration=-5s",
        "service=gateway&maxDuration=-5s",
        "service=gateway&minDuration=0&maxDuration=1ns",
        "service=one&lookback=1h",
        "service=one&unknown=1&%zz=1&a;b=2",
    ]
    .iter()
    .map(|rest| format!("/api/traces?{rest}&{ALWAYS}"))
    .collect();
    // Without times, and with half of them.
    paths.extend(
        [
            "/api/traces?service=front",
            "/api/traces?service=front&start=1",
        ]
        .map(str::to_owned),
    );
    paths.push("/api/traces?service=front&end=1".to_owned());
    paths.push("/api/traces?service=front&start=-1&end=9223372036854775807".to_owned());
    let missing = "00000000000000ff";
    let (first, second) = (&ids[1], &ids[3]);
    paths.push(format!("/api/traces?traceID={first}&traceID={second}"));
    paths.push(format!(
        "/api/traces?traceID={first}&traceID={missing}&raw=1"
    ));
    paths.push(format!("/api/traces?traceID={missing}&service=front"));
    paths
}

fn searches_v3() -> Vec<String> {
    [
        "query.service_name=cart&query.num_traces=10&query.raw_traces=true",
        "query.service_name=cart&query.num_traces=10&query.raw_traces=true",
        "query.service_name=cart&query.operation_name=publish&query.num_traces=1&query.raw_traces=true",
        "query.service_name=nobody&query.num_traces=10",
        "query.service_name=gateway&query.num_traces=10&query.duration_min=1s",
        "query.service_name=gateway&query.num_traces=10&query.duration_max=1s&query.raw_traces=true",
        "query.service_name=two&query.num_traces=10&query.raw_traces=true",
        "query.num_traces=100&query.raw_traces=true",
        "query.num_traces=x",
        "query.num_traces=5&query.duration_min=5",
        "query.num_traces=5&query.duration_max=x",
        "query.num_traces=5&query.raw_traces=maybe",
    ]
    .iter()
    .map(|rest| format!("/api/v3/traces?{rest}&{ALWAYS_V3}"))
    .collect()
}

fn malformed() -> Vec<String> {
    let mut paths: Vec<String> = [
        "service=a&start=x",
        "service=a&end=1.5",
        "service=a&end=99999999999999999999",
        "service=a&limit=x",
        "service=a&limit=2147483648",
        "service=a&minDuration=5",
        "service=a&minDuration=abc",
        "service=a&maxDuration=5x",
        "service=a&maxDuration=%C3%B6",
        "service=a&minDuration=9999999h",
        "service=a&minDuration=2s&maxDuration=1s",
        "service=a&tag=novalue",
        "service=a&raw=maybe",
        "service=a&traceID=xyz",
        "service=a&traceID=",
        "",
        "service=",
        "operation=a",
        "limit=5",
    ]
    .iter()
    .map(|rest| format!("/api/traces?{rest}"))
    .collect();
    for id in [
        "xyz",
        "0",
        "1",
        "00000000000000000000000000000001",
        "0000000000000000xyz0000000000001",
        "ffffffffffffffffffffffffffffffff",
        "fffffffffffffffffffffffffffffffff",
        "+1",
        "0x1",
        "%20",
        "g000000000000001",
    ] {
        paths.push(format!("/api/traces/{id}"));
        paths.push(format!("/api/v3/traces/{id}"));
    }
    paths.push("/api/traces/1?raw=x".to_owned());
    paths.push("/api/traces/1?start=x".to_owned());
    paths.push("/api/v3/traces/1?start_time=x".to_owned());
    paths.push("/api/v3/traces/1?end_time=2026-11-30".to_owned());
    paths.push("/api/v3/traces/1?raw_traces=x".to_owned());
    paths.push("/api/v3/traces".to_owned());
    for time in [
        "x",
        "2026",
        "2026-11-30",
        "2026-11-30T12:00:00",
        "2026-11-30%2012:00:00Z",
        "2026-13-30T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-11-30T25:00:00Z",
        "2026-11-30T12:00:00Zz",
        "2026-11-30T12:00:00.123x",
        "2026-11-30T12:00:00%2B25:00",
    ] {
        let max = "query.start_time_max=2030-01-01T00:00:00Z&query.num_traces=5";
        paths.push(format!("/api/v3/traces?query.start_time_min={time}&{max}"));
    }
    paths
}
