//! The profile *the filter decides*: all that the sidecars sampled and kept arrives, whole traces on one gateway each, and the rates are those of all
//! requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_sink::{SpanKind, StoredSpan, Value};
use sidespan_tests::collector;
use sidespan_tests::envoy::LIMIT;

use super::mesh::{HOPS, Mesh};
use super::scene::{agent, counted, gateway};

const SIGMAS: f64 = 5.0;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_quarter_goes_through_both_tiers_with_the_rates_of_all() {
    arrives_with_the_rates_of_all(25.0, 4_000);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn one_percent_goes_through_both_tiers_with_the_rates_of_all() {
    arrives_with_the_rates_of_all(1.0, 8_000);
}

fn arrives_with_the_rates_of_all(percentage: f64, requests: u64) {
    let sinks = [collector::Collector::start(), collector::Collector::start()];
    let gateways = [0, 1]
        .map(|index: usize| gateway("filter-decides", sinks[index].sink().grpc_addr(), |_| ()));
    let agent = agent(&[gateways[0].grpc_addr(), gateways[1].grpc_addr()]);
    let sampling = json!({
        "percentage": percentage,
        "keep": {"errors": true, "spansPerSecond": 5_000},
    });
    let mesh = Mesh::start(agent.grpc_addr(), &sampling);
    let failures = mesh.send(requests);
    let exported = usize::try_from(mesh.exported()).expect("a number");

    let arrived = || -> Vec<Vec<Arc<StoredSpan>>> {
        sinks
            .iter()
            .map(|sink| sink.sink().snapshot().spans)
            .collect()
    };
    let all = wait_for(LIMIT, || {
        let now = arrived();
        (now.iter().map(Vec::len).sum::<usize>() >= exported).then_some(now)
    });
    let all = all.unwrap_or_else(|| {
        panic!(
            "of {exported} spans arrived {}",
            arrived().iter().map(Vec::len).sum::<usize>()
        )
    });
    let ids: BTreeSet<&str> = all.iter().flatten().map(|it| &*it.span_id).collect();
    assert_eq!(ids.len(), exported, "each once");

    // Whole traces, each on one gateway, and both have some.
    let traces: Vec<BTreeMap<&str, Vec<&StoredSpan>>> = all.iter().map(|it| by_trace(it)).collect();
    assert!(
        traces.iter().all(|it| !it.is_empty()),
        "one gateway has nothing"
    );
    for (trace, spans) in traces.iter().flatten() {
        assert_eq!(spans.len(), HOPS, "{trace}: {spans:#?}");
    }
    let failed = traces
        .iter()
        .flatten()
        .filter(|(_, spans)| spans.iter().any(|it| it.is_error()));
    assert_eq!(
        failed.count() as u64,
        failures,
        "every failure is there, sampled or kept"
    );
    assert_eq!(
        edges(&all),
        BTreeMap::from([(("front", "stock"), exported / HOPS)])
    );

    let p = percentage / 100.0;
    let deviation = (requests as f64 * p * (1.0 - p)).sqrt() / p;
    for service in ["front", "stock"] {
        let mut found = 0.0;
        let is_right = wait_for(LIMIT, || {
            found = counted(&gateways, service);
            let difference = (found - requests as f64).abs();
            (difference <= SIGMAS * deviation).then_some(())
        });
        assert!(
            is_right.is_some(),
            "{service}: {found} of {requests} ± {SIGMAS} × {deviation}"
        );
    }
}

fn by_trace(spans: &[Arc<StoredSpan>]) -> BTreeMap<&str, Vec<&StoredSpan>> {
    let mut traces: BTreeMap<&str, Vec<&StoredSpan>> = BTreeMap::new();
    for span in spans {
        traces.entry(&span.trace_id).or_default().push(span);
    }
    traces
}

/// Returns the edges by the rule of the service graph's connector: a CLIENT span and the SERVER span whose parent it is.
fn edges(all: &[Vec<Arc<StoredSpan>>]) -> BTreeMap<(&str, &str), usize> {
    let mut found = BTreeMap::new();
    let spans = || all.iter().flatten();
    let callers: BTreeMap<&str, &str> = spans()
        .filter(|it| it.kind == SpanKind::Client)
        .map(|it| (&*it.span_id, it.service()))
        .collect();
    for span in spans().filter(|it| it.kind == SpanKind::Server) {
        let parent = span.parent_span_id.as_deref();
        if let Some(caller) = parent.and_then(|parent| callers.get(parent)) {
            *found.entry((*caller, span.service())).or_default() += 1;
        }
    }
    found
}

/// Holds what an application sends by Zipkin's protocol to the same way.
#[test]
fn what_an_application_sends_by_zipkin_goes_the_same_way() {
    let sink = collector::Collector::start();
    let gateway = gateway("filter-decides", sink.sink().grpc_addr(), |_| ());
    let agent = agent(&[gateway.grpc_addr()]);
    let span = json!([{
        "traceId": "463ac35c9f6413ad48485a3953bb6124",
        "id": "a2fb4a1d1a96d312",
        "name": "work",
        "timestamp": 1_790_000_000_000_000_u64,
        "duration": 1000,
        "localEndpoint": {"serviceName": "from-zipkin"},
    }]);
    let post = sidespan_tests::http::Request::post("/api/v2/spans", span.to_string())
        .header("content-type", "application/json");
    let answer = sidespan_tests::http::send(agent.address("zipkin"), &post);
    assert_eq!(answer.status, 202);
    let spans = sink.trace("463ac35c9f6413ad48485a3953bb6124", 1);
    let cluster = spans[0].resource.attribute("k8s.cluster.name");
    assert_eq!(cluster.and_then(Value::as_str), Some("kubernetes"));
}
