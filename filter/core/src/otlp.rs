//! Spans as bytes of OTLP 1.x, and what a receiver answers.
//!
//! ```text
//! ExportTraceServiceRequest
//!   resource_spans
//!     resource (attributes), schema_url
//!     scope_spans
//!       scope (name, version), schema_url
//!       spans ...
//! ```
//!
//! A worker has one resource and one scope, so their bytes are made once. A span is encoded when it ends, behind the one
//! before it, and what stands around the spans of a request is put there when it leaves. The field numbers are those of
//! `opentelemetry/proto/trace/v1/trace.proto`.

mod request;

use alloc::vec::Vec;

use crate::codec::protobuf::as_u64;
pub use request::Envelope;

use crate::config::{Compression, Conventions};
use crate::span::{Span, Status};
use crate::time::Nanos;

/// The semantic conventions that names and values follow.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// The schema of spans by these conventions. Old names are of two versions, and both at once of three: there is no schema
/// that a reader could go on from.
pub fn schema_url(conventions: Conventions) -> &'static str {
    match conventions {
        Conventions::Stable => SCHEMA_URL,
        Conventions::Old | Conventions::Both => "",
    }
}

/// Adds one span as a field of `ScopeSpans`.
#[inline]
pub fn write_span(out: &mut Vec<u8>, span: &Span) {
    let attributes = span.attributes.as_encoded().len();
    out.reserve(attributes.saturating_add(TYPICAL_SPAN_BYTES));
    crate::codec::protobuf::message(out, SCOPE_SPANS_SPANS, 2, |out| write_fields(out, span));
}

/// One span, encoded.
#[inline]
pub fn encode(span: &Span) -> Vec<u8> {
    let attributes = span.attributes.as_encoded().len();
    let mut out = Vec::with_capacity(attributes.saturating_add(TYPICAL_SPAN_BYTES));
    write_fields(&mut out, span);
    out
}

#[inline]
fn write_fields(out: &mut Vec<u8>, span: &Span) {
    crate::codec::protobuf::bytes(out, SPAN_TRACE_ID, &span.trace_id.to_bytes());
    crate::codec::protobuf::bytes(out, SPAN_SPAN_ID, &span.span_id.to_bytes());
    crate::codec::protobuf::bytes(out, SPAN_TRACE_STATE, &span.trace_state);
    if let Some(parent) = span.parent_span_id {
        crate::codec::protobuf::bytes(out, SPAN_PARENT_SPAN_ID, &parent.to_bytes());
    }
    crate::codec::protobuf::bytes(out, SPAN_NAME, span.name.as_bytes());
    crate::codec::protobuf::number(out, SPAN_KIND, span.kind as u64);
    let Nanos(start) = span.start;
    let Nanos(end) = span.end.max(span.start);
    crate::codec::protobuf::fixed64(out, SPAN_START_TIME, start);
    crate::codec::protobuf::fixed64(out, SPAN_END_TIME, end);
    out.extend_from_slice(span.attributes.as_encoded());
    crate::codec::protobuf::number(
        out,
        SPAN_DROPPED_ATTRIBUTES_COUNT,
        u64::from(span.attributes.dropped()),
    );
    if let Some(link) = span.link {
        crate::codec::protobuf::message(out, SPAN_LINKS, 1, |out| {
            crate::codec::protobuf::bytes(out, LINK_TRACE_ID, &link.trace_id.to_bytes());
            crate::codec::protobuf::bytes(out, LINK_SPAN_ID, &link.span_id.to_bytes());
            attribute(
                out,
                LINK_ATTRIBUTES,
                "link.reason",
                link.reason.name().as_bytes(),
            );
            // The other context came with the request, so it is remote.
            crate::codec::protobuf::fixed32(out, LINK_FLAGS, REMOTE);
        });
    }
    match span.status {
        Status::Unset => {}
        Status::Error => crate::codec::protobuf::message(out, SPAN_STATUS, 1, |out| {
            crate::codec::protobuf::number(out, STATUS_CODE, STATUS_CODE_ERROR);
        }),
    }
    crate::codec::protobuf::fixed32(out, SPAN_FLAGS, span.flags);
}

/// A string attribute as a field of a span; the bytes are to be UTF-8.
#[inline]
pub(crate) fn attribute_text(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    attribute(out, SPAN_ATTRIBUTES, key, value);
}

#[inline]
fn attribute(out: &mut Vec<u8>, field: u64, key: &str, value: &[u8]) {
    let (name, text) = (key.len(), value.len());
    let whole = name
        .saturating_add(text)
        .saturating_add(SHORT_OVERHEAD_BYTES);
    if whole < 0x80 {
        // Every length is one byte, as with nearly all attributes: tags and lengths are written four at a time.
        let [tag, whole, name, inner, text] = [
            (field << 3) | 2,
            as_u64(whole),
            as_u64(name),
            as_u64(text.saturating_add(2)),
            as_u64(text),
        ]
        .map(low_byte);
        out.extend_from_slice(&[tag, whole, KEY_VALUE_KEY_TAG, name]);
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(&[KEY_VALUE_VALUE_TAG, inner, ANY_VALUE_STRING_TAG, text]);
        out.extend_from_slice(value);
        return;
    }
    // A value that is set to the empty string is not the same as no value, so its length is written in any case.
    let length = crate::codec::protobuf::varint_bytes(value.len());
    let inner = value.len().saturating_add(length).saturating_add(1);
    key_value(out, field, key, inner, |out| {
        out.push(ANY_VALUE_STRING_TAG);
        crate::codec::protobuf::varint(out, as_u64(value.len()));
        out.extend_from_slice(value);
    });
}

#[inline]
fn low_byte(number: u64) -> u8 {
    let [byte, ..] = number.to_le_bytes();
    byte
}

/// A whole number as a field of a span.
#[inline]
pub(crate) fn attribute_number(out: &mut Vec<u8>, key: &str, value: i64) {
    let value = value.cast_unsigned();
    let length = crate::codec::protobuf::varint_bytes_of(value);
    key_value(out, SPAN_ATTRIBUTES, key, length.saturating_add(1), |out| {
        out.push(ANY_VALUE_INT_TAG);
        crate::codec::protobuf::varint(out, value);
    });
}

/// A key, and a value of which the length is known: nothing has to be moved once it is written.
#[inline]
fn key_value(
    out: &mut Vec<u8>,
    field: u64,
    key: &str,
    inner: usize,
    value: impl FnOnce(&mut Vec<u8>),
) {
    let lengths = crate::codec::protobuf::varint_bytes(key.len())
        .saturating_add(crate::codec::protobuf::varint_bytes(inner));
    let whole = key.len().saturating_add(inner).saturating_add(lengths);
    let whole = whole.saturating_add(2);
    // The tag and the length of the whole are a few bytes more.
    out.reserve(whole.saturating_add(8));
    crate::codec::protobuf::header(out, field, whole);
    crate::codec::protobuf::header(out, KEY_VALUE_KEY, key.len());
    out.extend_from_slice(key.as_bytes());
    crate::codec::protobuf::header(out, KEY_VALUE_VALUE, inner);
    value(out);
}

/// The five bytes that gRPC puts in front of a message: whether it is compressed, and how long.
#[inline]
pub fn grpc_prefix(message_bytes: usize, compression: Compression) -> [u8; GRPC_PREFIX_BYTES] {
    let length = u32::try_from(message_bytes).unwrap_or(u32::MAX);
    let [a, b, c, d] = length.to_be_bytes();
    let is_compressed = match compression {
        Compression::None => 0,
        Compression::Gzip => 1,
    };
    [is_compressed, a, b, c, d]
}

/// The message in a gRPC body, if it is whole and not compressed.
#[inline]
pub fn grpc_message(body: &[u8]) -> Option<&[u8]> {
    let ([compressed, length @ ..], rest) = body.split_first_chunk::<5>()?;
    if *compressed != 0 {
        return None;
    }
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.get(..length)
}

/// How many spans an `ExportTraceServiceResponse` says were rejected. What cannot be read rejects nothing: the status
/// had said that the request was accepted.
#[inline]
pub fn rejected_spans(response: &[u8]) -> u64 {
    let rejected = partial_success(response).filter_map(|field| match field {
        (PARTIAL_SUCCESS_REJECTED_SPANS, crate::codec::protobuf::Field::Number(count)) => {
            Some(count)
        }
        _ => None,
    });
    // A negative number is none.
    let rejected = rejected.last().and_then(|count| i64::try_from(count).ok());
    rejected.map_or(0, i64::unsigned_abs)
}

/// Why an `ExportTraceServiceResponse` says they were.
#[inline]
pub(crate) fn partial_success_message(response: &[u8]) -> Option<&[u8]> {
    partial_success(response).find_map(|field| match field {
        (PARTIAL_SUCCESS_ERROR_MESSAGE, crate::codec::protobuf::Field::Bytes(message)) => {
            Some(message)
        }
        _ => None,
    })
}

#[inline]
fn partial_success(
    response: &[u8],
) -> impl Iterator<Item = (u64, crate::codec::protobuf::Field<'_>)> {
    let fields =
        |mut message| core::iter::from_fn(move || crate::codec::protobuf::read(&mut message));
    fields(response).flat_map(move |field| match field {
        (RESPONSE_PARTIAL_SUCCESS, crate::codec::protobuf::Field::Bytes(partial)) => {
            fields(partial)
        }
        _ => fields(&[]),
    })
}

/// How long that is.
pub const GRPC_PREFIX_BYTES: usize = 5;

const SCOPE_SPANS_SPANS: u64 = 2;
const SPAN_TRACE_ID: u64 = 1;
const SPAN_SPAN_ID: u64 = 2;
const SPAN_TRACE_STATE: u64 = 3;
const SPAN_PARENT_SPAN_ID: u64 = 4;
const SPAN_NAME: u64 = 5;
const SPAN_KIND: u64 = 6;
const SPAN_START_TIME: u64 = 7;
const SPAN_END_TIME: u64 = 8;
const SPAN_ATTRIBUTES: u64 = 9;
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
const KEY_VALUE_KEY: u64 = 1;
const KEY_VALUE_VALUE: u64 = 2;
/// The tags of key, value and text, and the lengths of these.
const SHORT_OVERHEAD_BYTES: usize = 6;
/// Field 1, with its length in front.
const KEY_VALUE_KEY_TAG: u8 = 0x0a;
/// Field 2, the same.
const KEY_VALUE_VALUE_TAG: u8 = 0x12;
/// Field 1, the same.
const ANY_VALUE_STRING_TAG: u8 = 0x0a;
/// Field 3, a number.
const ANY_VALUE_INT_TAG: u8 = 0x18;
const RESPONSE_PARTIAL_SUCCESS: u64 = 1;
const PARTIAL_SUCCESS_REJECTED_SPANS: u64 = 1;
const PARTIAL_SUCCESS_ERROR_MESSAGE: u64 = 2;
/// All but the attributes of a span without `tracestate`.
const TYPICAL_SPAN_BYTES: usize = 96;

#[cfg(test)]
mod tests;
