//! What a Jaeger behind the gateways says of the traces that it has, by its API.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::peers::Jaeger;

use super::shop::{FAIL, GATEWAY, SLOW};

/// The attribute by which each gateway's spans are known, for this test alone.
pub(super) const WITNESS: &str = "test.gateway";

/// A trace as Jaeger has it.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) spans: BTreeSet<String>,
    /// The gateways that its spans came through.
    pub(super) gateways: BTreeSet<String>,
    /// The paths of its requests.
    paths: BTreeSet<String>,
    pub(super) roots: usize,
    /// The edges by the rule of the service graph's connector: a CLIENT span, and the SERVER span of another service whose parent it is.
    pub(super) edges: BTreeMap<(String, String), u64>,
}

impl Trace {
    /// Tells whether its request was to fail.
    pub(super) fn fails(&self) -> bool {
        self.paths.contains(FAIL)
    }

    /// Tells whether its request was to be slow.
    pub(super) fn is_slow(&self) -> bool {
        self.paths.contains(SLOW)
    }
}

/// Waits until Jaeger has this many spans, and returns its traces by their ids.
///
/// # Panics
/// With the number of spans that it has, when there are never as many, or with the span that it has twice.
pub(super) fn traces(jaeger: &Jaeger, spans: u64) -> BTreeMap<String, Trace> {
    let mut seen = 0;
    let found = wait_for(LIMIT, || {
        let path = format!("/api/traces?service={GATEWAY}&limit=100000&{ALWAYS}&raw=true");
        let (_, answer) = jaeger.get(&path);
        let all = answer["data"].as_array().into_iter().flatten();
        let all: BTreeMap<_, _> = all.map(|it| (text(&it["traceID"]), trace(it))).collect();
        seen = all.values().map(|it| it.spans.len() as u64).sum();
        (seen == spans).then_some(all)
    });
    found.unwrap_or_else(|| panic!("{seen} of {spans} spans"))
}

/// Returns the edges of all traces.
pub(super) fn edges(traces: &BTreeMap<String, Trace>) -> BTreeMap<(String, String), u64> {
    let mut sum = BTreeMap::new();
    for (edge, count) in traces.values().flat_map(|it| &it.edges) {
        *sum.entry(edge.clone()).or_default() += count;
    }
    sum
}

/// Returns the edges between services as Jaeger itself says them.
pub(super) fn dependencies(jaeger: &Jaeger) -> BTreeMap<(String, String), u64> {
    let (_, answer) = jaeger.get("/api/dependencies?endTs=9000000000000&lookback=9000000000000");
    let all = answer["data"].as_array().into_iter().flatten();
    let all = all.map(|it| {
        let count = it["callCount"].as_u64().expect("a number");
        ((text(&it["parent"]), text(&it["child"])), count)
    });
    // It also counts the two spans of one proxy as a call.
    all.filter(|((parent, child), _)| parent != child).collect()
}

fn trace(whole: &Value) -> Trace {
    let mut trace = Trace::default();
    let mut callers: BTreeMap<String, String> = BTreeMap::new();
    let mut served = Vec::new();
    for span in whole["spans"].as_array().expect("spans") {
        let id = text(&span["spanID"]);
        let process = &whole["processes"][text(&span["processID"])];
        let service = text(&process["serviceName"]);
        let parent = span["references"][0]["spanID"].as_str();
        trace.gateways.extend(tag(&process["tags"], WITNESS));
        trace.paths.extend(tag(&span["tags"], "url.path"));
        trace.roots += usize::from(parent.is_none());
        match tag(&span["tags"], "span.kind").as_deref() {
            Some("client") => drop(callers.insert(id.clone(), service)),
            _ => served.extend(parent.map(|parent| (parent.to_owned(), service))),
        }
        assert!(trace.spans.insert(id), "twice: {span}");
    }
    for (parent, service) in served {
        if let Some(caller) = callers.get(&parent).filter(|caller| **caller != service) {
            let edge = (caller.clone(), service);
            *trace.edges.entry(edge).or_default() += 1;
        }
    }
    trace
}

fn tag(tags: &Value, key: &str) -> Option<String> {
    let mut tags = tags.as_array().into_iter().flatten();
    let tag = tags.find(|it| it["key"] == key)?;
    tag["value"].as_str().map(str::to_owned)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

const ALWAYS: &str = "start=1&end=9000000000000000";
