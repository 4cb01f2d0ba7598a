//! Maps of traces that are built by hand, span by span.

mod forged;
mod hops;
mod many;
mod meshes;
mod numbers;
mod places;
mod queues;
mod tries;

use std::sync::Arc;

use serde_json::Value as Json;

use super::draw;
use crate::store::SpanKind::{self, Client, Consumer, Internal, Producer, Server};
use crate::store::{Attribute, Outline, Outlines, Resource, Scope};

/// A span with its resource.
#[derive(Clone)]
struct Sent {
    outline: Outline,
    resource: Vec<(&'static str, String)>,
}

/// Returns a span; a parent of 0 is none. It starts at its id and takes 10 ns.
fn span(id: u64, parent: u64, kind: SpanKind, service: &str) -> Sent {
    Sent {
        outline: Outline {
            span_id: id,
            parent: Some(parent).filter(|parent| *parent != 0),
            kind,
            start: id,
            end: id + 10,
            is_error: false,
            trace_state: String::new(),
            origin: 0,
            attributes: Vec::new(),
        },
        resource: vec![("service.name", service.to_owned())],
    }
}

/// Returns a span of a sidecar.
fn proxy(id: u64, parent: u64, kind: SpanKind, service: &str) -> Sent {
    let mut sent = span(id, parent, kind, service);
    sent.resource
        .push(("telemetry.sdk.name", "sidespan".into()));
    sent
}

impl Sent {
    fn takes(mut self, start: u64, nanos: u64) -> Self {
        (self.outline.start, self.outline.end) = (start, start + nanos);
        self
    }

    fn fails(mut self) -> Self {
        self.outline.is_error = true;
        self
    }

    fn with(mut self, key: &'static str, value: &str) -> Self {
        self.outline.attributes.push((key, value.to_owned()));
        self
    }

    fn resent(self, times: u64) -> Self {
        self.with("http.request.resend_count", &times.to_string())
    }

    fn pod(mut self, name: &str) -> Self {
        self.resource.push(("k8s.pod.name", name.to_owned()));
        self
    }
}

fn outlines(traces: impl IntoIterator<Item = Vec<Sent>>) -> Outlines {
    let mut outlines = Outlines::default();
    for trace in traces {
        let mut spans = Vec::new();
        for sent in trace {
            let pairs = sent.resource.into_iter();
            let attributes = pairs.map(|(key, value)| Attribute {
                key: key.to_owned(),
                value: value.as_str().into(),
            });
            let resource = Resource {
                attributes: attributes.collect(),
                ..Resource::default()
            };
            let origin = outlines.origins.len();
            let scope = Arc::new(Scope::default());
            outlines.origins.push((Arc::new(resource), scope));
            spans.push(Outline {
                origin,
                ..sent.outline
            });
        }
        outlines.traces.push(spans);
    }
    outlines
}

fn map(traces: impl IntoIterator<Item = Vec<Sent>>) -> Json {
    serde_json::from_str(&draw(&outlines(traces), (None, None))).unwrap()
}

/// Returns the edges as `from > to`, with `×requests` where it is not one, `!errors`, and `tries` where they are more.
fn edges(map: &Json) -> Vec<String> {
    let edges = map["edges"].as_array().unwrap().iter();
    let text = |edge: &Json| {
        let (requests, errors) = (&edge["requests"], &edge["errors"]);
        let mut text = format!("{} > {}", word(&edge["from"]), word(&edge["to"]));
        if *requests != 1 {
            text += &format!(" ×{requests}");
        }
        if *errors != 0 {
            text += &format!(" !{errors}");
        }
        if edge["tries"] != *requests {
            text += &format!(" tries {}", edge["tries"]);
        }
        text
    };
    edges.map(text).collect()
}

/// Returns the nodes as `service ×requests`, with `!errors`, and the kind of those without spans.
fn nodes(map: &Json) -> Vec<String> {
    let nodes = map["nodes"].as_array().unwrap().iter();
    let text = |node: &Json| {
        let mut text = format!("{} ×{}", word(&node["service"]), node["requests"]);
        if node["errors"] != 0 {
            text += &format!(" !{}", node["errors"]);
        }
        if node["virtual"] == true {
            text += &format!(" {}", word(&node["kind"]));
        }
        text
    };
    nodes.map(text).collect()
}

fn word(json: &Json) -> &str {
    json.as_str().unwrap()
}
