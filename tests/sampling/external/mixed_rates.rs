//! Rates from the spans of a mesh in which services lose `tracestate`: each service's requests, counted by `th`, are within
//! the binomial bound of the truth. `SIDESPAN_LOAD` sets the number of requests.

mod mesh;

use std::collections::BTreeMap;

use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::effort;

use mesh::{Mesh, Side};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_services_requests_are_counted_at_25_percent() {
    counts_are_true(25.0, effort::requests(2_000).max(1_000));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_services_requests_are_counted_at_1_percent() {
    counts_are_true(1.0, effort::requests(20_000).max(8_000));
}

/// Sends requests through a mesh that samples this percentage, and compares the count of each service's requests and calls.
fn counts_are_true(percentage: f64, requests: u64) {
    let mesh = Mesh::start(percentage);
    let seconds = mesh.load(requests);
    let spans = mesh.spans();
    let mut counted: BTreeMap<(String, Side), (u64, f64)> = BTreeMap::new();
    for span in &spans {
        let side = match span.kind {
            SpanKind::Server => Side::Served,
            _ => Side::Called,
        };
        let (number, sum) = counted.entry((span.service().into(), side)).or_default();
        *number += 1;
        *sum += adjusted_count(span);
    }
    let without = spans.iter().filter(|span| threshold(span).is_none());
    println!(
        "{percentage} %: {requests} requests in {seconds:.1} s, {} spans, {} of them without th",
        spans.len(),
        without.count()
    );
    let p = percentage / 100.0;
    for (key, truth) in mesh.truth() {
        let (number, sum) = counted.get(&key).copied().unwrap_or_default();
        let truth = truth as f64;
        let bound = SIGMAS * (truth * (1.0 - p) / p).sqrt();
        let (service, side) = &key;
        println!(
            "{service} {side:?}: {truth} requests, {number} spans, counted {sum:.0} (± {bound:.0})"
        );
        assert!((sum - truth).abs() <= bound, "{service} {side:?}");
        // Spans without th count for one each, so this bound would find them all missing.
        assert!(
            bound < truth - number as f64,
            "{service} {side:?}: too few requests to tell"
        );
    }
}

/// Returns the number of requests for which a span stands, as OpenTelemetry defines it: one where nothing is known.
fn adjusted_count(span: &StoredSpan) -> f64 {
    const RANGE: f64 = (1_u64 << 56) as f64;
    threshold(span).map_or(1.0, |threshold| RANGE / (RANGE - threshold as f64))
}

fn threshold(span: &StoredSpan) -> Option<u64> {
    let mut members = span.trace_state.split(',');
    let ot = members.find_map(|member| member.trim().strip_prefix("ot="))?;
    let th = ot.split(';').find_map(|field| field.strip_prefix("th:"))?;
    u64::from_str_radix(&format!("{th:0<14}"), 16).ok()
}

const SIGMAS: f64 = 5.0;
