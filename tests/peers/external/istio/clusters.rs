//! Two clusters with a control plane each, joined by gateways, with the overlays that are shipped for them.
//!
//! ```text
//! west: front ── istio-egressgateway ──┐
//!                                      │
//! east:             istio-eastwestgateway ──┐
//!          anybody ── istio-ingressgateway ─┴── cart
//! ```

mod joined;

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sidespan_envoy::wait_for;
use sidespan_sink::{Snapshot, SpanKind, Value as Attribute};
use sidespan_tests::caller::Caller;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::http::{Request, send};

use super::path::{Hop, is_chain};
use joined::{EASTWEST, EGRESS, INGRESS, Joined, PROBED};

/// Headers that a proxy writes by default.
const WRITTEN: [&str; 5] = [
    "traceparent",
    "tracestate",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
];

/// Follows requests through both clusters; then lets the gateway of one remove the headers, and asks which one it is.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn a_trace_goes_through_both_and_a_gateway_that_strips_is_named() {
    let joined = Joined::start();
    one_trace_is_in_both(&joined);
    who_comes_from_outside_has_no_say(&joined);

    let (code, whole) = probe(&joined);
    assert_eq!(code, Some(0), "{whole:#}");
    for probe in [&whole[0], &whole[1]] {
        assert_eq!(probe["survived"], true, "{probe:#}");
        let hops = json!([
            "probe -> front",
            format!("front -> {EGRESS}"),
            format!("{EGRESS} -> {EASTWEST}"),
            format!("{EASTWEST} -> cart"),
        ]);
        assert_eq!(probe["hops"], hops, "{probe:#}");
    }

    joined.leave_without(&WRITTEN);
    // Until the gateway has its new routes, contexts survive.
    let mut last = Value::Null;
    let broken = wait_for(LIMIT, || {
        let (code, probes) = probe(&joined);
        assert_eq!(
            code == Some(1),
            probes.to_string().contains("\"survived\":false")
        );
        let mut all = probes.as_array().into_iter().flatten();
        let is_broken = all.all(|it| it["survived"] == false);
        last = probes;
        is_broken.then_some(())
    });
    assert!(broken.is_some(), "it survives: {last:#}");
    for format in [&last[0], &last[1]] {
        let finding = &format["findings"][0];
        assert_eq!(
            finding["hop"],
            json!({"from": EGRESS, "to": EASTWEST}),
            "{format:#}"
        );
        let message = format["message"].as_str().expect("text");
        assert!(
            message.contains(&format!("{EASTWEST} began a new trace, ")),
            "{message}"
        );
    }
}

/// Sends a caller's request to the west, and looks for its spans of both clusters.
fn one_trace_is_in_both(joined: &Joined) {
    let mut last = Vec::new();
    let spans = wait_for(LIMIT, || {
        let caller = Caller::fresh();
        let request = Request::get("/").header("traceparent", caller.traceparent());
        assert_eq!(send(joined.front.address(), &request).status, 200);
        wait_for(SHORT, || {
            last = joined.backend().sink().trace(&caller.trace_id);
            is_chain(&last, &caller, &PATH).then(|| last.clone())
        })
    });
    let spans = spans.unwrap_or_else(|| panic!("no whole trace: {last:#?}"));
    for span in &spans {
        let cluster = span.resource.attribute("k8s.cluster.name");
        let is_west = ["front", EGRESS].contains(&span.service());
        let expected = if is_west { "west" } else { "east" };
        assert_eq!(
            cluster.and_then(Attribute::as_str),
            Some(expected),
            "{span:#?}"
        );
    }
}

/// Sends what says that it is sampled through the gateway for everybody, whose own plugin begins a trace of its own.
fn who_comes_from_outside_has_no_say(joined: &Joined) {
    let caller = Caller::fresh();
    let request = Request::get(PROBED).header("traceparent", caller.traceparent());
    assert_eq!(send(joined.public.address(), &request).status, 200);
    let links_to_it = |now: &Snapshot| {
        let root = now.spans.iter().find(|span| {
            let mut links = span.links.iter();
            links.any(|link| link.trace_id == caller.trace_id)
        })?;
        let trace = now.trace(&root.trace_id);
        (trace.len() == 3).then_some(trace)
    };
    let spans = joined.backend().wait(links_to_it);
    let mut services: Vec<_> = spans
        .iter()
        .map(|span| (span.service(), span.kind))
        .collect();
    services.sort_unstable_by_key(|(service, kind)| (*service, *kind == SpanKind::Client));
    let expected = [
        ("cart", SpanKind::Server),
        (INGRESS, SpanKind::Server),
        (INGRESS, SpanKind::Client),
    ];
    assert_eq!(services, expected);
    assert!(joined.backend().sink().trace(&caller.trace_id).is_empty());
}

/// Probes the west's service in two formats, and returns the exit code and the answers.
fn probe(joined: &Joined) -> (Option<i32>, Value) {
    let mut verify = Command::new(env!("CARGO_BIN_EXE_sidespan-program"));
    verify
        .args(["verify", "--json", "--format", "tracecontext,b3"])
        .args([
            "--probe",
            &format!("http://{}{PROBED}", joined.front.address()),
        ])
        .args([
            "--from",
            &format!("http://{}", joined.backend().sink().http_addr()),
        ]);
    let output = verify.output().expect("the program");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {output:?}");
    });
    (output.status.code(), json["probes"].clone())
}

/// The time after which a request's spans are not waited for, but another is sent.
const SHORT: Duration = Duration::from_secs(3);
/// The spans of a request through both clusters.
const PATH: [Hop; 7] = [
    ("shop", "front", SpanKind::Server),
    ("shop", "front", SpanKind::Client),
    ("istio-system", EGRESS, SpanKind::Server),
    ("istio-system", EGRESS, SpanKind::Client),
    ("istio-system", EASTWEST, SpanKind::Server),
    ("istio-system", EASTWEST, SpanKind::Client),
    ("shop", "cart", SpanKind::Server),
];
