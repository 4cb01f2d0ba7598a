//! The profile *the gateway decides*: every failure and OpenTelemetry's tenth of the rest reach the backend, whole, and the rates are counted before
//! that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_sink::Snapshot;
use sidespan_tests::collector;
use sidespan_tests::envoy::LIMIT;

use super::mesh::{HOPS, Mesh};
use super::scene::{agent, counted, gateway};

const REQUESTS: u64 = 2_000;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn failures_and_a_tenth_reach_the_backend_whole() {
    let sink = collector::Collector::start();
    let gateways = [(); 2].map(|()| {
        gateway("gateway-decides", sink.sink().grpc_addr(), |whole| {
            let sampler = &mut whole["processors"]["tail_sampling"];
            sampler["decision_wait"] = "2s".into();
            // The bound of what is shared out is of no interest here.
            let policies = sampler["policies"].as_array_mut().expect("policies");
            let composite = policies.iter_mut().find(|it| it["type"] == "composite");
            composite.expect("one")["composite"]["max_total_spans_per_second"] = 1_000_000.into();
        })
    });
    let agent = agent(&[gateways[0].grpc_addr(), gateways[1].grpc_addr()]);
    let sampling = json!({"percentage": 100, "keep": {"errors": false}});
    let mesh = Mesh::start(agent.grpc_addr(), &sampling);
    let failures = mesh.send(REQUESTS);
    assert_eq!(mesh.exported(), REQUESTS * HOPS as u64);

    for service in ["front", "stock"] {
        let mut found = 0.0;
        let is_exact = wait_for(LIMIT, || {
            found = counted(&gateways, service);
            (found == REQUESTS as f64).then_some(())
        });
        assert!(is_exact.is_some(), "{service}: {found}, exact at 100 %");
    }
    // The sampler says how many it kept, and so many reach the backend.
    let mut kept = 0;
    let decided = wait_for(LIMIT, || {
        let pages = gateways
            .iter()
            .filter_map(|it| it.get("metrics", "/metrics"));
        let pages: Vec<String> = pages
            .map(|page| String::from_utf8_lossy(&page.body).into_owned())
            .collect();
        let all = |word: &str| pages.iter().map(|page| decisions(page, word)).sum::<u64>();
        kept = all("decision=\"sampled\"");
        (all("decision=") == REQUESTS).then_some(())
    });
    assert!(decided.is_some(), "a decision for each trace, {kept} kept");
    let spans = usize::try_from(kept).expect("a number") * HOPS;
    let now = sink.wait(|now| (now.spans.len() >= spans).then(|| now.clone()));
    let traces = by_trace(&now);
    assert_eq!(traces.len() as u64, kept);
    for (trace, (spans, _)) in &traces {
        assert_eq!(*spans, HOPS, "{trace}");
    }
    let (failed, rest): (Vec<_>, Vec<_>) = traces.iter().partition(|(_, (_, failed))| *failed);
    assert_eq!(failed.len() as u64, failures, "every failure is there");
    for (trace, _) in &rest {
        // Its last 56 bits are a trace's randomness.
        let randomness = u64::from_str_radix(&trace[18..], 16).expect("hexadecimal");
        assert!(randomness >= 0xe6_6666_6666_6666, "{trace} is in no tenth");
    }
    let healthy = (REQUESTS - failures) as f64;
    let deviation = (healthy * 0.09).sqrt();
    let difference = (rest.len() as f64 - healthy / 10.0).abs();
    assert!(difference <= 5.0 * deviation, "{} of {healthy}", rest.len());
    let parents: BTreeSet<_> = now.spans.iter().map(|it| it.service()).collect();
    assert_eq!(parents, BTreeSet::from(["front", "stock"]));
}

/// Returns the number of spans of each trace, and whether one of them failed.
fn by_trace(now: &Snapshot) -> BTreeMap<&str, (usize, bool)> {
    let mut traces: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for span in &now.spans {
        let (spans, failed) = traces.entry(&span.trace_id).or_default();
        *spans += 1;
        *failed |= span.is_error();
    }
    traces
}

/// Returns the traces that the sampler has decided on, of decisions with this label.
fn decisions(page: &str, label: &str) -> u64 {
    let name = "otelcol_processor_tail_sampling_global_count_traces_sampled{";
    let lines = page
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(label));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    values.sum()
}
