//! The encoding of one attribute as a field of any message (`opentelemetry/proto/common/v1/common.proto`): `KeyValue` with an
//! `AnyValue` of a string or of a whole number.

use alloc::vec::Vec;

use crate::codec::protobuf::{self, as_u64};

/// Writes a string attribute as a field of any message; the bytes are to be UTF-8.
pub(crate) fn attribute(out: &mut Vec<u8>, field: u64, key: &str, value: &[u8]) {
    // The length is always written, because an empty string is not the same as no value.
    let length = protobuf::varint_bytes(value.len());
    let inner = value.len().saturating_add(length).saturating_add(1);
    key_value(out, field, key, inner, |out| {
        out.push(ANY_VALUE_STRING_TAG);
        protobuf::varint(out, as_u64(value.len()));
        out.extend_from_slice(value);
    });
}

/// Writes a whole number as a field of a span.
pub(super) fn attribute_number(out: &mut Vec<u8>, key: &str, value: i64) {
    let value = value.cast_unsigned();
    let length = protobuf::varint_bytes_of(value);
    key_value(out, SPAN_ATTRIBUTES, key, length.saturating_add(1), |out| {
        out.push(ANY_VALUE_INT_TAG);
        protobuf::varint(out, value);
    });
}

/// Writes a key, and a value of known length, so that no byte has to be moved later.
#[inline]
fn key_value(
    out: &mut Vec<u8>,
    field: u64,
    key: &str,
    inner: usize,
    value: impl FnOnce(&mut Vec<u8>),
) {
    let lengths = protobuf::varint_bytes(key.len()).saturating_add(protobuf::varint_bytes(inner));
    let whole = key.len().saturating_add(inner).saturating_add(lengths);
    let whole = whole.saturating_add(2);
    // The tag and the length of the whole are a few bytes more.
    out.reserve(whole.saturating_add(8));
    protobuf::header(out, field, whole);
    protobuf::header(out, KEY_VALUE_KEY, key.len());
    out.extend_from_slice(key.as_bytes());
    protobuf::header(out, KEY_VALUE_VALUE, inner);
    value(out);
}

pub(super) const SPAN_ATTRIBUTES: u64 = 9;

const KEY_VALUE_KEY: u64 = 1;

const KEY_VALUE_VALUE: u64 = 2;

/// The tag of field 9, which has a length.
pub(super) const SPAN_ATTRIBUTES_TAG: u8 = 0x4a;

/// The tag of field 1, which has a length.
pub(super) const KEY_VALUE_KEY_TAG: u8 = 0x0a;

/// The tag of field 2, which has a length.
pub(super) const KEY_VALUE_VALUE_TAG: u8 = 0x12;

/// The tag of field 1, which has a length.
pub(super) const ANY_VALUE_STRING_TAG: u8 = 0x0a;

/// The tag of field 3, a number.
pub(super) const ANY_VALUE_INT_TAG: u8 = 0x18;
