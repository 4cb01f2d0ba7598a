//! The report of a run, and the verdict on the trace.
//!
//! The verdict does not rest on the waterfall: it compares what the mesh must have done with what the services and the
//! collector saw, and names each hop that differs. Invariant: the trace is whole if and only if there is no problem.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sidespan_sink::{SpanKind, StatusCode, StoredSpan, is_complete};

use super::format::{Format, Headers, Ids};
use super::sidecar::Kind;

/// One request as a service saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Name of the service.
    pub service: &'static str,
    /// Format that the service reads and forwards.
    pub format: Format,
    /// The trace context that came with the request, in all formats.
    pub received: Headers,
    /// The service's own calls.
    pub sent: Vec<Sent>,
}

/// The trace context of one call that a service made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Name of the called service.
    pub to: &'static str,
    /// Trace context of the call, in the service's own format only.
    pub headers: Headers,
}

/// The work that one service must have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// Requests that the service answers: a SERVER span each.
    pub(super) requests: usize,
    /// Calls that the service makes: a CLIENT span each.
    pub(super) calls: usize,
}

impl Expected {
    pub(super) fn spans(&self) -> usize {
        self.requests + self.calls
    }
}

/// The report of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The kind of the sidecars.
    pub kind: Kind,
    /// The configuration of the filter.
    pub plugin: Value,
    /// The trace, if exactly one arrived.
    pub trace_id: Option<String>,
    /// Requests as the services saw them, in order.
    pub hops: Vec<Hop>,
    /// All spans that the collector got.
    pub spans: Vec<Arc<StoredSpan>>,
    /// Deviations from the expected run; empty when the trace is whole.
    pub problems: Vec<String>,
}

impl Report {
    pub(super) fn new(
        kind: Kind,
        plugin: Value,
        expected: BTreeMap<&'static str, Expected>,
        failure: Option<String>,
        hops: Vec<Hop>,
        spans: &[Arc<StoredSpan>],
    ) -> Self {
        let first = spans.first().map(|span| span.trace_id.clone());
        let trace_id = first.filter(|id| spans.iter().all(|span| span.trace_id == *id));
        let mut problems: Vec<String> = failure.into_iter().collect();
        problems.extend(hop_problems(&expected, &hops, spans));
        problems.extend(span_problems(&expected, spans));
        if let Err(broken) = is_complete(spans) {
            problems.extend(broken.reasons.iter().map(ToString::to_string));
        }
        Self {
            kind,
            plugin,
            trace_id,
            hops,
            spans: spans.to_vec(),
            problems,
        }
    }

    /// Returns true if one whole trace came out, with every hop in it.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns the report for scripts.
    pub fn to_json(&self) -> Value {
        let sent = |sent: &Sent| json!({"to": sent.to, "headers": sent.headers});
        let hop = |hop: &Hop| {
            let sent: Vec<Value> = hop.sent.iter().map(sent).collect();
            json!({
                "service": hop.service,
                "format": hop.format.title(),
                "received": hop.received,
                "sent": sent,
            })
        };
        let hops: Vec<Value> = self.hops.iter().map(hop).collect();
        let spans: Vec<Value> = self.spans.iter().map(|span| span_json(span)).collect();
        json!({
            "whole": self.is_complete(),
            "trace_id": self.trace_id,
            "problems": self.problems,
            "hops": hops,
            "spans": spans,
        })
    }
}

fn span_json(span: &StoredSpan) -> Value {
    let status = match span.status.code {
        StatusCode::Unset => "UNSET",
        StatusCode::Ok => "OK",
        StatusCode::Error => "ERROR",
        StatusCode::Unknown(_) => "UNKNOWN",
    };
    let attributes: Map<String, Value> = span
        .attributes
        .iter()
        .map(|attribute| (attribute.key.clone(), value_json(&attribute.value)))
        .collect();
    json!({
        "name": span.name,
        "service": span.service(),
        "kind": span.kind.to_string(),
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "trace_state": span.trace_state,
        "flags": span.flags,
        // Text as in OTLP's JSON, because a number of JSON is not wide enough for nanoseconds since 1970.
        "start_unix_nano": span.start_unix_nanos.to_string(),
        "duration_nanos": span.duration_nanos(),
        "status": status,
        "attributes": attributes,
    })
}

fn value_json(value: &sidespan_sink::Value) -> Value {
    use sidespan_sink::Value as Kept;
    match value {
        Kept::Empty => Value::Null,
        Kept::String(text) => text.as_str().into(),
        Kept::Bool(truth) => (*truth).into(),
        Kept::Int(number) => (*number).into(),
        Kept::Double(number) => (*number).into(),
        Kept::Array(values) => values.iter().map(value_json).collect(),
        Kept::Map(attributes) => attributes
            .iter()
            .map(|attribute| (attribute.key.clone(), value_json(&attribute.value)))
            .collect(),
        Kept::Bytes(bytes) => bytes.as_slice().into(),
    }
}

fn hop_problems(
    expected: &BTreeMap<&'static str, Expected>,
    hops: &[Hop],
    spans: &[Arc<StoredSpan>],
) -> Vec<String> {
    let mut problems = Vec::new();
    for (service, expected) in expected {
        let found = hops.iter().filter(|hop| hop.service == *service).count();
        if found != expected.requests {
            let wanted = expected.requests;
            problems.push(format!(
                "{service}: expected {wanted} requests, found {found}"
            ));
        }
    }
    for hop in hops {
        let (service, format) = (hop.service, hop.format.title());
        let Some(Ids { trace_id, span_id }) = hop.format.ids(&hop.received) else {
            problems.push(format!(
                "{service}: received no context that it can read ({format})"
            ));
            continue;
        };
        // The received context must name the span that the service's own sidecar made for this request.
        let is_its = |span: &Arc<StoredSpan>| {
            span.trace_id == trace_id
                && span.span_id == span_id
                && span.service() == service
                && span.kind == SpanKind::Server
        };
        if !spans.iter().any(is_its) {
            problems.push(format!(
                "{service}: received span {span_id} of trace {trace_id} ({format}), which its sidecar did not record"
            ));
        }
    }
    problems
}

fn span_problems(
    expected: &BTreeMap<&'static str, Expected>,
    spans: &[Arc<StoredSpan>],
) -> Vec<String> {
    let mut problems = Vec::new();
    for (service, expected) in expected {
        for (kind, wanted) in [
            (SpanKind::Server, expected.requests),
            (SpanKind::Client, expected.calls),
        ] {
            let is_one = |span: &&Arc<StoredSpan>| span.service() == *service && span.kind == kind;
            let found = spans.iter().filter(is_one).count();
            if found != wanted {
                problems.push(format!(
                    "{service}: expected {wanted} {kind} spans, found {found}"
                ));
            }
        }
    }
    for span in spans {
        if !expected.contains_key(span.service()) {
            let (service, name) = (span.service(), &span.name);
            problems.push(format!(
                "{service}: no such service, but it made span {name}"
            ));
        }
        if span.is_error() {
            let (service, kind, message) = (span.service(), span.kind, &span.status.message);
            problems.push(format!("{service}: a {kind} span is an error: {message}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
