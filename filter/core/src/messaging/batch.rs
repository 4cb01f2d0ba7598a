//! Ended spans of messages, and the OTLP request with them.
//!
//! The body is that of a POST to `/v1/traces` with `content-type: application/x-protobuf`. The field numbers are those of
//! `opentelemetry/proto/trace/v1/trace.proto`.

use alloc::vec::Vec;

use super::context::Context;
use super::span::MessageSpan;
use crate::codec::protobuf;
use crate::semconv::settings::SCHEMA_URL;
use crate::span::wire::attribute;
use crate::time::Nanos;

/// Ended spans that wait for their export, no more than a fixed number of them and of their bytes.
#[derive(Clone, Debug)]
pub struct SpanBatch {
    resource: Vec<u8>,
    spans: Vec<u8>,
    count: usize,
    dropped: u64,
}

impl SpanBatch {
    /// The largest number of spans that wait.
    pub const MAX_SPANS: usize = 2048;

    /// The largest number of their bytes: as much as the filter's queue has, because collectors refuse large requests, and
    /// strangers choose how much `tracestate` a message and its links have.
    pub const MAX_BYTES: usize = 8 << 20;

    /// Returns an empty batch of a service. `resource` are more attributes, `service.version` for example.
    pub fn new(service_name: &str, resource: &[(&str, &str)]) -> Self {
        let mut encoded = Vec::new();
        protobuf::message(&mut encoded, RESOURCE_SPANS_RESOURCE, 2, |out| {
            for (key, value) in [("service.name", service_name)].iter().chain(resource) {
                attribute(out, RESOURCE_ATTRIBUTES, key, value.as_bytes());
            }
        });
        Self {
            resource: encoded,
            spans: Vec::new(),
            count: 0,
            dropped: 0,
        }
    }

    /// Ends a span. One that is not sampled is not exported; one that finds the batch full is counted.
    pub fn end(&mut self, span: MessageSpan, now: Nanos) {
        if !span.context.is_sampled() {
            return;
        }
        if self.count >= Self::MAX_SPANS {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let before = self.spans.len();
        protobuf::message(&mut self.spans, SCOPE_SPANS_SPANS, 2, |out| {
            write_span(out, &span, now);
        });
        if self.spans.len() > Self::MAX_BYTES {
            self.spans.truncate(before);
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.count = self.count.saturating_add(1);
    }

    /// Returns the number of spans that wait.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns true if no span waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the number of spans that found the batch full.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes all spans as an `ExportTraceServiceRequest`; `None` where no span waits. A request that is not accepted is the
    /// caller's to send again: the spans are no longer here.
    pub fn take_request(&mut self) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        self.count = 0;
        let spans = core::mem::take(&mut self.spans);
        let mut request = Vec::new();
        protobuf::message(&mut request, REQUEST_RESOURCE_SPANS, 2, |out| {
            out.extend_from_slice(&self.resource);
            protobuf::message(out, RESOURCE_SPANS_SCOPE_SPANS, 2, |out| {
                protobuf::message(out, SCOPE_SPANS_SCOPE, 1, |out| {
                    protobuf::bytes(out, SCOPE_NAME, env!("CARGO_PKG_NAME").as_bytes());
                    protobuf::bytes(out, SCOPE_VERSION, env!("CARGO_PKG_VERSION").as_bytes());
                });
                out.extend_from_slice(&spans);
                protobuf::bytes(out, SCOPE_SPANS_SCHEMA_URL, SCHEMA_URL.as_bytes());
            });
        });
        Some(request)
    }
}

fn write_span(out: &mut Vec<u8>, span: &MessageSpan, end: Nanos) {
    let (Nanos(start), Nanos(end)) = (span.start, end.max(span.start));
    write_ids(out, &span.context);
    protobuf::bytes(out, SPAN_TRACE_STATE, &span.context.tracestate);
    if let Some(parent) = span.parent {
        protobuf::bytes(out, SPAN_PARENT_SPAN_ID, &parent.to_bytes());
    }
    protobuf::bytes(out, SPAN_NAME, span.name.as_bytes());
    protobuf::number(out, SPAN_KIND, span.kind as u64);
    protobuf::fixed64(out, SPAN_START_TIME, start);
    protobuf::fixed64(out, SPAN_END_TIME, end);
    out.extend_from_slice(span.attributes.as_encoded());
    let dropped = u64::from(span.attributes.dropped());
    protobuf::number(out, SPAN_DROPPED_ATTRIBUTES_COUNT, dropped);
    for link in &span.links {
        protobuf::message(out, SPAN_LINKS, 1, |out| {
            write_ids(out, link);
            protobuf::bytes(out, LINK_TRACE_STATE, &link.tracestate);
            protobuf::fixed32(out, LINK_FLAGS, flags(link, true));
        });
    }
    let left_out = u64::from(span.links_left_out);
    protobuf::number(out, SPAN_DROPPED_LINKS_COUNT, left_out);
    if span.is_failed {
        protobuf::message(out, SPAN_STATUS, 1, |out| {
            protobuf::number(out, STATUS_CODE, STATUS_CODE_ERROR);
        });
    }
    protobuf::fixed32(out, SPAN_FLAGS, flags(&span.context, span.is_parent_remote));
}

/// Writes both ids, whose fields have the same numbers in a span and in a link.
fn write_ids(out: &mut Vec<u8>, context: &Context) {
    protobuf::bytes(out, TRACE_ID, &context.span.trace_id.to_bytes());
    if let Some(span_id) = context.span.span_id {
        protobuf::bytes(out, SPAN_ID, &span_id.to_bytes());
    }
}

/// Returns OTLP's flags: W3C's, and whether what is referred to came from elsewhere.
fn flags(context: &Context, is_remote: bool) -> u32 {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    u32::from(context.span.trace_flags()) | HAS_IS_REMOTE | remote
}

const REQUEST_RESOURCE_SPANS: u64 = 1;
const RESOURCE_SPANS_RESOURCE: u64 = 1;
const RESOURCE_SPANS_SCOPE_SPANS: u64 = 2;
const RESOURCE_ATTRIBUTES: u64 = 1;
const SCOPE_SPANS_SCOPE: u64 = 1;
const SCOPE_SPANS_SPANS: u64 = 2;
const SCOPE_SPANS_SCHEMA_URL: u64 = 3;
const SCOPE_NAME: u64 = 1;
const SCOPE_VERSION: u64 = 2;
const TRACE_ID: u64 = 1;
const SPAN_ID: u64 = 2;
const SPAN_TRACE_STATE: u64 = 3;
const SPAN_PARENT_SPAN_ID: u64 = 4;
const SPAN_NAME: u64 = 5;
const SPAN_KIND: u64 = 6;
const SPAN_START_TIME: u64 = 7;
const SPAN_END_TIME: u64 = 8;
const SPAN_DROPPED_ATTRIBUTES_COUNT: u64 = 10;
const SPAN_LINKS: u64 = 13;
const SPAN_DROPPED_LINKS_COUNT: u64 = 14;
const SPAN_STATUS: u64 = 15;
const SPAN_FLAGS: u64 = 16;
const LINK_TRACE_STATE: u64 = 3;
const LINK_FLAGS: u64 = 6;
const STATUS_CODE: u64 = 3;
const STATUS_CODE_ERROR: u64 = 2;
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

#[cfg(test)]
mod tests;
