//! Components of `istio/` that change what becomes of a caller's decision or of Istio's own tracer.

use sidespan_envoy::wait_for;
use sidespan_tests::caller::Caller;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::http::{Request, send};
use sidespan_tests::peers::istio::{Mesh, Path, shipped};

use super::path::{PATH, is_chain, publish, wait_until_chained};

/// Applies the component in which Istio's tracer goes on without its headers, and looks for the spans of both tracers in one request's
/// trace: those of the filter make a whole chain, because no header of theirs was written over.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn istios_tracer_keeps_its_spans_and_leaves_the_headers_alone() {
    let mut mesh = Mesh::start();
    let image = publish(&mut mesh);
    mesh.apply(&shipped(&["telemetry-keep-spans"], &image));
    let path = mesh.path();
    let callers = std::cell::RefCell::new(Vec::new());
    let found = wait_for(LIMIT, || {
        let caller = Caller::fresh();
        let request = Request::get("/both").header("traceparent", caller.traceparent());
        assert_eq!(send(path.gateway.address(), &request).status, 200);
        callers.borrow_mut().push(caller);
        callers.borrow().iter().find_map(|caller| {
            let spans = mesh.collector().sink().trace(&caller.trace_id);
            let (ours, theirs): (Vec<_>, Vec<_>) = spans
                .into_iter()
                .partition(|span| span.scope.name == "sidespan");
            (is_chain(&ours, caller, &PATH) && !theirs.is_empty()).then_some(())
        })
    });
    assert!(found.is_some(), "no request left the spans of both tracers");
}

/// Applies the component by which gateways decide themselves, and sends what a caller says is sampled: of these requests the shipped
/// percentage is, where without it all are.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn a_gateway_that_trusts_nobody_decides_by_its_own_percentage() {
    let mut mesh = Mesh::start();
    let image = publish(&mut mesh);
    mesh.apply(&shipped(&["telemetry"], &image));
    let path = mesh.path();
    wait_until_chained(&mesh, &path, &PATH);
    mesh.apply(&shipped(&["telemetry", "gateway-trust"], &image));
    path.gateway
        .pod()
        .wait("the component's configuration", || {
            let extensions = path.gateway.pod().extensions();
            let mut configurations = extensions.iter().map(|(_, config)| config.to_string());
            configurations
                .any(|text| text.contains("decision"))
                .then_some(())
        });
    let callers: Vec<_> = (0..200).map(|_| sampled(&path)).collect();
    // Past the gateway, where a caller's word counts: its spans say that those of earlier requests have arrived.
    let last = Caller::fresh();
    let request = Request::get("/last").header("traceparent", last.traceparent());
    assert_eq!(send(path.front.address(), &request).status, 200);
    assert_eq!(mesh.collector().trace(&last.trace_id, 5).len(), 5);
    let sink = mesh.collector().sink();
    let recorded = callers
        .iter()
        .filter(|caller| !sink.trace(&caller.trace_id).is_empty());
    // Of 200 at one per cent 2 are expected; more than 15 are in fewer than one of a thousand million runs.
    assert!(recorded.count() <= 15);
}

fn sampled(path: &Path) -> Caller {
    let caller = Caller::fresh();
    let request = Request::get("/edge").header("traceparent", caller.traceparent());
    assert_eq!(send(path.gateway.address(), &request).status, 200);
    caller
}
