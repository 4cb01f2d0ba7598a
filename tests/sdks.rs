//! Two services that OpenTelemetry's own SDKs instrument, in Python and in Node, behind sidecars on real Envoys.
//!
//! ```text
//! test ── cart's inbound ── cart (Python, W3C) ── cart's outbound ── stock's inbound ── stock (Node, B3 in several headers)
//! ```
//!
//! Neither service reads what the other writes. Sidecars and SDKs export to one collector, each on its own.

mod mesh;

use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::caller::Caller;

use mesh::{Mesh, Sidecars};

/// A request's way through the mesh: service, kind, and the scope of whoever made the span.
const WAY: [(&str, SpanKind, &str); 6] = [
    ("cart", SpanKind::Server, SIDESPAN),
    (
        "cart",
        SpanKind::Server,
        "opentelemetry.instrumentation.wsgi",
    ),
    (
        "cart",
        SpanKind::Client,
        "opentelemetry.instrumentation.requests",
    ),
    ("cart", SpanKind::Client, SIDESPAN),
    ("stock", SpanKind::Server, SIDESPAN),
    (
        "stock",
        SpanKind::Server,
        "@opentelemetry/instrumentation-http",
    ),
];

/// The scope of the filter's spans.
const SIDESPAN: &str = "sidespan";

#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn sidecars_and_sdks_make_one_trace() {
    let mut mesh = Mesh::start(Sidecars::WithTheFilter);
    let caller = Caller::fresh();
    mesh.request("/known", Some(&caller));
    let [cart, stock] = mesh.traces_in_the_logs("/known");
    assert_eq!([&cart, &stock], [&caller.trace_id; 2]);
    is_one_way(&mesh, &caller.trace_id, Some(&caller.span_id));

    mesh.request("/unknown", None);
    let [cart, stock] = mesh.traces_in_the_logs("/unknown");
    assert_eq!(cart, stock);
    assert_ne!(cart, caller.trace_id);
    is_one_way(&mesh, &cart, None);
}

#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn without_the_filter_it_breaks_between_the_two() {
    let mut mesh = Mesh::start(Sidecars::Plain);
    let caller = Caller::fresh();
    mesh.request("/broken", Some(&caller));
    let [cart, stock] = mesh.traces_in_the_logs("/broken");
    assert_eq!(cart, caller.trace_id);
    assert_ne!(stock, caller.trace_id);
    let spans = mesh.collector.trace(&stock, 1);
    assert_eq!(spans[0].parent_span_id, None);
}

/// Each span hangs on the one before it, the first on `parent`, and there are no others.
fn is_one_way(mesh: &Mesh, trace_id: &str, parent: Option<&str>) {
    let spans = mesh.collector.trace(trace_id, WAY.len());
    let mut parent = parent;
    assert_eq!(spans.len(), WAY.len(), "{spans:#?}");
    for wanted in WAY {
        let mut children = spans
            .iter()
            .filter(|span| span.parent_span_id.as_deref() == parent);
        let (Some(child), None) = (children.next(), children.next()) else {
            panic!("one span, {wanted:?}, below {parent:?}:\n{spans:#?}");
        };
        assert_eq!((child.service(), child.kind, &*child.scope.name), wanted);
        assert!(!child.is_error(), "{child:#?}");
        parent = Some(&child.span_id);
    }
}

/// `filter/README.md`, "Counting each request once".
#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn the_scope_counts_each_request_once_where_sdks_make_server_spans_too() {
    const REQUESTS: usize = 5;
    let readme = include_str!("../filter/README.md");
    for condition in ["instrumentation:name = ", "instrumentation_scope.name != "] {
        let condition = format!("{condition}\"{SIDESPAN}\"");
        assert!(readme.contains(&condition), "{condition}");
    }
    let mesh = Mesh::start(Sidecars::WithTheFilter);
    for _ in 0..REQUESTS {
        mesh.request("/counted", None);
    }
    let spans = mesh
        .collector
        .wait(|now| (now.spans.len() >= REQUESTS * WAY.len()).then(|| now.spans.clone()));
    assert_eq!(spans.len(), REQUESTS * WAY.len());
    for service in ["cart", "stock"] {
        let is_served =
            |span: &&StoredSpan| span.service() == service && span.kind == SpanKind::Server;
        let served = || spans.iter().map(|span| &**span).filter(is_served);
        assert_eq!(served().count(), 2 * REQUESTS, "{service}");
        let once = served().filter(|span| span.scope.name == SIDESPAN);
        assert_eq!(once.count(), REQUESTS, "{service}");
    }
}
