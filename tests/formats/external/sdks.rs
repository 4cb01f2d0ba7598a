//! Two services that OpenTelemetry's own SDKs instrument, in Python and in Node, behind sidecars on real Envoys.
//!
//! ```text
//! test ── cart's inbound ── cart ── cart's outbound ── stock's inbound ── stock ── stock's outbound ── warehouse
//!                           Python, W3C                                   Node, B3 in several headers   ours
//! ```
//!
//! Neither service reads what the other writes. Sidecars and SDKs export to one collector, each on its own.

mod mesh;

use std::sync::OnceLock;

use serde_json::json;
use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::caller::Caller;

use mesh::{Mesh, Sidecars};

/// The spans of a request's path through the mesh: service, kind, and the scope of the span.
const WAY: [(&str, SpanKind, &str); 8] = [
    ("cart", SpanKind::Server, SIDESPAN),
    ("cart", SpanKind::Server, WSGI),
    ("cart", SpanKind::Client, REQUESTS),
    ("cart", SpanKind::Client, SIDESPAN),
    ("stock", SpanKind::Server, SIDESPAN),
    ("stock", SpanKind::Server, HTTP),
    ("stock", SpanKind::Client, HTTP),
    ("stock", SpanKind::Client, SIDESPAN),
];

/// The scope of the filter's spans.
const SIDESPAN: &str = "sidespan";
const WSGI: &str = "opentelemetry.instrumentation.wsgi";
const REQUESTS: &str = "opentelemetry.instrumentation.requests";
const HTTP: &str = "@opentelemetry/instrumentation-http";

#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn sidecars_and_sdks_make_one_trace() {
    let mesh = with_the_filter();
    let caller = Caller::fresh();
    mesh.request("/known", Some(caller.traceparent()));
    let [cart, stock] = mesh.traces_in_the_logs("/known");
    assert_eq!([&cart, &stock], [&caller.trace_id; 2]);
    is_one_way(mesh, "/known", &caller.trace_id, Some(&caller.span_id));

    mesh.request("/unknown", None);
    let [cart, stock] = mesh.traces_in_the_logs("/unknown");
    assert_eq!(cart, stock);
    assert_ne!(cart, caller.trace_id);
    is_one_way(mesh, "/unknown", &cart, None);
}

#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn without_the_filter_it_breaks_between_the_two() {
    let mesh = Mesh::start(Sidecars::Plain);
    let caller = Caller::fresh();
    mesh.request("/broken", Some(caller.traceparent()));
    let [cart, stock] = mesh.traces_in_the_logs("/broken");
    assert_eq!(cart, caller.trace_id);
    assert_ne!(stock, caller.trace_id);
    let spans = mesh.collector.trace(&stock, 2);
    let served = spans.iter().find(|span| span.kind == SpanKind::Server);
    assert_eq!(served.expect("its SERVER span").parent_span_id, None);
}

/// Returns the mesh that is shared by all tests with this configuration.
fn with_the_filter() -> &'static Mesh {
    static MESH: OnceLock<Mesh> = OnceLock::new();
    MESH.get_or_init(|| Mesh::start(Sidecars::WithTheFilter))
}

/// Checks that each span is the child of the one before, the first of `parent`, that the warehouse got the last, and that
/// there are no others.
fn is_one_way(mesh: &Mesh, path: &str, trace_id: &str, parent: Option<&str>) {
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
    let told = mesh.warehouse.only(path).headers.one("traceparent");
    let last = parent.unwrap_or_default();
    assert_eq!(told, Some(format!("00-{trace_id}-{last}-01")));
}

#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn the_access_log_names_the_same_trace_and_the_sidecars_own_span() {
    let mesh = Mesh::start(Sidecars::WithAccessLogs);
    mesh.request("/logged", None);
    let [trace_id, _] = mesh.traces_in_the_logs("/logged");
    let spans = mesh.collector.trace(&trace_id, WAY.len());
    for span in spans.iter().filter(|span| span.scope.name == SIDESPAN) {
        let listener = match span.kind {
            SpanKind::Server => "inbound",
            _ => "outbound",
        };
        let line = mesh.access(span.service(), listener, "/logged");
        assert_eq!(
            line,
            json!({"path": "/logged", "trace": trace_id, "span": span.span_id})
        );
    }
}

#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn nobody_records_what_the_caller_has_not_sampled() {
    let mesh = with_the_filter();
    let (unsampled, sampled) = (Caller::fresh(), Caller::fresh());
    mesh.request("/unsampled", Some(unsampled.unsampled()));
    let logged = mesh.traces_in_the_logs("/unsampled");
    assert_eq!(logged.each_ref(), [&unsampled.trace_id; 2]);
    mesh.request("/sampled", Some(sampled.traceparent()));
    // Where no full batch waits, each of the four exports spans in the order in which they ended, so none of the others
    // comes after these.
    mesh.collector.trace(&sampled.trace_id, WAY.len());
    let spans = mesh.collector.sink().trace(&unsampled.trace_id);
    assert!(spans.is_empty(), "{spans:#?}");
}

/// Counts requests as `filter/README.md`, "Counting each request once", says.
#[test]
#[cfg_attr(
    any(no_envoy, no_packages),
    ignore = "a real Envoy, python3 with venv, node and npm are needed"
)]
fn the_scope_counts_each_request_once_where_sdks_make_server_spans_too() {
    const COUNT: usize = 5;
    let readme = include_str!("../../../filter/README.md");
    for condition in ["instrumentation:name = ", "instrumentation_scope.name != "] {
        let condition = format!("{condition}\"{SIDESPAN}\"");
        assert!(readme.contains(&condition), "{condition}");
    }
    let mesh = with_the_filter();
    let spans = (0..COUNT).flat_map(|number| {
        let path = format!("/counted-{number}");
        mesh.request(&path, None);
        let [trace_id, _] = mesh.traces_in_the_logs(&path);
        mesh.collector.trace(&trace_id, WAY.len())
    });
    let spans: Vec<StoredSpan> = spans.collect();
    assert_eq!(spans.len(), COUNT * WAY.len());
    for service in ["cart", "stock"] {
        let is_served =
            |span: &&StoredSpan| span.service() == service && span.kind == SpanKind::Server;
        let served = || spans.iter().filter(is_served);
        assert_eq!(served().count(), 2 * COUNT, "{service}");
        let once = served().filter(|span| span.scope.name == SIDESPAN);
        assert_eq!(once.count(), COUNT, "{service}");
    }
}
