//! The encoding of one span, by the field numbers of `opentelemetry/proto/trace/v1/trace.proto`.

use alloc::vec::Vec;

use crate::codec::protobuf;
use crate::ids::SpanId;
use crate::span::wire::attribute;
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

/// Returns true if the trace of an encoded span was sampled; a span that was kept late is of one that was not.
#[inline]
pub fn is_sampled(encoded: &[u8]) -> bool {
    // The flags are the last field that is written, and its value the last four bytes.
    let flags = encoded.last_chunk().copied().map_or(0, u32::from_le_bytes);
    flags & SAMPLED != 0
}

#[inline]
fn write_fields(out: &mut Vec<u8>, span: &Span) {
    out.extend_from_slice(&ids(span));
    protobuf::bytes(out, SPAN_TRACE_STATE, &span.trace_state);
    if let Some(parent) = span.parent_span_id {
        out.extend_from_slice(&id_field(SPAN_PARENT_SPAN_ID, parent));
    }
    protobuf::bytes(out, SPAN_NAME, span.name.as_bytes());
    out.extend_from_slice(&kind_and_times(span));
    out.extend_from_slice(span.attributes.as_encoded());
    protobuf::number(
        out,
        SPAN_DROPPED_ATTRIBUTES_COUNT,
        u64::from(span.attributes.dropped()),
    );
    if let Some(link) = &span.link {
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
    let [a, b, c, d] = span.flags.to_le_bytes();
    let [first, second] = SPAN_FLAGS_TAG;
    out.extend_from_slice(&[first, second, a, b, c, d]);
}

/// Returns the fields of both ids, in one piece because every growing write looks for room anew.
#[inline]
fn ids(span: &Span) -> [u8; 28] {
    let mut fields = [0; 28];
    if let Some((trace, own)) = fields.split_first_chunk_mut::<18>()
        && let [tag, length, id @ ..] = trace
    {
        (*tag, *length) = (bytes_tag(SPAN_TRACE_ID), 16);
        id.copy_from_slice(&span.trace_id.to_bytes());
        own.copy_from_slice(&id_field(SPAN_SPAN_ID, span.span_id));
    }
    fields
}

/// Returns the field of a span id.
#[inline]
fn id_field(field: u8, id: SpanId) -> [u8; 10] {
    let [a, b, c, d, e, f, g, h] = id.to_bytes();
    [bytes_tag(field), 8, a, b, c, d, e, f, g, h]
}

/// Returns the fields of the kind and of both times, likewise.
#[inline]
fn kind_and_times(span: &Span) -> [u8; 20] {
    let Nanos(start) = span.start;
    let Nanos(end) = span.end.max(span.start);
    let mut fields = [0; 20];
    let (kind, times) = fields.split_at_mut(2);
    kind.copy_from_slice(&[SPAN_KIND_TAG, span.kind as u8]);
    let (first, last) = times.split_at_mut(9);
    for (place, tag, time) in [
        (first, SPAN_START_TIME_TAG, start),
        (last, SPAN_END_TIME_TAG, end),
    ] {
        if let [place, number @ ..] = place {
            *place = tag;
            number.copy_from_slice(&time.to_le_bytes());
        }
    }
    fields
}

/// Returns the tag of a field of bytes whose number is below 16.
#[inline]
const fn bytes_tag(field: u8) -> u8 {
    field.wrapping_shl(3) | 2
}

const SCOPE_SPANS_SPANS: u64 = 2;

const SPAN_TRACE_ID: u8 = 1;

const SPAN_SPAN_ID: u8 = 2;

const SPAN_TRACE_STATE: u64 = 3;

const SPAN_PARENT_SPAN_ID: u8 = 4;

const SPAN_NAME: u64 = 5;

/// The tag of field 6, a number.
const SPAN_KIND_TAG: u8 = 0x30;

/// The tag of field 7, a number of 64 bits.
const SPAN_START_TIME_TAG: u8 = 0x39;

/// The tag of field 8, a number of 64 bits.
const SPAN_END_TIME_TAG: u8 = 0x41;

const SPAN_DROPPED_ATTRIBUTES_COUNT: u64 = 10;

const SPAN_LINKS: u64 = 13;

const SPAN_STATUS: u64 = 15;

/// The tag of field 16, a number of 32 bits.
const SPAN_FLAGS_TAG: [u8; 2] = [0x85, 0x01];

const LINK_TRACE_ID: u64 = 1;

const LINK_SPAN_ID: u64 = 2;

const LINK_ATTRIBUTES: u64 = 4;

const LINK_FLAGS: u64 = 6;

const REMOTE: u32 = 0x300;

/// The bit of W3C's `sampled` in the flags.
const SAMPLED: u32 = 1;

const STATUS_CODE: u64 = 3;

const STATUS_CODE_ERROR: u64 = 2;

/// The typical size of a span without its attributes and `tracestate`.
const TYPICAL_SPAN_BYTES: usize = 96;
