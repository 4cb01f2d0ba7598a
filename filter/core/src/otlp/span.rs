//! The encoding of one span, by the field numbers of `opentelemetry/proto/trace/v1/trace.proto`.

use alloc::vec::Vec;

use crate::codec::protobuf;
use crate::span::attributes::attribute;
use crate::span::{Span, Status};
use crate::time::Nanos;

/// Adds one span as a field of `ScopeSpans`.
#[inline]
pub fn write_span(out: &mut Vec<u8>, span: &Span) {
    let attributes = span.attributes.as_encoded().len();
    out.reserve(attributes.saturating_add(TYPICAL_SPAN_BYTES));
    protobuf::message(out, SCOPE_SPANS_SPANS, 2, |out| write_fields(out, span));
}

/// Returns one span, encoded.
#[inline]
pub fn encode(span: &Span) -> Vec<u8> {
    let attributes = span.attributes.as_encoded().len();
    let mut out = Vec::with_capacity(attributes.saturating_add(TYPICAL_SPAN_BYTES));
    write_fields(&mut out, span);
    out
}

#[inline]
fn write_fields(out: &mut Vec<u8>, span: &Span) {
    protobuf::bytes(out, SPAN_TRACE_ID, &span.trace_id.to_bytes());
    protobuf::bytes(out, SPAN_SPAN_ID, &span.span_id.to_bytes());
    protobuf::bytes(out, SPAN_TRACE_STATE, &span.trace_state);
    if let Some(parent) = span.parent_span_id {
        protobuf::bytes(out, SPAN_PARENT_SPAN_ID, &parent.to_bytes());
    }
    protobuf::bytes(out, SPAN_NAME, span.name.as_bytes());
    protobuf::number(out, SPAN_KIND, span.kind as u64);
    let Nanos(start) = span.start;
    let Nanos(end) = span.end.max(span.start);
    protobuf::fixed64(out, SPAN_START_TIME, start);
    protobuf::fixed64(out, SPAN_END_TIME, end);
    out.extend_from_slice(span.attributes.as_encoded());
    protobuf::number(
        out,
        SPAN_DROPPED_ATTRIBUTES_COUNT,
        u64::from(span.attributes.dropped()),
    );
    if let Some(link) = span.link {
        protobuf::message(out, SPAN_LINKS, 1, |out| {
            protobuf::bytes(out, LINK_TRACE_ID, &link.trace_id.to_bytes());
            protobuf::bytes(out, LINK_SPAN_ID, &link.span_id.to_bytes());
            attribute(
                out,
                LINK_ATTRIBUTES,
                "link.reason",
                link.reason.name().as_bytes(),
            );
            // Remote, because the linked context was received with the request.
            protobuf::fixed32(out, LINK_FLAGS, REMOTE);
        });
    }
    match span.status {
        Status::Unset => {}
        Status::Error => protobuf::message(out, SPAN_STATUS, 1, |out| {
            protobuf::number(out, STATUS_CODE, STATUS_CODE_ERROR);
        }),
    }
    protobuf::fixed32(out, SPAN_FLAGS, span.flags);
}

const SCOPE_SPANS_SPANS: u64 = 2;

const SPAN_TRACE_ID: u64 = 1;

const SPAN_SPAN_ID: u64 = 2;

const SPAN_TRACE_STATE: u64 = 3;

const SPAN_PARENT_SPAN_ID: u64 = 4;

const SPAN_NAME: u64 = 5;

const SPAN_KIND: u64 = 6;

const SPAN_START_TIME: u64 = 7;

const SPAN_END_TIME: u64 = 8;

const SPAN_DROPPED_ATTRIBUTES_COUNT: u64 = 10;

const SPAN_LINKS: u64 = 13;

const SPAN_STATUS: u64 = 15;

const SPAN_FLAGS: u64 = 16;

const LINK_TRACE_ID: u64 = 1;

const LINK_SPAN_ID: u64 = 2;

const LINK_ATTRIBUTES: u64 = 4;

const LINK_FLAGS: u64 = 6;

const REMOTE: u32 = 0x300;

const STATUS_CODE: u64 = 3;

const STATUS_CODE_ERROR: u64 = 2;

/// The typical size of a span without its attributes and `tracestate`.
const TYPICAL_SPAN_BYTES: usize = 96;
