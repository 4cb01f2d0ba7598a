//! Whole traces, about which nothing is said.

use serde_json::json;
use sidespan::demo::{Kind, run_mesh};
use sidespan_sink::StoredSpan;
use sidespan_sink::verify::{by_trace, verify};
use sidespan_tests::collector;
use sidespan_tests::http::{Request, send};
use sidespan_tests::ports::free_address;

use super::mesh::{B3, Mesh, Pod, found};

const NOTHING: [&str; 0] = [];

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn services_of_several_formats_make_whole_traces() {
    let mut mesh = Mesh::new();
    let stock = mesh.pod(Pod::new("stock"));
    let bare = mesh.pod(
        Pod::new("bare")
            .forwards(&["traceparent"])
            .calls("stock", stock),
    );
    let legacy = Pod::new("legacy")
        .forwards(B3)
        .calls("bare", bare)
        .calls("stock", stock);
    let legacy = mesh.pod(legacy);
    let gateway = mesh.gateway(legacy, |listener| listener);
    let front = mesh.pod(
        Pod::new("front")
            .calls("legacy", gateway)
            .calls("bare", bare),
    );
    let requests = 5;
    for _ in 0..requests {
        mesh.request(front);
    }
    // 6 calls with a span on either side, and the request.
    let verdicts = mesh.verdicts(requests * 13);
    assert_eq!(verdicts.len(), requests);
    assert_eq!(found(&verdicts), NOTHING, "{verdicts:#?}");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_path_that_was_kept_is_whole() {
    let mut mesh = Mesh::new();
    let keep = json!({"sampling": {"percentage": 0, "keep": {"spansPerSecond": 1000}}});
    let pay = mesh.pod(Pod::new("pay").configured(&keep).answers(503));
    let cart = mesh.pod(Pod::new("cart").configured(&keep));
    // front answers 200 although pay failed, and cart was never kept.
    let front = Pod::new("front")
        .configured(&keep)
        .calls("cart", cart)
        .calls("pay", pay);
    let front = mesh.pod(front);
    mesh.request(front);
    let spans = mesh.spans(3);
    assert!(
        spans
            .iter()
            .all(|span| span.attribute("sidespan.kept").is_some())
    );
    let verdicts = mesh.verdicts(3);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(found(&verdicts), NOTHING, "{verdicts:#?}");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn retries_and_failures_are_whole() {
    let mut mesh = Mesh::new();
    let pay = mesh.pod(Pod::new("pay").answers(503));
    let front = Pod::new("front").calls("pay", pay);
    let front = front
        .route(|route| route.with("retry_policy", json!({"retry_on": "5xx", "num_retries": 2})));
    let front = mesh.pod(front);
    mesh.request(front);
    // front's two spans, and one of pay a try.
    let verdicts = mesh.verdicts(5);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(found(&verdicts), NOTHING, "{verdicts:#?}");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_call_that_nobody_takes_is_whole_beside_other_traces() {
    let mut mesh = Mesh::new();
    let pay = mesh.pod(Pod::new("pay"));
    let nobody = free_address();
    let front = mesh.pod(Pod::new("front").calls("pay", nobody));
    mesh.request(front);
    mesh.request(pay);
    let verdicts = mesh.verdicts(3);
    assert_eq!(found(&verdicts), NOTHING, "{verdicts:#?}");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn grpc_is_whole() {
    let mut mesh = Mesh::new();
    let pay = mesh.pod(Pod::new("pay"));
    let handed_on = &["traceparent", "tracestate", "content-type"];
    let front = mesh.pod(Pod::new("front").forwards(handed_on).calls("pay", pay));
    let call = Request::new("POST", "/shop.Front/Buy")
        .header("content-type", "application/grpc")
        .header("content-length", "0");
    send(front, &call);
    let verdicts = mesh.verdicts(3);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(found(&verdicts), NOTHING, "{verdicts:#?}");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_mesh_of_the_demo_is_whole() {
    for kind in [Kind::BuiltIn, Kind::Envoy] {
        let report = collector::runtime().block_on(run_mesh(kind));
        let report = report.unwrap_or_else(|error| panic!("{error:#}"));
        let spans: Vec<StoredSpan> = report.spans.iter().map(|span| (**span).clone()).collect();
        assert!(spans.len() > 10, "{kind:?}: {}", spans.len());
        let verdicts = verify(&by_trace(spans));
        assert_eq!(verdicts.len(), 1);
        assert_eq!(found(&verdicts), NOTHING, "{kind:?}: {verdicts:#?}");
    }
}
