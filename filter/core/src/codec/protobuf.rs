//! The wire format of Protocol Buffers, as far as OTLP needs it ("Encoding" of the Protocol Buffers documentation).
//!
//! Fields are written straight into the bytes that are sent. Received bytes are not trusted: a field that does not fit
//! ends the message.
//!
//! Not the crate `prost`, because it wants a tree of messages before it writes the first byte, and a span is written
//! where it ends, once. Tests read the written bytes with `prost`.

use alloc::vec::Vec;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// Writes a number in seven bits a byte.
#[inline]
pub fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(low_seven_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_seven_bits(value));
}

#[inline]
fn low_seven_bits(value: u64) -> u8 {
    let [byte, ..] = value.to_le_bytes();
    byte & 0x7f
}

#[inline]
fn tag(out: &mut Vec<u8>, field: u64, wire_type: u64) {
    varint(out, field.wrapping_shl(3) | wire_type);
}

/// Writes an integer, enum or boolean field; zero is the default and is left out.
#[inline]
pub fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    if value != 0 {
        tag(out, field, VARINT);
        varint(out, value);
    }
}

/// Writes a `fixed64` field.
#[inline]
pub fn fixed64(out: &mut Vec<u8>, field: u64, value: u64) {
    tag(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes a `fixed32` field.
#[inline]
pub fn fixed32(out: &mut Vec<u8>, field: u64, value: u32) {
    tag(out, field, FIXED32);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes a `string` or `bytes` field; empty is the default and is left out.
#[inline]
pub fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    if !value.is_empty() {
        header(out, field, value.len());
        out.extend_from_slice(value);
    }
}

/// Writes a message field with the fields that `fields` writes. The length stands in front and is known only at the
/// end, so `digits` bytes are reserved for it, at most two and its usual size, and usually nothing has to move.
#[inline]
pub fn message(out: &mut Vec<u8>, field: u64, digits: usize, fields: impl FnOnce(&mut Vec<u8>)) {
    tag(out, field, BYTES);
    let at = out.len();
    out.extend_from_slice([0; 2].get(..digits).unwrap_or_default());
    let begin = out.len();
    fields(out);
    let length = out.len().wrapping_sub(begin);
    let [low, high, ..] = length.to_le_bytes();
    match (out.get_mut(at..begin), length) {
        (Some([digit]), 0..=0x7f) => *digit = low,
        (Some([first, second]), 0x80..=0x3fff) => {
            *first = low | 0x80;
            *second = (low >> 7) | (high << 1);
        }
        _ => lengthen(out, at, begin, as_u64(length)),
    }
}

/// Writes a length where too many or too few bytes were reserved for it.
#[cold]
fn lengthen(out: &mut Vec<u8>, at: usize, begin: usize, length: u64) {
    let mut digits = Vec::new();
    varint(&mut digits, length);
    out.splice(at..begin, digits);
}

/// A field as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// An integer, enum or boolean.
    Number(u64),
    /// A string, bytes or a message.
    Bytes(&'a [u8]),
    /// A number of fixed length, which no reader here needs.
    Fixed,
}

/// Reads the next field with its number; returns `None` at the end, and where the bytes are no field.
#[inline]
pub fn read<'a>(rest: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let tag = read_varint(rest)?;
    let field = match tag & 7 {
        VARINT => Field::Number(read_varint(rest)?),
        BYTES => {
            let length = usize::try_from(read_varint(rest)?).ok()?;
            Field::Bytes(read_bytes(rest, length)?)
        }
        FIXED64 => read_bytes(rest, 8).map(|_| Field::Fixed)?,
        FIXED32 => read_bytes(rest, 4).map(|_| Field::Fixed)?,
        _ => return None,
    };
    Some((tag >> 3, field))
}

#[inline]
fn read_bytes<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

#[inline]
fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Returns the number of bytes that a length takes.
#[inline]
pub fn varint_bytes(length: usize) -> usize {
    varint_bytes_of(as_u64(length))
}

/// Returns the number of bytes that a number takes.
#[inline]
pub fn varint_bytes_of(value: u64) -> usize {
    match value {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        _ => {
            let bits = u64::BITS.saturating_sub(value.leading_zeros());
            usize::try_from(bits.div_ceil(7)).unwrap_or_default()
        }
    }
}

/// Returns the number of bytes that a `string`, `bytes` or message field of this length takes, whose number is below
/// 16.
#[inline]
pub fn field_bytes(length: usize) -> usize {
    length
        .saturating_add(varint_bytes(length))
        .saturating_add(1)
}

/// Writes the tag and the length in front of a `string`, `bytes` or message field.
#[inline]
pub fn header(out: &mut Vec<u8>, field: u64, length: usize) {
    match (
        u8::try_from(field.wrapping_shl(3) | BYTES),
        u8::try_from(length),
    ) {
        // The usual field has one byte each for tag and length, written at once.
        (Ok(tag @ 0..=0x7f), Ok(length @ 0..=0x7f)) => out.extend_from_slice(&[tag, length]),
        _ => {
            tag(out, field, BYTES);
            varint(out, as_u64(length));
        }
    }
}

/// Returns a length as a number of the format.
#[inline]
pub(crate) fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn writes_the_same_varints_as_prost() {
        for value in [
            0,
            1,
            127,
            128,
            300,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut ours = Vec::new();
            varint(&mut ours, value);
            let mut theirs = Vec::new();
            prost::encoding::encode_varint(value, &mut theirs);
            assert_eq!(ours, theirs, "{value}");
            assert_eq!(varint_bytes_of(value), theirs.len(), "{value}");
            assert_eq!(read_varint(&mut &ours[..]), Some(value));
        }
    }

    #[test]
    fn puts_the_length_in_front_of_a_message_of_any_length() {
        for length in [0_usize, 1, 126, 127, 128, 129, 16_383, 16_384, 70_000] {
            let mut expected = vec![9];
            bytes(&mut expected, 1, &vec![7; length]);
            if length == 0 {
                expected.extend([0x0a, 0]);
            }
            expected.push(9);
            for digits in 0..5 {
                let mut out = vec![9];
                message(&mut out, 1, digits, |out| out.resize(out.len() + length, 7));
                out.push(9);
                assert_eq!(out, expected, "{length} {digits}");
            }
        }
    }

    #[test]
    fn ends_where_bytes_are_no_field() {
        let rows: &[&[u8]] = &[
            b"",
            b"\x0a",
            b"\x0a\x05abc",
            b"\x0b",
            b"\x08",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ];
        for row in rows {
            assert_eq!(read(&mut &row[..]), None, "{row:?}");
        }
    }
}
