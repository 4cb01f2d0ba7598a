//! What is told of each span that is new, for whoever counts spans.
//!
//! A copy of a stored span is not told again, because a sender that repeats itself must not count twice.

use hyper::body::Bytes;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

use super::batch::{Cut, Group, SpanBatch};
use super::wire::{Content, Message, next_field};

/// A span that a request has added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewSpan<'a> {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    pub(crate) service: &'a str,
    pub(crate) name: &'a str,
    /// OTLP's number of the kind.
    pub(crate) kind: i32,
    /// OTLP's number of the status code.
    pub(crate) status: i32,
    pub(crate) duration_nanos: u64,
    /// The W3C `tracestate`.
    pub(crate) trace_state: &'a str,
    /// The attribute `http.route`.
    pub(crate) route: Option<String>,
    /// True if the span has the attribute `sidespan.kept`.
    pub(crate) is_kept: bool,
}

/// Whoever is told, on the store's thread and right after the commit.
pub(crate) type Observer = Box<dyn for<'a> FnMut(&mut dyn Iterator<Item = NewSpan<'a>>) + Send>;

/// Tells an observer of the spans in these places of a batch: group and span.
pub(super) fn tell(observer: &mut Observer, batch: &SpanBatch, new: &[(usize, usize)]) {
    if new.is_empty() {
        return;
    }
    let mut spans = new.iter().filter_map(|(group, span)| {
        let group = batch.groups.get(*group)?;
        Some(of(batch, group, group.spans.get(*span)?))
    });
    observer(&mut spans);
}

fn of<'a>(batch: &'a SpanBatch, group: &'a Group, cut: &Cut) -> NewSpan<'a> {
    let mut span = NewSpan {
        trace_id: cut.trace_id,
        span_id: cut.span_id,
        service: &group.service,
        name: batch.text(&cut.name),
        kind: cut.kind,
        status: cut.status,
        duration_nanos: cut.end.saturating_sub(cut.start),
        trace_state: "",
        route: None,
        is_kept: false,
    };
    let mut rest = batch.bytes(&cut.body);
    while !rest.is_empty() {
        // The bytes were checked when they were cut up.
        let Ok(field) = next_field(Message::Span, &mut rest) else {
            break;
        };
        match (field.number, field.content) {
            (3, Content::Bytes(state)) => {
                span.trace_state = std::str::from_utf8(state).unwrap_or_default()
            }
            (9, Content::Bytes(pair)) => attribute(pair, &mut span),
            _ => {}
        }
    }
    span
}

fn attribute(pair: &[u8], span: &mut NewSpan<'_>) {
    // Every encoder known writes the key first; whoever does not is read in full.
    let is_reordered = pair.first() != Some(&KEY);
    if !is_reordered && !pair.starts_with(ROUTE) && !pair.starts_with(KEPT) {
        return;
    }
    let Ok(pair) = KeyValue::decode(Bytes::copy_from_slice(pair)) else {
        return;
    };
    match (pair.key.as_str(), pair.value.and_then(|value| value.value)) {
        ("http.route", Some(Value::StringValue(route))) if span.route.is_none() => {
            span.route = Some(route)
        }
        ("sidespan.kept", _) => span.is_kept = true,
        _ => {}
    }
}

const KEY: u8 = 0x0A;
const ROUTE: &[u8] = b"\x0A\x0Ahttp.route";
const KEPT: &[u8] = b"\x0A\x0Dsidespan.kept";
