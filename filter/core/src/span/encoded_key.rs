//! The key of an attribute as its bytes leave, made once for all spans, and whole attributes whose value is one of a few.

use super::wire::{
    ANY_VALUE_STRING_TAG, KEY_VALUE_KEY_TAG, KEY_VALUE_VALUE_TAG, SPAN_ATTRIBUTES_TAG,
};

/// The bytes of an attribute in front of its value. The length of the whole is left open, because the value gives it.
#[derive(Debug)]
pub(crate) struct EncodedKey {
    // The tag and the length of the whole, the tag and the length of the name, and the name.
    front: [u8; FRONT_BYTES],
}

impl EncodedKey {
    /// Encodes a name of at most [`MAX_NAME_BYTES`]; a longer one is cut.
    pub(crate) const fn new(name: &str) -> Self {
        let mut front = [0; FRONT_BYTES];
        let mut length = 0_u8;
        let [tag, _, name_tag, name_length, place @ ..] = &mut front;
        let (mut places, mut rest) = (place.as_mut_slice(), name.as_bytes());
        while let ([place, places_left @ ..], [byte, bytes_left @ ..]) = (places, rest) {
            *place = *byte;
            length = length.wrapping_add(1);
            (places, rest) = (places_left, bytes_left);
        }
        (*tag, *name_tag, *name_length) = (SPAN_ATTRIBUTES_TAG, KEY_VALUE_KEY_TAG, length);
        Self { front }
    }

    /// Returns the bytes in front of the value, and behind them zeros.
    #[inline]
    pub(super) fn front(&self) -> &[u8; FRONT_BYTES] {
        &self.front
    }

    /// Returns the length of the name.
    #[inline]
    pub(super) fn name_bytes(&self) -> usize {
        let [_, _, _, length, ..] = self.front;
        // Below 32 anyway, and so the compiler knows it.
        usize::from(length & 31)
    }

    /// Returns the name.
    pub(crate) fn name(&self) -> &str {
        let [_, _, _, _, name @ ..] = &self.front;
        let name = name.get(..self.name_bytes()).unwrap_or_default();
        core::str::from_utf8(name).unwrap_or_default()
    }
}

/// An attribute that is a text of the filter's own, whole.
#[derive(Debug)]
pub(crate) struct EncodedText {
    bytes: [u8; TEXT_BYTES],
    length: usize,
}

impl EncodedText {
    /// Encodes an attribute of at most [`TEXT_BYTES`], with 8 bytes of tags and lengths; a longer one is cut.
    pub(crate) const fn new(name: &str, value: &str) -> Self {
        let key = EncodedKey::new(name);
        let mut bytes = [0; TEXT_BYTES];
        let tags = [
            KEY_VALUE_VALUE_TAG,
            low_byte(value.len()).wrapping_add(2),
            ANY_VALUE_STRING_TAG,
            low_byte(value.len()),
        ];
        let name_end = name.len().wrapping_add(4);
        let mut rest = bytes.as_mut_slice();
        if let Some((front, _)) = key.front.split_at_checked(name_end) {
            rest = fill(rest, front);
        }
        rest = fill(rest, &tags);
        rest = fill(rest, value.as_bytes());
        let length = TEXT_BYTES.wrapping_sub(rest.len());
        let [_, whole, ..] = &mut bytes;
        *whole = low_byte(length.wrapping_sub(2));
        Self { bytes, length }
    }

    /// Returns the bytes, and behind them zeros.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8; TEXT_BYTES] {
        &self.bytes
    }

    /// Returns the number of bytes without the zeros.
    #[inline]
    pub(super) fn length(&self) -> usize {
        self.length
    }
}

/// Writes as much as there is room for, and returns the room behind it.
const fn fill<'a>(mut places: &'a mut [u8], mut bytes: &[u8]) -> &'a mut [u8] {
    while let [byte, bytes_left @ ..] = bytes
        && let [place, places_left @ ..] = places
    {
        *place = *byte;
        (places, bytes) = (places_left, bytes_left);
    }
    places
}

const fn low_byte(length: usize) -> u8 {
    let [byte, ..] = length.to_le_bytes();
    byte
}

/// The size of the longest whole attribute, `sidespan.decision` with a word of 15 bytes.
pub(super) const TEXT_BYTES: usize = 40;

/// The length of the longest name, `http.request.method_original`.
pub(crate) const MAX_NAME_BYTES: usize = 28;

/// The size of a front, a few words that are copied without a loop.
pub(super) const FRONT_BYTES: usize = 4 + MAX_NAME_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_name_and_leaves_the_length_of_the_whole_open() {
        let key = EncodedKey::new("url.path");
        assert_eq!(key.name(), "url.path");
        assert_eq!(key.front()[..12], *b"\x4a\0\x0a\x08url.path");
        assert_eq!(EncodedKey::new("").name(), "");
        let text = EncodedText::new("url.scheme", "https");
        assert_eq!(text.length(), 23);
        assert_eq!(
            text.bytes()[..23],
            *b"\x4a\x15\x0a\x0aurl.scheme\x12\x07\x0a\x05https"
        );
        assert_eq!(EncodedKey::new(&"x".repeat(40)).name(), "x".repeat(28));
    }
}
