//! The attributes of a span, encoded as OTLP when they are added, so that no attribute is written twice.

use alloc::vec::Vec;

use crate::codec::protobuf::{self, as_u64};
use alloc::string::String;

/// The attributes of a span, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    // The attributes, and behind them room that is made for several at once.
    encoded: Vec<u8>,
    // used <= encoded.len()
    used: usize,
    // count <= MAX_ATTRIBUTES
    count: u32,
    dropped: u32,
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        let parts = |of: &Self| (of.count, of.dropped);
        self.as_encoded() == other.as_encoded() && parts(self) == parts(other)
    }
}

impl Eq for Attributes {}

impl Attributes {
    /// Adds a string; bytes that are not UTF-8 become U+FFFD, because OTLP strings are UTF-8.
    #[inline]
    pub fn text(&mut self, key: &str, value: &[u8]) {
        if !self.has_room() {
            return;
        }
        let value = cut(value);
        if is_ascii(value) || core::str::from_utf8(value).is_ok() {
            self.put_text(key, value);
        } else {
            let text = String::from_utf8_lossy(value);
            self.put_text(key, cut(text.as_bytes()));
        }
    }

    /// Adds one of this program's own words, which is neither too long nor anything but UTF-8.
    #[inline]
    pub(crate) fn word(&mut self, key: &str, value: &'static str) {
        if self.has_room() {
            self.put_text(key, value.as_bytes());
        }
    }

    /// Adds a whole number.
    #[inline]
    pub fn number(&mut self, key: &str, value: i64) {
        if !self.has_room() {
            return;
        }
        // Ports and status codes have one byte or two.
        match u16::try_from(value) {
            Ok(small @ 0..=0x3fff) if is_short(key, 1) => {
                let [low, high] = [small & 0x7f, small >> 7].map(|bits| low_byte(bits.into()));
                match high {
                    0 => self.put_short(key, [ANY_VALUE_INT_TAG, low], &[]),
                    _ => self.put_short(key, [ANY_VALUE_INT_TAG, low | 0x80], &[high]),
                }
            }
            _ => self.put(|out| attribute_number(out, key, value)),
        }
    }

    /// Returns a copy with room for the attributes of a typical span, because growing step by step costs a move each.
    #[inline]
    pub(crate) fn with_room(&self) -> Self {
        let mut encoded = alloc::vec![0; self.used.saturating_add(TYPICAL_BYTES)];
        if let Some(place) = encoded.get_mut(..self.used) {
            place.copy_from_slice(self.as_encoded());
        }
        Self { encoded, ..*self }
    }

    /// Returns the attributes as fields of an OTLP span.
    #[inline]
    pub fn as_encoded(&self) -> &[u8] {
        self.encoded.get(..self.used).unwrap_or_default()
    }

    #[inline]
    fn put_text(&mut self, key: &str, value: &[u8]) {
        if is_short(key, value.len()) {
            let length = low_byte(as_u64(value.len()));
            self.put_short(key, [ANY_VALUE_STRING_TAG, length], value);
        } else {
            self.put(|out| attribute(out, SPAN_ATTRIBUTES, key, value));
        }
    }

    /// Adds what `write` appends.
    #[inline(never)]
    fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.encoded.truncate(self.used);
        write(&mut self.encoded);
        self.used = self.encoded.len();
    }

    /// Adds an attribute of which each length is one byte. `value` are the first two bytes of its value, and `rest` all
    /// others. The parts are copied into room that is looked for once, because a vector looks for it with every part.
    #[inline]
    fn put_short(&mut self, key: &str, value: [u8; 2], rest: &[u8]) {
        let (name, text) = (key.len(), rest.len());
        let whole = name.wrapping_add(text).wrapping_add(SHORT_OVERHEAD_BYTES);
        let end = self.used.wrapping_add(whole).wrapping_add(2);
        if end > self.encoded.len() {
            self.grow(end);
        }
        let [length, name, inner] =
            [as_u64(whole), as_u64(name), as_u64(text.wrapping_add(2))].map(low_byte);
        let [first, second] = value;
        if let Some(place) = self.encoded.get_mut(self.used..end)
            && let Some((front, place)) = place.split_first_chunk_mut::<4>()
            && let Some((name_place, place)) = place.split_at_mut_checked(key.len())
            && let Some((middle, place)) = place.split_first_chunk_mut::<4>()
            && let Some((text_place, _)) = place.split_at_mut_checked(rest.len())
        {
            *front = [SPAN_ATTRIBUTES_TAG, length, KEY_VALUE_KEY_TAG, name];
            name_place.copy_from_slice(key.as_bytes());
            *middle = [KEY_VALUE_VALUE_TAG, inner, first, second];
            text_place.copy_from_slice(rest);
            self.used = end;
        }
    }

    #[cold]
    fn grow(&mut self, end: usize) {
        // Zeros from the allocator, because this function is compiled for size and would write them one by one.
        let mut larger = alloc::vec![0; self.encoded.len().saturating_mul(2).max(end)];
        if let Some(place) = larger.get_mut(..self.used) {
            place.copy_from_slice(self.as_encoded());
        }
        self.encoded = larger;
    }

    /// Returns the number of attributes that did not fit.
    #[inline]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    #[inline]
    fn has_room(&mut self) -> bool {
        if self.count >= MAX_ATTRIBUTES {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        }
        self.count = self.count.wrapping_add(1);
        true
    }
}

/// Returns true if all bytes are ASCII, as in nearly all values. The test takes eight bytes at a time, because a decoder of
/// UTF-8 goes byte by byte.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else {
        return match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                (u32::from_le_bytes(*first) | u32::from_le_bytes(*last)) & 0x8080_8080 == 0
            }
            _ => bytes.iter().fold(0, |seen, byte| seen | byte) < 0x80,
        };
    };
    let (words, _) = bytes.as_chunks::<8>();
    let mut seen = u64::from_le_bytes(*last);
    for word in words {
        seen |= u64::from_le_bytes(*word);
    }
    seen & 0x8080_8080_8080_8080 == 0
}

/// Cuts a value to [`MAX_VALUE_BYTES`], and not in the middle of a character.
#[inline]
fn cut(value: &[u8]) -> &[u8] {
    if value.len() <= MAX_VALUE_BYTES {
        return value;
    }
    let is_continuation = |byte: &u8| matches!(byte, 0x80..=0xbf);
    let mut end = MAX_VALUE_BYTES;
    // A character has at most three bytes behind its first; more of them are not UTF-8 anyway.
    for _ in 0..3 {
        if value.get(end).is_some_and(is_continuation) {
            end = end.saturating_sub(1);
        }
    }
    value.get(..end).unwrap_or_default()
}

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

/// Returns true if each length of an attribute is one byte, as in nearly all attributes. `rest` are the bytes of the value
/// behind its first two.
#[inline]
fn is_short(key: &str, rest: usize) -> bool {
    // Neither comes near the largest number: a value is cut, and keys are configured.
    key.len().wrapping_add(rest) < SHORT_BYTES
}

#[inline]
fn low_byte(number: u64) -> u8 {
    let [byte, ..] = number.to_le_bytes();
    byte
}

/// Writes a whole number as a field of a span.
fn attribute_number(out: &mut Vec<u8>, key: &str, value: i64) {
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

/// The typical size of an HTTP request's attributes by the stable conventions, with room for a long path.
const TYPICAL_BYTES: usize = 480;

/// The largest number of attributes on a span: OpenTelemetry's default (RS-5).
const MAX_ATTRIBUTES: u32 = 128;

/// The largest size of a value: Sidespan's own limit, because a header may be as long as the proxy allows (RS-5).
const MAX_VALUE_BYTES: usize = 1024;

const SPAN_ATTRIBUTES: u64 = 9;

/// The tag of field 9, which has a length.
const SPAN_ATTRIBUTES_TAG: u8 = 0x4a;

const KEY_VALUE_KEY: u64 = 1;

const KEY_VALUE_VALUE: u64 = 2;

/// The size of the tags of key, value and text, and of their lengths.
const SHORT_OVERHEAD_BYTES: usize = 6;

/// The size of a key and the bytes behind the first two of its value, from which on a length has two bytes.
const SHORT_BYTES: usize = 0x80 - SHORT_OVERHEAD_BYTES;

/// The tag of field 1, which has a length.
const KEY_VALUE_KEY_TAG: u8 = 0x0a;

/// The tag of field 2, which has a length.
const KEY_VALUE_VALUE_TAG: u8 = 0x12;

/// The tag of field 1, which has a length.
const ANY_VALUE_STRING_TAG: u8 = 0x0a;

/// The tag of field 3, a number.
const ANY_VALUE_INT_TAG: u8 = 0x18;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    fn values(attributes: &Attributes) -> Vec<String> {
        use opentelemetry_proto::tonic::common::v1::any_value::Value;
        use opentelemetry_proto::tonic::trace::v1::Span;
        let span = <Span as prost::Message>::decode(attributes.as_encoded()).unwrap();
        span.attributes
            .into_iter()
            .map(|attribute| match attribute.value.unwrap().value.unwrap() {
                Value::StringValue(text) => text,
                Value::IntValue(number) => format!("{number}"),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn rs_5_cuts_a_value_between_characters() {
        let mut attributes = Attributes::default();
        let exact = vec![b'a'; MAX_VALUE_BYTES];
        let mut long = vec![b'a'; MAX_VALUE_BYTES - 1];
        long.extend_from_slice("é!".as_bytes());
        attributes.text("exact", &exact);
        attributes.text("long", &long);
        let values = values(&attributes);
        assert_eq!(values[0].len(), MAX_VALUE_BYTES);
        assert_eq!(values[1].len(), MAX_VALUE_BYTES - 1);
    }

    #[test]
    fn rd_4_replaces_what_is_not_utf_8_and_stays_within_the_limit() {
        let mut attributes = Attributes::default();
        attributes.text("short", b"a\xffb");
        attributes.text("long", &[0xff; 3000]);
        let values = values(&attributes);
        assert_eq!(values[0], "a\u{fffd}b");
        assert!(values[1].len() <= MAX_VALUE_BYTES);
        assert!(values[1].chars().all(|character| character == '\u{fffd}'));
    }

    #[test]
    fn rs_5_counts_what_is_over_128_attributes() {
        let mut attributes = Attributes::default();
        for index in 0..130 {
            attributes.number("n", index);
        }
        assert_eq!(values(&attributes).len(), 128);
        assert_eq!(attributes.dropped(), 2);
    }
}
