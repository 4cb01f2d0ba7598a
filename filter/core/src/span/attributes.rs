//! The attributes of a span, encoded as OTLP when they are added, so that no attribute is written twice.
//!
//! Nearly every attribute is the filter's own, short and ASCII: each of its lengths is one byte, and it is written into room
//! that was looked for once. All others take the general way of `wire`.

use alloc::string::String;
use alloc::vec::Vec;

use super::encoded_key::{EncodedKey, EncodedText, FRONT_BYTES, TEXT_BYTES};
use super::wire::{
    ANY_VALUE_INT_TAG, ANY_VALUE_STRING_TAG, KEY_VALUE_VALUE_TAG, SPAN_ATTRIBUTES, attribute,
    attribute_number,
};
use crate::codec::ascii::copy_ascii;
use crate::codec::protobuf::as_u64;

/// The attributes of a span, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    // The attributes, and behind them room for more.
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
    pub fn text(&mut self, key: &str, value: &[u8]) {
        if self.may_add() {
            self.put_text(key, value);
        }
    }

    /// Adds a whole number.
    pub fn number(&mut self, key: &str, value: i64) {
        if self.may_add() {
            self.put(|out| attribute_number(out, key, value));
        }
    }

    /// Adds a string under a key of the filter's own.
    #[inline]
    pub(crate) fn own_text(&mut self, key: &EncodedKey, value: &[u8]) {
        if self.may_add() && !self.put_short_text(key, value) {
            self.put_own_text(key, value);
        }
    }

    /// Adds a text of the filter's own, which is copied as a whole.
    #[inline]
    pub(crate) fn whole_text(&mut self, text: &EncodedText) {
        if !self.may_add() {
            return;
        }
        if self.room().is_none() {
            self.grow(SHORT_ROOM);
        }
        if let Some(place) = self
            .room()
            .and_then(|room| room.first_chunk_mut::<TEXT_BYTES>())
        {
            *place = *text.bytes();
            self.used = self.used.wrapping_add(text.length());
        }
    }

    /// Adds a whole number under a key of the filter's own.
    #[inline]
    pub(crate) fn own_number(&mut self, key: &EncodedKey, value: i64) {
        if !self.may_add() {
            return;
        }
        // Nearly all ports and status codes have two bytes.
        match u16::try_from(value) {
            Ok(small @ 0x80..=0x3fff) if self.put_short_number(key, small) => {}
            _ => self.put(|out| attribute_number(out, key.name(), value)),
        }
    }

    /// Adds the attributes of another list, if there may be as many more; returns false, and adds none, where there may not.
    #[inline]
    pub(crate) fn append(&mut self, others: &Self) -> bool {
        let count = self.count.wrapping_add(others.count);
        if count > MAX_ATTRIBUTES || others.dropped > 0 {
            return false;
        }
        let end = self.used.wrapping_add(others.used);
        if end > self.encoded.len() {
            self.grow(others.used.saturating_add(SHORT_ROOM));
        }
        let Some(place) = self.encoded.get_mut(self.used..end) else {
            return false;
        };
        place.copy_from_slice(others.as_encoded());
        (self.used, self.count) = (end, count);
        true
    }

    /// Returns a copy in a block that was used before.
    #[inline]
    pub(crate) fn copied_into(&self, mut block: Vec<u8>) -> Self {
        match block.get_mut(..self.used) {
            Some(place) => place.copy_from_slice(self.as_encoded()),
            None => block.clone_from(&self.encoded),
        }
        Self {
            encoded: block,
            ..*self
        }
    }

    /// Returns the block, for the attributes of another span.
    #[inline]
    pub(crate) fn into_block(self) -> Vec<u8> {
        self.encoded
    }

    /// Returns the attributes as fields of an OTLP span.
    #[inline]
    pub fn as_encoded(&self) -> &[u8] {
        self.encoded.get(..self.used).unwrap_or_default()
    }

    /// Returns the number of attributes that did not fit.
    #[inline]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Returns true if there may be one more attribute, and counts it.
    #[inline]
    fn may_add(&mut self) -> bool {
        if self.count >= MAX_ATTRIBUTES {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        }
        self.count = self.count.wrapping_add(1);
        true
    }

    /// Adds a text of which each length is one byte, if it is ASCII and there is room without growing.
    #[inline]
    fn put_short_text(&mut self, key: &EncodedKey, value: &[u8]) -> bool {
        let whole = short_bytes(key, value.len());
        if value.len() > MAX_SHORT_BYTES || whole > MAX_SHORT_BYTES {
            return false;
        }
        let length = low_byte(as_u64(value.len()));
        let is_written = self
            .put_front(key, value.len(), [ANY_VALUE_STRING_TAG, length])
            .and_then(|place| place.get_mut(..value.len()))
            .is_some_and(|place| copy_ascii(place, value));
        if is_written {
            self.used = self.used.wrapping_add(whole).wrapping_add(2);
        }
        is_written
    }

    /// Adds a number of two bytes, if there is room without growing.
    #[inline]
    fn put_short_number(&mut self, key: &EncodedKey, small: u16) -> bool {
        let [low, high] = [small & 0x7f | 0x80, small >> 7].map(|bits| low_byte(bits.into()));
        let Some([place, ..]) = self.put_front(key, 1, [ANY_VALUE_INT_TAG, low]) else {
            return false;
        };
        *place = high;
        self.used = self.used.wrapping_add(short_bytes(key, 1)).wrapping_add(2);
        true
    }

    /// Writes the key and the first two bytes of the value into the room, and returns what is left of it. `rest` are the bytes
    /// of the value behind the two.
    #[inline]
    fn put_front(&mut self, key: &EncodedKey, rest: usize, value: [u8; 2]) -> Option<&mut [u8]> {
        let [whole, inner] =
            [short_bytes(key, rest), rest.wrapping_add(2)].map(|length| low_byte(as_u64(length)));
        let [first, second] = value;
        let name_end = key.name_bytes().wrapping_add(4);
        let room = self.room()?;
        let front = room.first_chunk_mut::<FRONT_BYTES>()?;
        *front = *key.front();
        let [_, length, ..] = front;
        *length = whole;
        let (middle, room) = room.get_mut(name_end..)?.split_first_chunk_mut::<4>()?;
        // One number, because an array would be written byte by byte.
        let tags = u32::from(KEY_VALUE_VALUE_TAG) | u32::from(inner) << 8;
        let value = u32::from(first) << 16 | u32::from(second) << 24;
        *middle = (tags | value).to_le_bytes();
        Some(room)
    }

    /// Returns room for any short attribute, if there is some without growing.
    #[inline]
    fn room(&mut self) -> Option<&mut [u8; SHORT_ROOM]> {
        self.encoded.get_mut(self.used..)?.first_chunk_mut()
    }

    /// Adds any text under a key of the filter's own; a function of its own, so that the short ones need no stack.
    #[inline(never)]
    fn put_own_text(&mut self, key: &EncodedKey, value: &[u8]) {
        self.put_text(key.name(), value);
    }

    /// Adds a text of whatever length, cut and made UTF-8.
    #[inline(never)]
    fn put_text(&mut self, key: &str, value: &[u8]) {
        let value = cut(value);
        match core::str::from_utf8(value) {
            Ok(_) => self.put(|out| attribute(out, SPAN_ATTRIBUTES, key, value)),
            Err(_) => {
                let text = String::from_utf8_lossy(value);
                let value = cut(text.as_bytes());
                self.put(|out| attribute(out, SPAN_ATTRIBUTES, key, value));
            }
        }
    }

    /// Adds what `write` appends.
    #[inline(never)]
    fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut attribute = Vec::new();
        write(&mut attribute);
        if self.encoded.len().saturating_sub(self.used) < attribute.len() {
            self.grow(attribute.len().saturating_add(SHORT_ROOM));
        }
        let end = self.used.saturating_add(attribute.len());
        if let Some(place) = self.encoded.get_mut(self.used..end) {
            place.copy_from_slice(&attribute);
            self.used = end;
        }
    }

    #[cold]
    fn grow(&mut self, room: usize) {
        let enough = self.used.saturating_add(room);
        // Zeros from the allocator, because this function is compiled for size and would write them one by one.
        let mut larger = alloc::vec![0; self.encoded.len().saturating_mul(2).max(enough)];
        if let Some(place) = larger.get_mut(..self.used) {
            place.copy_from_slice(self.as_encoded());
        }
        self.encoded = larger;
    }
}

/// Returns the size of an attribute of which each length is one byte, without its first tag and length. `rest` are the bytes
/// of the value behind its first two.
#[inline]
fn short_bytes(key: &EncodedKey, rest: usize) -> usize {
    key.name_bytes().wrapping_add(rest).wrapping_add(6)
}

#[inline]
fn low_byte(number: u64) -> u8 {
    let [byte, ..] = number.to_le_bytes();
    byte
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

/// The largest number of attributes on a span: OpenTelemetry's default (RS-5).
const MAX_ATTRIBUTES: u32 = 128;

/// The largest size of a value: Sidespan's own limit, because a header may be as long as the proxy allows (RS-5).
const MAX_VALUE_BYTES: usize = 1024;

/// The largest length that is one byte.
const MAX_SHORT_BYTES: usize = 0x7f;

/// Room for a short attribute, and so much more that the compiler need not look for the room of its parts.
const SHORT_ROOM: usize = 192;

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
    fn another_list_is_appended_whatever_room_there_is() {
        for length in [0, 1, 100, 1_000] {
            let text = vec![b'a'; length];
            let list = |name: &str| {
                let mut list = Attributes::default();
                list.text(name, &text);
                list
            };
            let mut attributes = list("a");
            // The first finds room, and the last does not.
            for _ in 0..9 {
                assert!(attributes.append(&list("b")), "{length}");
            }
            let values = values(&attributes);
            assert_eq!(values.len(), 10);
            assert!(values.iter().all(|value| value.as_bytes() == text));
        }
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
