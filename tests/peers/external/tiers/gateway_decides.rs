//! The profile *the gateway decides*: every failure and OpenTelemetry's tenth of the rest reach the backend, whole, and the rates are counted before
//! that.

use std::collections::BTreeSet;

use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::peers::Jaeger;

use super::backend::{dependencies, edges, traces};
use super::scene::{agent, counted, gateway, told_apart};
use super::shop::{self, Load, RECEIVED, SPANS, Shop};
use super::sizing::{cpu, is_about};
use crate::observability::sizing::Constants;

const LOAD: Load = Load {
    requests: 1_000,
    failing: 20,
    slow: 8,
};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn failures_slow_ones_and_a_tenth_are_in_jaeger_whole() {
    let jaeger = Jaeger::start();
    let gateways = [0, 1].map(|index| {
        gateway("gateway-decides", jaeger.grpc_addr(), |whole| {
            told_apart(index)(whole);
            let sampler = &mut whole["processors"]["tail_sampling"];
            sampler["decision_wait"] = "4s".into();
            // The bound of what is shared out is of no interest here.
            let policies = sampler["policies"].as_array_mut().expect("policies");
            let composite = policies.iter_mut().find(|it| it["type"] == "composite");
            composite.expect("one")["composite"]["max_total_spans_per_second"] = 1_000_000.into();
        })
    });
    let agent = agent(&[gateways[0].grpc_addr(), gateways[1].grpc_addr()]);
    let sampling = json!({"percentage": 100, "keep": {"errors": false}});
    let shop = Shop::start(agent.grpc_addr(), &sampling, "gzip");
    let pids = [gateways[0].pid(), gateways[1].pid()];
    let before = cpu(&pids);
    shop.send(LOAD);
    let exported = shop.exported();
    assert_eq!(exported, LOAD.requests * SPANS as u64);
    let bytes = Constants::read().gzip_bytes_per_span;
    is_about("bytes a span with gzip", shop.bytes(), exported, bytes);

    for (service, times) in RECEIVED {
        let all = (LOAD.requests * times) as f64;
        let mut found = 0.0;
        let is_exact = wait_for(LIMIT, || {
            found = counted(&gateways, service);
            (found == all).then_some(())
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
        (all("decision=") == LOAD.requests).then_some(())
    });
    assert!(decided.is_some(), "a decision for each trace, {kept} kept");
    println!(
        "the gateways: {:.1} µs of CPU a span",
        (cpu(&pids) - before) as f64 / exported as f64
    );
    let traces = traces(&jaeger, kept * SPANS as u64);
    assert_eq!(traces.len() as u64, kept);
    for (id, trace) in &traces {
        let seen = (trace.spans.len(), trace.roots, trace.gateways.len());
        assert_eq!(seen, (SPANS, 1, 1), "{id}: {trace:#?}");
    }
    let used: BTreeSet<_> = traces.values().flat_map(|it| &it.gateways).collect();
    assert_eq!(used.len(), 2, "one gateway has nothing");
    assert_eq!(edges(&traces), shop::edges(kept));
    assert_eq!(dependencies(&jaeger), shop::edges(kept), "as Jaeger says");
    let all = traces.values();
    let failing = all.clone().filter(|it| it.fails()).count() as u64;
    let slow = all.filter(|it| it.is_slow()).count() as u64;
    assert_eq!((failing, slow), (LOAD.failing, LOAD.slow), "all are kept");
    let rest = traces
        .iter()
        .filter(|(_, trace)| !trace.fails() && !trace.is_slow());
    for (id, _) in rest.clone() {
        // Its last 56 bits are a trace's randomness.
        let randomness = u64::from_str_radix(&id[18..], 16).expect("hexadecimal");
        assert!(randomness >= 0xe6_6666_6666_6666, "{id} is in no tenth");
    }
    let healthy = (LOAD.requests - LOAD.failing - LOAD.slow) as f64;
    let deviation = (healthy * 0.09).sqrt();
    let rest = rest.count() as f64;
    assert!(
        (rest - healthy / 10.0).abs() <= 5.0 * deviation,
        "{rest} of {healthy}"
    );
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
