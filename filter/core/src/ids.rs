//! Trace and span ids: fixed in size, never zero, and the only code that reads or prints hexadecimal digits.
//!
//! An id that is zero is no id in any format ([W3C Trace Context], "trace-id" and "parent-id"; B3 and OTLP agree), so
//! zero cannot be built: `Option<SpanId>` is a parent that may be missing, and there is no invalid constant to forget.
//! Digits are read strictly, as many as the id has and lower case; a format that tolerates more asks for the loose reading.
//!
//! [W3C Trace Context]: https://www.w3.org/TR/trace-context-2/

use core::fmt;
use core::num::{NonZeroU64, NonZeroU128};

/// The id of a trace: 128 bits, not zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(NonZeroU128);

/// The id of a span: 64 bits, not zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(NonZeroU64);

/// Why digits are not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Not the expected number of lower-case hexadecimal digits.
    Digits,
    /// All digits are zero.
    Zero,
}

impl TraceId {
    /// The id with these bytes, or `None` when all are zero.
    #[inline]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        NonZeroU128::new(u128::from_be_bytes(bytes)).map(Self)
    }

    /// Reads exactly 32 lower-case digits.
    ///
    /// # Errors
    /// [`IdError::Digits`] for another length or another character, [`IdError::Zero`] for 32 zeros.
    #[inline]
    pub fn from_hex(digits: &[u8]) -> Result<Self, IdError> {
        Self::from_bytes(bytes_of(digits)?).ok_or(IdError::Zero)
    }

    /// Reads 1 to 32 digits of either case; zeros may be missing on the left.
    ///
    /// # Errors
    /// [`IdError::Digits`] for none, for more or for another character, [`IdError::Zero`] where all are zero.
    #[inline]
    pub fn from_loose_hex(digits: &[u8]) -> Result<Self, IdError> {
        // Nearly all are as they should be, and need no repair.
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
        let half = u64::from_be_bytes(bytes_of(digits)?);
        NonZeroU128::new(u128::from(half))
            .map(Self)
            .ok_or(IdError::Zero)
    }

    /// The id with these halves, or `None` when both are zero.
    #[inline]
    pub fn from_halves(left: u64, right: u64) -> Option<Self> {
        NonZeroU128::new((u128::from(left) << 64) | u128::from(right)).map(Self)
    }

    /// The bytes in network order.
    #[inline]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }

    /// 32 lower-case digits.
    #[inline]
    pub fn to_hex(self) -> [u8; 32] {
        let mut digits = [b'0'; 32];
        print(&self.to_bytes(), &mut digits);
        digits
    }

    /// The right half, as 16 lower-case digits.
    #[inline]
    pub fn to_short_hex(self) -> [u8; 16] {
        let mut digits = [b'0'; 16];
        print(&self.right_half().to_be_bytes(), &mut digits);
        digits
    }

    /// Whether the left half is zero, so that 16 digits say it all.
    #[inline]
    pub fn is_short(self) -> bool {
        self.0.get() >> 64 == 0
    }

    /// Whether both name one trace: they are equal, or one is the right half of the other, as formats write it that
    /// have room for 64 bits.
    #[inline]
    pub fn is_same_trace(self, other: Self) -> bool {
        let is_half = self.is_short() || other.is_short();
        self == other || (is_half && self.right_half() == other.right_half())
    }

    /// The right-most 56 bits: the randomness that OpenTelemetry's consistent sampling decides by
    /// ("Randomness Value" in its probability sampling specification).
    #[inline]
    pub fn randomness(self) -> u64 {
        self.right_half() & 0x00ff_ffff_ffff_ffff
    }

    /// The left 64 bits.
    #[inline]
    pub fn left_half(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The right 64 bits.
    #[inline]
    pub fn right_half(self) -> u64 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h] = self.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl SpanId {
    /// The id with these bytes, or `None` when all are zero.
    #[inline]
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        NonZeroU64::new(u64::from_be_bytes(bytes)).map(Self)
    }

    /// Reads exactly 16 lower-case digits.
    ///
    /// # Errors
    /// [`IdError::Digits`] for another length or another character, [`IdError::Zero`] for 16 zeros.
    #[inline]
    pub fn from_hex(digits: &[u8]) -> Result<Self, IdError> {
        Self::from_bytes(bytes_of(digits)?).ok_or(IdError::Zero)
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

    /// The id with this number, or `None` when it is zero.
    #[inline]
    pub fn from_number(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The id as a number, for formats that write it in decimal.
    #[inline]
    pub fn to_number(self) -> u64 {
        self.0.get()
    }

    /// The bytes in network order.
    #[inline]
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }

    /// 16 lower-case digits.
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
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Reads one byte from exactly two lower-case digits.
#[inline]
pub fn byte_from_hex(digits: &[u8]) -> Option<u8> {
    bytes_of(digits).ok().map(|[byte]: [u8; 1]| byte)
}

/// Two lower-case digits.
#[inline]
pub fn byte_to_hex(byte: u8) -> [u8; 2] {
    let mut digits = [b'0'; 2];
    print(&[byte], &mut digits);
    digits
}

/// Repairs what tolerant formats let pass: upper case, and zeros missing on the left. `None` for no digit at all or more
/// than `N`; whether the characters are digits is for the strict reader to say.
#[inline]
pub fn repair_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let missing = N.checked_sub(digits.len()).filter(|_| !digits.is_empty())?;
    let mut repaired = [b'0'; N];
    repaired.get_mut(missing..)?.copy_from_slice(digits);
    repaired.make_ascii_lowercase();
    Some(repaired)
}

/// Exactly `2 * N` lower-case digits.
#[inline]
fn bytes_of<const N: usize>(digits: &[u8]) -> Result<[u8; N], IdError> {
    if digits.len() != N.saturating_mul(2) {
        return Err(IdError::Digits);
    }
    let mut bytes = [0; N];
    let (words, rest) = digits.as_chunks::<8>();
    let (places, left) = bytes.as_chunks_mut::<4>();
    // Looked at once at the end.
    let mut wrong = 0;
    for (place, word) in places.iter_mut().zip(words) {
        let digits = u64::from_le_bytes(*word);
        wrong |= wrong_digits(digits);
        *place = word_of(digits).to_le_bytes();
    }
    let (pairs, _) = rest.as_chunks::<2>();
    for (place, [high, low]) in left.iter_mut().zip(pairs) {
        let digits = u64::from_le_bytes([*high, *low, b'0', b'0', b'0', b'0', b'0', b'0']);
        wrong |= wrong_digits(digits);
        [*place, ..] = word_of(digits).to_le_bytes();
    }
    match wrong {
        0 => Ok(bytes),
        _ => Err(IdError::Digits),
    }
}

/// What eight digits are worth, all at once: the first is in the lowest byte, as memory has it on this target.
#[inline]
fn word_of(digits: u64) -> u32 {
    // Letters have a bit that digits have not, and begin at one where they mean ten.
    let tens = ((digits >> 6) & ONES).wrapping_mul(9);
    let mut number = (digits & LOW_HALVES).wrapping_add(tens);
    number = ((number << 4) | (number >> 8)) & 0x00ff_00ff_00ff_00ff;
    number = (number | (number >> 8)) & 0x0000_ffff_0000_ffff;
    let [a, b, c, d, ..] = (number | (number >> 16)).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Bits that are set where one of eight bytes is no lower-case digit.
#[inline]
fn wrong_digits(digits: u64) -> u64 {
    let letters = (digits >> 6) & ONES;
    let low = digits & LOW_HALVES;
    // `0` to `9` are 0x30 to 0x39, and `a` to `f` are 0x61 to 0x66.
    let high = ONES.wrapping_add(letters).wrapping_mul(0x30);
    let is_high = (digits & !LOW_HALVES) ^ high;
    let is_too_great = low.wrapping_add(ONES.wrapping_mul(6).wrapping_add(letters.wrapping_mul(3)));
    let has_letter = low.wrapping_add(letters.wrapping_mul(0xf)) >> 4;
    is_high | (is_too_great & ONES.wrapping_mul(0x10)) | ((has_letter & ONES) ^ letters)
}

/// Prints as many bytes as there is room for the digits of, four at a time.
#[inline]
fn print(bytes: &[u8], digits: &mut [u8]) {
    let (words, rest) = bytes.as_chunks::<4>();
    let (places, left) = digits.as_chunks_mut::<8>();
    for (place, word) in places.iter_mut().zip(words) {
        *place = digits_of(u32::from_le_bytes(*word)).to_le_bytes();
    }
    let (pairs, _) = left.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(rest) {
        let [high, low, ..] = digits_of(u32::from(*byte)).to_le_bytes();
        *pair = [high, low];
    }
}

/// Eight digits of four bytes: each half byte is moved into a byte of its own, and then all become letters at once.
#[inline]
fn digits_of(word: u32) -> u64 {
    let mut spread = u64::from(word);
    spread = (spread | (spread << 16)) & 0x0000_ffff_0000_ffff;
    spread = (spread | (spread << 8)) & 0x00ff_00ff_00ff_00ff;
    spread = ((spread >> 4) | (spread << 8)) & LOW_HALVES;
    // One where a half byte is ten or more, and its digit a letter.
    let letters = (spread.wrapping_add(ONES.wrapping_mul(6)) >> 4) & ONES;
    spread
        .wrapping_add(ONES.wrapping_mul(0x30))
        .wrapping_add(letters.wrapping_mul(0x27))
}

/// One in each of eight bytes.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The lower half of each.
const LOW_HALVES: u64 = 0x0f0f_0f0f_0f0f_0f0f;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

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
    fn prints_every_byte_in_every_place() {
        for byte in 0..=255_u8 {
            assert_eq!(byte_to_hex(byte), format!("{byte:02x}").as_bytes());
            let bytes = [byte, !byte, byte ^ 0x55, byte.rotate_left(4)];
            let [a, b, c, d] = bytes;
            let digits = digits_of(u32::from_le_bytes(bytes));
            let expected = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
            assert_eq!(digits.to_le_bytes(), expected.as_bytes());
            assert_eq!(word_of(digits).to_le_bytes(), bytes);
            assert_eq!(wrong_digits(digits), 0);
        }
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
    fn repairs_case_and_missing_zeros_and_nothing_else() {
        assert_eq!(repair_hex(b"aBc"), Some(*b"0abc"));
        assert_eq!(repair_hex(b"00DEF"), Some(*b"00def"));
        assert_eq!(repair_hex(b"x"), Some(*b"0x"));
        assert_eq!(repair_hex::<4>(b""), None);
        assert_eq!(repair_hex::<4>(b"00abc"), None);
    }

    #[test]
    fn takes_randomness_from_the_right_most_56_bits() {
        let id = TraceId::from_hex(T).unwrap();
        assert_eq!(id.randomness(), 0xce_929d_0e0e_4736);
    }
}
