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
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        NonZeroU128::new(u128::from_be_bytes(bytes)).map(Self)
    }

    /// Reads exactly 32 lower-case digits.
    ///
    /// # Errors
    /// [`IdError::Digits`] for another length or another character, [`IdError::Zero`] for 32 zeros.
    pub fn from_hex(digits: &[u8]) -> Result<Self, IdError> {
        Self::from_bytes(bytes_of(digits)?).ok_or(IdError::Zero)
    }

    /// Reads 1 to 32 digits of either case; zeros may be missing on the left.
    ///
    /// # Errors
    /// [`IdError::Digits`] for none, for more or for another character, [`IdError::Zero`] where all are zero.
    pub fn from_loose_hex(digits: &[u8]) -> Result<Self, IdError> {
        Self::from_hex(&repair_hex::<32>(digits).ok_or(IdError::Digits)?)
    }

    /// Reads exactly 16 lower-case digits, the right half of an id whose left half is zero (W3C Trace Context,
    /// "Interoperating with existing systems": a shorter id is padded on the left).
    ///
    /// # Errors
    /// [`IdError::Digits`] for another length or another character, [`IdError::Zero`] for 16 zeros.
    pub fn from_short_hex(digits: &[u8]) -> Result<Self, IdError> {
        let half = u64::from_be_bytes(bytes_of(digits)?);
        NonZeroU128::new(u128::from(half))
            .map(Self)
            .ok_or(IdError::Zero)
    }

    /// The id with these halves, or `None` when both are zero.
    pub fn from_halves(left: u64, right: u64) -> Option<Self> {
        NonZeroU128::new((u128::from(left) << 64) | u128::from(right)).map(Self)
    }

    /// The bytes in network order.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }

    /// 32 lower-case digits.
    pub fn to_hex(self) -> [u8; 32] {
        let mut digits = [b'0'; 32];
        print(&self.to_bytes(), &mut digits);
        digits
    }

    /// The right half, as 16 lower-case digits.
    pub fn to_short_hex(self) -> [u8; 16] {
        let mut digits = [b'0'; 16];
        print(&self.right_half().to_be_bytes(), &mut digits);
        digits
    }

    /// Whether the left half is zero, so that 16 digits say it all.
    pub fn is_short(self) -> bool {
        self.0.get() >> 64 == 0
    }

    /// Whether both name one trace: they are equal, or one is the right half of the other, as formats write it that
    /// have room for 64 bits.
    pub fn is_same_trace(self, other: Self) -> bool {
        let is_half = self.is_short() || other.is_short();
        self == other || (is_half && self.right_half() == other.right_half())
    }

    /// The right-most 56 bits: the randomness that OpenTelemetry's consistent sampling decides by
    /// ("Randomness Value" in its probability sampling specification).
    pub fn randomness(self) -> u64 {
        self.right_half() & 0x00ff_ffff_ffff_ffff
    }

    /// The left 64 bits.
    pub fn left_half(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The right 64 bits.
    pub fn right_half(self) -> u64 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h] = self.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl SpanId {
    /// The id with these bytes, or `None` when all are zero.
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        NonZeroU64::new(u64::from_be_bytes(bytes)).map(Self)
    }

    /// Reads exactly 16 lower-case digits.
    ///
    /// # Errors
    /// [`IdError::Digits`] for another length or another character, [`IdError::Zero`] for 16 zeros.
    pub fn from_hex(digits: &[u8]) -> Result<Self, IdError> {
        Self::from_bytes(bytes_of(digits)?).ok_or(IdError::Zero)
    }

    /// Reads 1 to 16 digits of either case; zeros may be missing on the left.
    ///
    /// # Errors
    /// [`IdError::Digits`] for none, for more or for another character, [`IdError::Zero`] where all are zero.
    pub fn from_loose_hex(digits: &[u8]) -> Result<Self, IdError> {
        Self::from_hex(&repair_hex::<16>(digits).ok_or(IdError::Digits)?)
    }

    /// The id with this number, or `None` when it is zero.
    pub fn from_number(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The id as a number, for formats that write it in decimal.
    pub fn to_number(self) -> u64 {
        self.0.get()
    }

    /// The bytes in network order.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }

    /// 16 lower-case digits.
    pub fn to_hex(self) -> [u8; 16] {
        let mut digits = [b'0'; 16];
        print(&self.to_bytes(), &mut digits);
        digits
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Reads one byte from exactly two lower-case digits.
pub fn byte_from_hex(digits: &[u8]) -> Option<u8> {
    bytes_of(digits).ok().map(|[byte]: [u8; 1]| byte)
}

/// Two lower-case digits.
pub fn byte_to_hex(byte: u8) -> [u8; 2] {
    let mut digits = [b'0'; 2];
    print(&[byte], &mut digits);
    digits
}

/// Repairs what tolerant formats let pass: upper case, and zeros missing on the left. `None` for no digit at all or more
/// than `N`; whether the characters are digits is for the strict reader to say.
pub fn repair_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let missing = N.checked_sub(digits.len()).filter(|_| !digits.is_empty())?;
    let mut repaired = [b'0'; N];
    repaired.get_mut(missing..)?.copy_from_slice(digits);
    repaired.make_ascii_lowercase();
    Some(repaired)
}

/// Exactly `2 * N` lower-case digits.
fn bytes_of<const N: usize>(digits: &[u8]) -> Result<[u8; N], IdError> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return Err(IdError::Digits);
    }
    let mut bytes = [0; N];
    // Looked at once at the end: what is no digit has bits that no digit has.
    let mut seen = 0;
    for (byte, [left, right]) in bytes.iter_mut().zip(pairs) {
        let (left, right) = (value(*left), value(*right));
        seen |= left | right;
        *byte = (left << 4) | right;
    }
    if seen & NO_DIGIT == 0 {
        Ok(bytes)
    } else {
        Err(IdError::Digits)
    }
}

/// What a digit is worth, or [`NO_DIGIT`].
fn value(digit: u8) -> u8 {
    VALUES.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT)
}

/// Prints as many bytes as there is room for the digits of, four at a time.
fn print(bytes: &[u8], digits: &mut [u8]) {
    let (words, rest) = bytes.as_chunks::<4>();
    let (places, left) = digits.as_chunks_mut::<8>();
    for (place, word) in places.iter_mut().zip(words) {
        *place = digits_of(u32::from_be_bytes(*word));
    }
    let (pairs, _) = left.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(rest) {
        let [.., high, low] = digits_of(u32::from(*byte));
        *pair = [high, low];
    }
}

/// Eight digits: each half byte is moved into a byte of its own, and then all become letters at once.
fn digits_of(word: u32) -> [u8; 8] {
    let mut spread = u64::from(word);
    spread = (spread | (spread << 16)) & 0x0000_ffff_0000_ffff;
    spread = (spread | (spread << 8)) & 0x00ff_00ff_00ff_00ff;
    spread = (spread | (spread << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    // One where a half byte is ten or more, and its digit a letter.
    let letters = (spread.wrapping_add(0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let digits = spread
        .wrapping_add(0x3030_3030_3030_3030)
        .wrapping_add(letters.wrapping_mul(0x27));
    digits.to_be_bytes()
}

const NO_DIGIT: u8 = 0x80;
/// Of every byte: a table costs a load where comparisons cost a dozen instructions, and a request has hundreds of digits.
static VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0_u8;
    while value < 16 {
        let digit = if value < 10 { b'0' } else { b'a' - 10 };
        #[expect(
            clippy::indexing_slicing,
            clippy::arithmetic_side_effects,
            reason = "run by the compiler, which would refuse what goes wrong"
        )]
        {
            values[(digit + value) as usize] = value;
            value += 1;
        }
    }
    values
}

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
            let word = u32::from_be_bytes([byte, !byte, byte ^ 0x55, byte.rotate_left(4)]);
            assert_eq!(digits_of(word), format!("{word:08x}").as_bytes());
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
