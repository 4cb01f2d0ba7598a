//! Envoy's own tracers between Sidespan's proxies, or in place of them.

use serde_json::json;
use sidespan_envoy::{Cluster, Direction, Listener, Protocol, Route, Tracer, ZipkinContext};
use sidespan_sink::verify::Hop;
use sidespan_tests::http::{Request, send};

use super::mesh::{Mesh, Pod, found};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_gateways_tracer_goes_on_with_the_trace_and_sends_its_spans_elsewhere() {
    let mut mesh = Mesh::new();
    let pay = mesh.pod(Pod::new("pay"));
    let gateway = mesh.gateway(pay, |listener| {
        listener.tracer(Tracer::opentelemetry("nowhere", "gateway"))
    });
    let front = mesh.pod(Pod::new("front").calls("pay", gateway));
    mesh.request(front);
    let verdicts = mesh.verdicts(3);
    assert_eq!(
        found(&verdicts),
        ["broken_hop context_rewritten front->pay"],
        "{verdicts:#?}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_gateways_tracer_of_another_format_begins_a_trace_of_its_own() {
    for (extract, expected) in [
        // What it wrote, or what it left as it was.
        (
            ["b3multi", "tracecontext"],
            "broken_hop context_rewritten front->pay",
        ),
        (
            ["tracecontext", "b3multi"],
            "conflicting_formats context_rewritten front->pay",
        ),
    ] {
        let mut mesh = Mesh::new();
        let read = json!({"propagation": {"extract": extract}});
        let pay = mesh.pod(Pod::new("pay").inbound_configured(&read));
        let gateway = mesh.gateway(pay, |listener| {
            listener.tracer(Tracer::zipkin("nowhere", ZipkinContext::B3))
        });
        let written = json!({"propagation": {"inject": ["tracecontext"], "mirror": false}});
        let front = Pod::new("front")
            .outbound_configured(&written)
            .calls("pay", gateway);
        let front = mesh.pod(front);
        mesh.request(front);
        let verdicts = mesh.verdicts(3);
        assert_eq!(found(&verdicts), [expected], "{extract:?}: {verdicts:#?}");
    }
}

/// Returns the listener of a service that one of Envoy's tracers sees, which answers by itself.
fn traced(tracer: Tracer) -> Listener {
    Listener::new("listener")
        .direction(Direction::Inbound)
        .tracer(tracer)
        .route(Route::answer(200, ""))
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn two_tracers_with_one_format_each_make_two_traces() {
    let mut mesh = Mesh::new();
    let grpc = mesh.collector.grpc_cluster("collector");
    let pay = traced(Tracer::opentelemetry("collector", "pay"));
    let pay = mesh.proxy("pay", pay, vec![grpc]);
    let out = Listener::new("listener")
        .direction(Direction::Outbound)
        .tracer(Tracer::zipkin("collector", ZipkinContext::B3))
        .route(Route::to("pay"));
    let clusters = vec![
        Cluster::new("pay", pay),
        mesh.collector.http_cluster("collector"),
    ];
    let front = mesh.proxy("front", out, clusters);
    send(front, &Request::to("GET", "pay", "/pay"));
    let verdicts = mesh.verdicts(2);
    assert_eq!(
        found(&verdicts),
        ["broken_hop format_not_forwarded front->pay"],
        "{verdicts:#?}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_mirrored_request_gives_its_id_to_two_services() {
    let mut mesh = Mesh::new();
    let shared = || {
        let tracer = Tracer::zipkin("collector", ZipkinContext::B3);
        traced(tracer.provider("shared_span_context", true.into()))
    };
    let zipkin = mesh.collector.http_cluster("collector");
    let pay = mesh.proxy("pay", shared(), vec![zipkin.clone()]);
    let audit = mesh.proxy("audit", shared(), vec![zipkin]);
    let front = Pod::new("front")
        .calls("pay", pay)
        .cluster(Cluster::new("audit", audit));
    let front = front.route(|route| {
        route.with(
            "request_mirror_policies",
            json!([{"cluster": "audit", "trace_sampled": true}]),
        )
    });
    let front = mesh.pod(front);
    mesh.request(front);
    let verdicts = mesh.verdicts(4);
    let [finding] = &verdicts[0].findings[..] else {
        panic!("{verdicts:#?}");
    };
    assert_eq!(
        (finding.kind.name(), finding.cause.map(|it| it.name())),
        ("duplicate_span_id", Some("context_replayed"))
    );
    // Either may come first.
    let hop = |to: &str| {
        Some(Hop {
            from: "front".into(),
            to: to.into(),
        })
    };
    assert!(
        [hop("pay"), hop("audit")].contains(&finding.hop),
        "{finding:#?}"
    );
    assert!(
        finding.message.contains("audit, front, pay"),
        "{finding:#?}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_service_has_no_name() {
    let mut mesh = Mesh::new();
    let collector = mesh
        .collector
        .grpc_cluster("collector")
        .protocol(Protocol::Http2);
    let pay = mesh.proxy(
        "pay",
        traced(Tracer::opentelemetry("collector", "")),
        vec![collector],
    );
    let front = mesh.pod(Pod::new("front").calls("pay", pay));
    mesh.request(front);
    let verdicts = mesh.verdicts(3);
    let found = found(&verdicts);
    assert_eq!(found.len(), 1, "{verdicts:#?}");
    assert!(
        found[0].starts_with("no_service_name - front->unknown_service"),
        "{verdicts:#?}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_service_that_replays_requests_makes_a_circle() {
    let mut mesh = Mesh::new();
    let ids = ["00f067aa0ba902b7", "05e3ac9a4f6e3b90"];
    for (name, at) in [("cart", 0), ("pay", 1)] {
        let tracer = Tracer::zipkin("collector", ZipkinContext::B3);
        let listener = traced(tracer.provider("shared_span_context", true.into()));
        let zipkin = mesh.collector.http_cluster("collector");
        let address = mesh.proxy(name, listener, vec![zipkin]);
        // A replay with the ids of an earlier exchange, each below the other.
        let request = Request::get("/")
            .header("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736")
            .header("x-b3-spanid", ids[at])
            .header("x-b3-parentspanid", ids[1 - at])
            .header("x-b3-sampled", "1");
        send(address, &request);
    }
    let verdicts = mesh.verdicts(2);
    let found = found(&verdicts);
    assert_eq!(found.len(), 1, "{verdicts:#?}");
    assert!(
        found[0].starts_with("cycle context_replayed "),
        "{verdicts:#?}"
    );
    for name in ["cart", "pay"] {
        assert!(found[0].contains(name), "{found:?}");
    }
}
