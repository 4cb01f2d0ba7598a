//! A registry that is away, or that does not answer, when a pod starts.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use sidespan_envoy::wait_for;
use sidespan_tests::caller::Caller;
use sidespan_tests::http::{Outcome, Request, open_loop, send};
use sidespan_tests::peers::istio::{Format, Mesh, Service, shipped};
use sidespan_tests::ports::free_address;

use super::super::path::publish;
use super::SOME;
use super::load::RATE;

/// Starts a pod while the registry is away. Its agent asks once; it asks again when the resource changes.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn a_pod_that_starts_without_a_registry_serves_and_records_after_the_next_change() {
    let mut mesh = Mesh::start();
    let image = publish(&mut mesh);
    let plugin = shipped(&["telemetry"], &image);
    mesh.apply(&plugin);
    mesh.registry().kill();
    let begin = Instant::now();
    let mut late = mesh.service("shop", "late", Format::W3c, None);
    late.pod_mut().wait_until_ready();
    let ready = begin.elapsed();
    let mut away = Duration::ZERO;
    let outcomes = open_loop(late.address(), RATE, traced, |elapsed| {
        late.pod()
            .wait("a filter that lets all through", || stands_in(&late));
        assert!(mesh.registry().resume(), "its address is in use");
        assert_eq!(publish(&mut mesh), image, "the same image again");
        let until = elapsed() + SOME;
        wait_for(SOME * 2, || (elapsed() >= until).then_some(()));
        assert!(
            stands_in(&late).is_some(),
            "the agent asked again by itself"
        );
        mesh.apply(&plugin.replace("percentage: 1\n", "percentage: 2\n"));
        mesh.collector()
            .wait(|now| (!now.spans.is_empty()).then_some(()));
        away = elapsed();
    });
    eprintln!(
        "a registry that is away: ready after {:.3} s; {} requests; no span for {:.3} s, until the resource changed",
        ready.as_secs_f64(),
        outcomes.len(),
        away.as_secs_f64()
    );
    assert_all_answered(&outcomes);
}

/// Starts a pod beside a registry that accepts connections and says nothing: its listeners wait for the agent, which gives up after the
/// time limit that istiod writes into the resource, and puts a filter in the place of ours that lets all requests through.
#[test]
#[ignore = "takes half a minute, the time limit that istiod writes into the resource"]
fn a_registry_that_hangs_holds_a_new_pod_back_for_half_a_minute() {
    let address = free_address();
    // Connections are established, and nobody reads them.
    let _silent = TcpListener::bind(address).expect("a free port");
    let mesh = Mesh::start();
    let image = format!("oci://{address}/sidespan-filter:0.1.0");
    mesh.apply(&shipped(&[], &image));
    let begin = Instant::now();
    let late = mesh.service("shop", "late", Format::W3c, None);
    let ready = wait_for(Duration::from_secs(60), || {
        late.pod().is_ready().then_some(())
    });
    let held = begin.elapsed();
    eprintln!(
        "a registry that hangs: ready after {:.3} s",
        held.as_secs_f64()
    );
    assert!(
        ready.is_some() && held > Duration::from_secs(29),
        "{held:?}"
    );
    assert!(stands_in(&late).is_some(), "{}", late.pod().log());
    assert_eq!(send(late.address(), &Request::get("/")).status, 200);
}

fn traced(_: u64) -> Request {
    Request::get("/late").header("traceparent", Caller::fresh().traceparent())
}

/// Returns something if the agent has put a filter in the place of ours that lets all requests through.
fn stands_in(service: &Service) -> Option<()> {
    let extensions = service.pod().extensions();
    let mut texts = extensions.iter().map(|(_, filter)| filter.to_string());
    texts
        .any(|filter| filter.contains("wasm-default-allow"))
        .then_some(())
}

fn assert_all_answered(outcomes: &[Outcome]) {
    let failures = outcomes
        .iter()
        .filter(|outcome| outcome.status != Some(200));
    let failures: Vec<_> = failures.collect();
    assert!(failures.is_empty(), "{failures:?}");
}
