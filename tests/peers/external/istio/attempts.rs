//! Retries under Istio: a span for each try, beside each way to install.

use std::collections::BTreeSet;

use serde_json::json;
use sidespan_sink::{SpanKind, StoredSpan, Value};
use sidespan_tests::caller::Caller;
use sidespan_tests::http::{Request, send};
use sidespan_tests::peers::istio::{Mesh, documents, host, resource, shipped};

use super::path::{Hop, publish, wait_until_chained};

#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn each_try_is_a_span_of_its_own() {
    let mut mesh = Mesh::start();
    let image = publish(&mut mesh);
    mesh.apply(&shipped(&["attempts", "telemetry"], &image));
    let pay = host("bank", "pay");
    let retries = resource(
        "VirtualService",
        "bank",
        "pay",
        json!({
            "hosts": [pay],
            "http": [{
                "route": [{"destination": {"host": pay}}],
                "retries": {"attempts": 3, "retryOn": "5xx"},
            }],
        }),
    );
    mesh.apply(&documents(&[retries]));
    let path = mesh.path();
    wait_until_chained(&mesh, &path, &TRIED);

    path.pay.fail(2);
    let caller = Caller::fresh();
    let request = Request::get("/pay").header("traceparent", caller.traceparent());
    assert_eq!(send(path.gateway.address(), &request).status, 200);
    let spans = mesh.collector().trace(&caller.trace_id, TRIED.len() + 4);
    let of = |service: &str, kind: SpanKind| -> Vec<&StoredSpan> {
        let mut found: Vec<_> = spans
            .iter()
            .filter(|span| span.service() == service && span.kind == kind)
            .collect();
        found.sort_by_key(|span| span.start_unix_nanos);
        found
    };
    let served = of("pay", SpanKind::Server);
    let tried = of("cart", SpanKind::Client);
    assert_eq!(served.len(), 3, "{spans:#?}");
    let parents: BTreeSet<_> = served
        .iter()
        .map(|span| span.parent_span_id.clone())
        .collect();
    assert_eq!(
        parents.len(),
        3,
        "each is the child of another try: {spans:#?}"
    );
    let counts: Vec<_> = tried
        .iter()
        .filter(|span| parents.contains(&Some(span.span_id.clone())))
        .map(|span| {
            let count = span.attribute("http.request.resend_count");
            count.and_then(Value::as_int)
        })
        .collect();
    assert_eq!(counts, [None, Some(1), Some(2)], "{spans:#?}");
}

/// The spans of a request of which nothing is tried twice: on each sidecar's outbound side one for the call, and under it one
/// for the try.
const TRIED: [Hop; 9] = [
    ("istio-system", "istio-ingressgateway", SpanKind::Server),
    ("istio-system", "istio-ingressgateway", SpanKind::Client),
    ("shop", "front", SpanKind::Server),
    ("shop", "front", SpanKind::Client),
    ("shop", "front", SpanKind::Client),
    ("shop", "cart", SpanKind::Server),
    ("shop", "cart", SpanKind::Client),
    ("shop", "cart", SpanKind::Client),
    ("bank", "pay", SpanKind::Server),
];
