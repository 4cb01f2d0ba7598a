//! A mesh with the filter on its whole path, and what one request leaves.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use sidespan_envoy::wait_for;
use sidespan_sink::{Snapshot, SpanKind, StoredSpan, Value};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::runtime;
use sidespan_tests::envoy::{LIMIT, module};
use sidespan_tests::http::{Request, send};
use sidespan_tests::peers::istio::{Mesh, Path, Registry, SPANS};
use tempfile::TempDir;

/// The name of the image that is pushed.
pub(super) const IMAGE: &str = "sidespan-filter";

/// Makes the image with `sidespan package`, pushes it, and returns what a manifest says for it.
pub(super) fn publish(mesh: &mut Mesh) -> String {
    publish_module(mesh, None)
}

/// Publishes as [`publish`] does, with another module in place of the filter.
pub(super) fn publish_module(mesh: &mut Mesh, module: Option<&[u8]>) -> String {
    publish_to(mesh.registry(), module)
}

/// Publishes as [`publish_module`] does, in a registry of nobody's.
pub(crate) fn publish_to(registry: &Registry, module: Option<&[u8]>) -> String {
    let folder = TempDir::new().expect("a folder for test files");
    let layout = folder.path().join("layout");
    let mut package = Command::new(env!("CARGO_BIN_EXE_sidespan-program"));
    package
        .args(["package", "--json", "--out"])
        .arg(&layout)
        .args(["--image", &format!("{}/{IMAGE}", registry.address())]);
    if let Some(module) = module {
        let file = folder.path().join("other.wasm");
        fs::write(&file, module).expect("a test file");
        package.arg("--module").arg(file);
    }
    let output = package.output().expect("the program");
    assert!(output.status.success(), "{output:?}");
    let written: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let reference = written["reference"].as_str().expect("a reference");
    let (_, name_and_tag) = reference.split_once('/').expect("a registry");
    registry.push(&layout, name_and_tag);
    written["url"].as_str().expect("a url").to_owned()
}

/// Returns another build of the filter: the same, with a section that says so.
pub(super) fn other_build() -> Vec<u8> {
    let built = fs::read(module()).expect("the filter");
    [&built[..], b"\0\x06\x05other"].concat()
}

/// Sends requests until one leaves its whole trace: until then, some proxies have the filter and others not.
pub(super) fn wait_until_whole(mesh: &Mesh, path: &Path) {
    wait_until_chained(mesh, path, &PATH);
}

/// Sends requests until one leaves the spans of these proxies, as [`assert_chain`] wants them.
pub(super) fn wait_until_chained(mesh: &Mesh, path: &Path, proxies: &[Hop]) {
    let mut last = Vec::new();
    let chained = wait_for(LIMIT, || {
        let caller = Caller::fresh();
        let request = Request::get("/whole").header("traceparent", caller.traceparent());
        assert_eq!(send(path.gateway.address(), &request).status, 200);
        let sink = mesh.collector().sink();
        let look = |now: &Snapshot| is_chain(&now.trace(&caller.trace_id), &caller, proxies);
        let look = |now: &Snapshot| look(now).then_some(());
        let found = runtime().block_on(sink.wait_for(SHORT, look)).ok();
        last = sink.trace(&caller.trace_id);
        found
    });
    assert!(chained.is_some(), "no request left {proxies:?}: {last:#?}");
}

/// Checks that the spans are those of these proxies: each the child of the one before it, the first a child of the caller's
/// span.
pub(crate) fn assert_chain(spans: &[StoredSpan], caller: &Caller, proxies: &[Hop]) {
    let is_so = is_chain(spans, caller, proxies);
    assert!(is_so, "{:?}\n{spans:#?}", chain(spans, caller));
}

/// Returns true if the spans are what [`assert_chain`] wants.
pub(crate) fn is_chain(spans: &[StoredSpan], caller: &Caller, proxies: &[Hop]) -> bool {
    spans.len() == proxies.len() && chain(spans, caller) == proxies
}

/// Returns the spans from the caller's on, as far as each has one child.
fn chain<'a>(spans: &'a [StoredSpan], caller: &'a Caller) -> Vec<(&'a str, &'a str, SpanKind)> {
    let mut by_parent: BTreeMap<Option<&str>, Vec<&StoredSpan>> = BTreeMap::new();
    for span in spans {
        let children = by_parent.entry(span.parent_span_id.as_deref()).or_default();
        children.push(span);
    }
    let mut parent = caller.span_id.as_str();
    let mut seen = Vec::new();
    while let Some([span]) = by_parent.get(&Some(parent)).map(Vec::as_slice) {
        let namespace = span.resource.attribute("service.namespace");
        let namespace = namespace.and_then(Value::as_str).unwrap_or_default();
        seen.push((namespace, span.service(), span.kind));
        parent = &span.span_id;
    }
    seen
}

/// A span's namespace and service, and its kind.
pub(crate) type Hop = (&'static str, &'static str, SpanKind);

/// The spans of a request along the whole path.
pub(crate) const PATH: [Hop; SPANS] = [
    ("istio-system", "istio-ingressgateway", SpanKind::Server),
    ("istio-system", "istio-ingressgateway", SpanKind::Client),
    ("shop", "front", SpanKind::Server),
    ("shop", "front", SpanKind::Client),
    ("shop", "cart", SpanKind::Server),
    ("shop", "cart", SpanKind::Client),
    ("bank", "pay", SpanKind::Server),
];
/// The time that the spans of one request need: the delay of a batch, a second, and as much again for a busy machine.
const SHORT: Duration = Duration::from_secs(3);
