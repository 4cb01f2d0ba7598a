//! Trace and span ids: fixed in size, and never zero ([W3C Trace Context], "trace-id" and "parent-id"; B3 and OTLP agree).
//!
//! No id can be built from zero: `Option<SpanId>` is a parent that may be missing, and there is no invalid constant to
//! forget. Digits are read strictly, as many as the id has and lower case; formats that tolerate more use
//! [`TraceId::from_loose_hex`].
//!
//! [W3C Trace Context]: https://www.w3.org/TR/trace-context-2/

use crate::codec::hex::{bytes_of, print, repair_hex};
use core::fmt;
use core::num::{NonZeroU64, NonZeroU128};

/// The id of a trace: 128 bits, not zero. Kept as the bytes are in memory, because most ids are copied, and this target turns
/// bytes around one by one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU128);

/// The id of a span: 64 bits, not zero; kept likewise.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(NonZeroU64);

/// The reason why digits are not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Not the expected number of lower-case hexadecimal digits.
    Digits,
    /// All digits are zero.
    Zero,
}

impl TraceId {
    /// Returns the id with these bytes, or `None` when all are zero.
    #[inline]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        NonZeroU128::new(u128::from_le_bytes(bytes)).map(Self)
    }

    /// Reads exactly 32 lower-case digits.
    ///
    /// # Errors
    /// [`IdError::Digits`] for another length or another character, [`IdError::Zero`] for 32 zeros.
    #[inline]
    pub fn from_hex(digits: &[u8]) -> Result<Self, IdError> {
        Self::from_bytes(bytes_of(digits).ok_or(IdError::Digits)?).ok_or(IdError::Zero)
    }

    /// Reads 1 to 32 digits of either case; zeros may be missing on the left.
    ///
    /// # Errors
    /// [`IdError::Digits`] for none, for more or for another character, [`IdError::Zero`] where all are zero.
    #[inline]
    pub fn from_loose_hex(digits: &[u8]) -> Result<Self, IdError> {
        // The strict reading comes first, because nearly all ids need no repair.
        match Self::from_hex(digits) {
            Err(IdError::Digits) => {
                Self::from_hex(&repair_hex::<32>(digits).ok_or(IdError::Digits)?)
            }
            read => read,
        }
    }

    /// Reads exactly 16 lower-case digits, the right half of an id whose left half is zero (W3C Trace Context,
    /// "Interoperating with existing systems": a shorter id is padded on the left).
    ///
    /// # Errors
    /// [`IdError::Digits`] for another length or another character, [`IdError::Zero`] for 16 zeros.
    #[inline]
    pub fn from_short_hex(digits: &[u8]) -> Result<Self, IdError> {
        let half = u64::from_be_bytes(bytes_of(digits).ok_or(IdError::Digits)?);
        Self::from_halves(0, half).ok_or(IdError::Zero)
    }

    /// Returns the id with these halves, or `None` when both are zero.
    #[inline]
    pub fn from_halves(left: u64, right: u64) -> Option<Self> {
        Self::from_bytes(((u128::from(left) << 64) | u128::from(right)).to_be_bytes())
    }

    /// Returns the bytes in network order.
    #[inline]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.get().to_le_bytes()
    }

    /// Returns the id as 32 lower-case digits.
    #[inline]
    pub fn to_hex(self) -> [u8; 32] {
        let mut digits = [b'0'; 32];
        print(&self.to_bytes(), &mut digits);
        digits
    }

    /// Returns the right half, as 16 lower-case digits.
    #[inline]
    pub fn to_short_hex(self) -> [u8; 16] {
        let mut digits = [b'0'; 16];
        print(&self.right_half().to_be_bytes(), &mut digits);
        digits
    }

    /// Returns true if the left half is zero, so that 16 digits are enough.
    #[inline]
    pub fn is_short(self) -> bool {
        self.left_half() == 0
    }

    /// Returns true if both ids name one trace: they are equal, or one is the right half of the other, as written by a
    /// format with room for 64 bits.
    #[inline]
    pub fn is_same_trace(self, other: Self) -> bool {
        let is_half = self.is_short() || other.is_short();
        self == other || (is_half && self.right_half() == other.right_half())
    }

    /// Returns the right-most 56 bits: the randomness by which OpenTelemetry's consistent sampling decides ("Randomness
    /// Value" in its probability sampling specification).
    #[inline]
    pub fn randomness(self) -> u64 {
        self.right_half() & 0x00ff_ffff_ffff_ffff
    }

    /// Returns the left 64 bits.
    #[inline]
    pub fn left_half(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Returns the right 64 bits.
    #[inline]
    pub fn right_half(self) -> u64 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h] = self.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl SpanId {
    /// Returns the id with these bytes, or `None` when all are zero.
    #[inline]
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        NonZeroU64::new(u64::from_le_bytes(bytes)).map(Self)
    }

    /// Reads exactly 16 lower-case digits.
    ///
    /// # Errors
    /// [`IdError::Digits`] for another length or another character, [`IdError::Zero`] for 16 zeros.
    #[inline]
    pub fn from_hex(digits: &[u8]) -> Result<Self, IdError> {
        Self::from_bytes(bytes_of(digits).ok_or(IdError::Digits)?).ok_or(IdError::Zero)
    }

    /// Reads 1 to 16 digits of either case; zeros may be missing on the left.
    ///
    /// # Errors
    /// [`IdError::Digits`] for none, for more or for another character, [`IdError::Zero`] where all are zero.
    #[inline]
    pub fn from_loose_hex(digits: &[u8]) -> Result<Self, IdError> {
        match Self::from_hex(digits) {
            Err(IdError::Digits) => {
                Self::from_hex(&repair_hex::<16>(digits).ok_or(IdError::Digits)?)
            }
            read => read,
        }
    }

    /// Returns the id with this number, or `None` when the number is zero.
    #[inline]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::from_bytes(number.to_be_bytes())
    }

    /// Returns the id as a number, for formats that write it in decimal.
    #[inline]
    pub fn to_number(self) -> u64 {
        u64::from_be_bytes(self.to_bytes())
    }

    /// Returns the bytes in network order.
    #[inline]
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.get().to_le_bytes()
    }

    /// Returns the id as 16 lower-case digits.
    #[inline]
    pub fn to_hex(self) -> [u8; 16] {
        let mut digits = [b'0'; 16];
        print(&self.to_bytes(), &mut digits);
        digits
    }
}

impl fmt::Debug for TraceId {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.to_bytes()))
    }
}

impl fmt::Debug for SpanId {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.to_number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex::byte_from_hex;

    const T: &[u8] = b"4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn reads_and_prints_the_same_digits() {
        let id = TraceId::from_hex(T).unwrap();
        assert_eq!(&id.to_hex(), T);
        assert_eq!(&id.to_short_hex(), b"a3ce929d0e0e4736");
        assert!(!id.is_short());
        let span = SpanId::from_hex(b"00f067aa0ba902b7").unwrap();
        assert_eq!(&span.to_hex(), b"00f067aa0ba902b7");
    }

    #[test]
    fn reads_no_byte_in_any_place_that_is_no_digit() {
        for byte in 0..=255_u8 {
            let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            for place in 0..32 {
                let mut digits = *b"4bf92f3577b34da6a3ce929d0e0e4736";
                digits[place] = byte;
                assert_eq!(TraceId::from_hex(&digits).is_ok(), is_digit, "{byte}");
            }
            assert_eq!(byte_from_hex(&[b'0', byte]).is_some(), is_digit, "{byte}");
            assert_eq!(byte_from_hex(&[byte, b'0']).is_some(), is_digit, "{byte}");
        }
    }

    #[test]
    fn refuses_what_is_not_exactly_an_id() {
        let rows: &[(&str, &[u8], IdError)] = &[
            ("one digit less", &T[1..], IdError::Digits),
            (
                "one digit more",
                b"4bf92f3577b34da6a3ce929d0e0e47360",
                IdError::Digits,
            ),
            (
                "upper case",
                b"4Bf92f3577b34da6a3ce929d0e0e4736",
                IdError::Digits,
            ),
            (
                "a sign",
                b"+bf92f3577b34da6a3ce929d0e0e4736",
                IdError::Digits,
            ),
            (
                "a letter past f",
                b"gbf92f3577b34da6a3ce929d0e0e4736",
                IdError::Digits,
            ),
            ("nothing", b"", IdError::Digits),
            ("zeros", b"00000000000000000000000000000000", IdError::Zero),
        ];
        for (name, digits, expected) in rows {
            assert_eq!(TraceId::from_hex(digits), Err(*expected), "{name}");
        }
        assert_eq!(SpanId::from_hex(b"0000000000000000"), Err(IdError::Zero));
        assert_eq!(SpanId::from_hex(b"00f067aa0ba902b"), Err(IdError::Digits));
    }

    #[test]
    fn pads_a_short_id_on_the_left() {
        let id = TraceId::from_short_hex(b"a3ce929d0e0e4736").unwrap();
        assert_eq!(&id.to_hex(), b"0000000000000000a3ce929d0e0e4736");
        assert!(id.is_short());
        assert_eq!(
            TraceId::from_short_hex(b"0000000000000000"),
            Err(IdError::Zero)
        );
    }

    #[test]
    fn takes_randomness_from_the_right_most_56_bits() {
        let id = TraceId::from_hex(T).unwrap();
        assert_eq!(id.randomness(), 0xce_929d_0e0e_4736);
    }
}
