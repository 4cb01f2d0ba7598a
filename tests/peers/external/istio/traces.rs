//! Whole traces, with each of the ways to install.

use std::collections::BTreeMap;

use sidespan_tests::caller::Caller;
use sidespan_tests::effort;
use sidespan_tests::http::{Connection, Request, send};
use sidespan_tests::peers::istio::{Format, Mesh, Path, shipped};

use super::path::{
    Hop, PATH, assert_chain, is_chain, publish, wait_until_chained, wait_until_whole,
};

#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn a_wasm_plugin_makes_one_whole_trace_a_request() {
    let mut mesh = Mesh::start();
    let image = publish(&mut mesh);
    let plugin = shipped(&["telemetry"], &image);
    let with_bank = plugin.replace("namespaces:\n", "namespaces:\n        bank: 25\n");
    assert_ne!(with_bank, plugin);
    mesh.apply(&with_bank);
    let path = mesh.path();
    every_request_leaves(&mesh, &path, &PATH);
    roots_are_sampled_by_namespace(&mesh, &path);
}

#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn a_traffic_extension_makes_one_whole_trace_a_request() {
    let mut mesh = Mesh::start();
    let image = publish(&mut mesh);
    mesh.apply(&shipped(&["trafficextension", "telemetry"], &image));
    let path = mesh.path();
    every_request_leaves(&mesh, &path, &PATH);
}

/// Shows what the component `telemetry` is for: without it, Envoy's own tracer writes its headers over those of the filter.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn istios_own_tracing_comes_between_until_telemetry_turns_it_off() {
    let mut mesh = Mesh::start();
    let image = publish(&mut mesh);
    mesh.apply(&shipped(&[], &image));
    let path = mesh.path();
    let caller = Caller::fresh();
    let request = Request::get("/both").header("traceparent", caller.traceparent());
    assert_eq!(send(path.gateway.address(), &request).status, 200);
    mesh.apply(&shipped(&["telemetry"], &image));
    // All spans of earlier requests have arrived when those of a later one have.
    wait_until_whole(&mesh, &path);
    let mut ours = mesh.collector().sink().trace(&caller.trace_id);
    ours.retain(|span| span.scope.name == "sidespan");
    assert!(!ours.is_empty());
    assert!(!is_chain(&ours, &caller, &PATH), "{ours:#?}");
}

/// Applies the filter from a file, which every pod of the mesh has where the manifest looks for it. It is for sidecars alone, so the
/// gateway makes no span, and hands on what came.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn an_envoy_filter_makes_one_whole_trace_a_request() {
    let mesh = Mesh::start();
    let image = "oci://registry.invalid/sidespan-filter:0.1.0";
    mesh.apply(&shipped(&["envoyfilter", "telemetry"], image));
    let path = mesh.path();
    every_request_leaves(&mesh, &path, &PATH[2..]);
}

/// Sends requests with a caller's sampled context in turn in the W3C's format and in B3.
fn every_request_leaves(mesh: &Mesh, path: &Path, proxies: &[Hop]) {
    wait_until_chained(mesh, path, proxies);
    let before = mesh.collector().sink().spans().len();
    let mut connection = Connection::open(path.gateway.address()).expect("a listener");
    let callers: Vec<_> = (0..effort::requests(1000))
        .map(|number| {
            let caller = Caller::fresh();
            let request = match number % 2 {
                0 => Request::get("/buy").header("traceparent", caller.traceparent()),
                _ => Request::get("/buy").header("b3", caller.b3()),
            };
            let answer = connection.exchange(&request).expect("an answer");
            assert_eq!(answer.status, 200);
            caller
        })
        .collect();
    let all = before + callers.len() * proxies.len();
    let now = mesh
        .collector()
        .wait(|now| (now.spans.len() >= all).then(|| now.clone()));
    assert_eq!(now.spans.len(), all);
    for caller in &callers {
        assert_chain(&now.trace(&caller.trace_id), caller, proxies);
    }
}

/// Sends requests without context: to the gateway, of which the shipped percentage are sampled, to a pod of the namespace in which
/// 25 % are, and to one of a namespace in which none is.
fn roots_are_sampled_by_namespace(mesh: &Mesh, path: &Path) {
    let mut quiet = mesh.service("observability", "quiet", Format::W3c, None);
    quiet.pod_mut().wait_until_ready();
    let count = effort::requests(4000);
    let before = mesh.collector().sink().spans().len();
    let mut connection = Connection::open(path.gateway.address()).expect("a listener");
    for _ in 0..count {
        let answer = connection.exchange(&Request::get("/roots"));
        assert_eq!(answer.expect("an answer").status, 200);
    }
    for (service, requests) in [(&path.pay, count / 4), (&quiet, 200)] {
        let mut connection = Connection::open(service.address()).expect("a listener");
        for _ in 0..requests {
            let answer = connection.exchange(&Request::get("/roots"));
            assert_eq!(answer.expect("an answer").status, 200);
        }
    }
    // A span of a later request says that all earlier ones have arrived.
    let caller = Caller::fresh();
    let asked = Request::get("/asked").header("traceparent", caller.traceparent());
    assert_eq!(send(quiet.address(), &asked).status, 200);
    assert_eq!(mesh.collector().trace(&caller.trace_id, 1).len(), 1);
    wait_until_whole(mesh, path);
    let spans = mesh.collector().sink().spans();
    let roots = spans[before..]
        .iter()
        .filter(|span| span.parent_span_id.is_none());
    let mut sampled: BTreeMap<&str, u32> = BTreeMap::new();
    for span in roots {
        *sampled.entry(span.service()).or_default() += 1;
    }
    eprintln!(
        "{sampled:?} of {count} at the gateway and {} at pay",
        count / 4
    );
    let of = |service| sampled.get(service).copied().unwrap_or(0);
    assert_binomial(of("istio-ingressgateway"), count, 0.01);
    assert_binomial(of("pay"), count / 4, 0.25);
    assert_eq!(sampled.len(), 2, "{sampled:?}");
}

/// Checks that a number of hits is within five standard deviations of the expected one, which one of two million runs is not.
fn assert_binomial(hits: u32, of: u64, share: f64) {
    let of = f64::from(u32::try_from(of).expect("a small number"));
    let distance = (f64::from(hits) - of * share).abs();
    let deviation = (of * share * (1.0 - share)).sqrt();
    assert!(distance <= 5.0 * deviation, "{hits} of {of} at {share}");
}
