//! Hexadecimal digits of trace-context headers ("HEXDIGLC" of W3C Trace Context): a fixed number, in lower case, eight
//! at a time.
//!
//! Other code uses the crate `hex`, which cannot read these headers because it accepts upper case, which W3C Trace
//! Context refuses.

/// Reads one byte from exactly two lower-case digits.
#[inline]
pub fn byte_from_hex(digits: &[u8]) -> Option<u8> {
    bytes_of(digits).map(|[byte]: [u8; 1]| byte)
}

/// Returns two lower-case digits.
#[inline]
pub fn byte_to_hex(byte: u8) -> [u8; 2] {
    let mut digits = [b'0'; 2];
    print(&[byte], &mut digits);
    digits
}

/// Repairs digits of tolerant formats: upper case, and zeros missing on the left. Returns `None` for no digit at all or
/// more than `N`; the strict reader checks that the characters are digits.
#[inline]
pub fn repair_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let missing = N.checked_sub(digits.len()).filter(|_| !digits.is_empty())?;
    let mut repaired = [b'0'; N];
    repaired.get_mut(missing..)?.copy_from_slice(digits);
    repaired.make_ascii_lowercase();
    Some(repaired)
}

/// Reads bytes from exactly `2 * N` lower-case digits.
#[inline]
pub(crate) fn bytes_of<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != N.saturating_mul(2) {
        return None;
    }
    let mut bytes = [0; N];
    let (words, rest) = digits.as_chunks::<8>();
    let (places, left) = bytes.as_chunks_mut::<4>();
    // Bits of wrong digits, which are checked once behind the loop.
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
        0 => Some(bytes),
        _ => None,
    }
}

/// Returns the value of eight digits at once; the first digit is in the lowest byte, as memory has it on this target.
#[inline]
fn word_of(digits: u64) -> u32 {
    // Letters have a bit that digits have not, and their low halves begin at 1 for the value 10.
    let tens = ((digits >> 6) & ONES).wrapping_mul(9);
    let mut number = (digits & LOW_HALVES).wrapping_add(tens);
    number = ((number << 4) | (number >> 8)) & 0x00ff_00ff_00ff_00ff;
    number = (number | (number >> 8)) & 0x0000_ffff_0000_ffff;
    let [a, b, c, d, ..] = (number | (number >> 16)).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Returns bits that are set where one of eight bytes is no lower-case digit.
#[inline]
fn wrong_digits(digits: u64) -> u64 {
    let letters = (digits >> 6) & ONES;
    let low = digits & LOW_HALVES;
    // The digits `0` to `9` are 0x30 to 0x39, and `a` to `f` are 0x61 to 0x66.
    let high = ONES.wrapping_add(letters).wrapping_mul(0x30);
    let is_high = (digits & !LOW_HALVES) ^ high;
    let is_too_great = low.wrapping_add(ONES.wrapping_mul(6).wrapping_add(letters.wrapping_mul(3)));
    let has_letter = low.wrapping_add(letters.wrapping_mul(0xf)) >> 4;
    is_high | (is_too_great & ONES.wrapping_mul(0x10)) | ((has_letter & ONES) ^ letters)
}

/// Writes the digits of as many bytes as there is room for, four bytes at a time.
#[inline]
pub(crate) fn print(bytes: &[u8], digits: &mut [u8]) {
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

/// Returns the eight digits of four bytes: each half byte is moved into a byte of its own, then all become characters
/// at once.
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

/// The number 1 in each of eight bytes.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The lower half of each of eight bytes.
const LOW_HALVES: u64 = 0x0f0f_0f0f_0f0f_0f0f;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

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
    fn finds_every_wrong_digit_in_every_place() {
        for byte in 0..=255_u8 {
            let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            for at in 0..8 {
                let mut digits = *b"09af5c1e";
                digits[at] = byte;
                let wrong = wrong_digits(u64::from_le_bytes(digits));
                assert_eq!(wrong == 0, is_digit, "{byte:#x} at {at}");
            }
        }
    }

    #[test]
    fn repairs_case_and_missing_zeros_and_nothing_else() {
        assert_eq!(repair_hex(b"aBc"), Some(*b"0abc"));
        assert_eq!(repair_hex(b"00DEF"), Some(*b"00def"));
        assert_eq!(repair_hex(b"x"), Some(*b"0x"));
        assert_eq!(repair_hex::<4>(b""), None);
        assert_eq!(repair_hex::<4>(b"00abc"), None);
    }
}
