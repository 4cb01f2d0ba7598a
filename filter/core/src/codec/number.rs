//! Decimal numbers in headers, and the white space around values.

/// Parses a number of decimal digits alone; `None` where the text is no number, or does not fit.
#[inline]
pub(crate) fn parse<N: TryFrom<u64>>(digits: &[u8]) -> Option<N> {
    // As of nearly every port and status code, of which there are several in each request.
    if let Some(word) = few_digits(digits) {
        return N::try_from(u64::from(digits_of(word)?)).ok();
    }
    if let 1..=SMALL_DIGITS = digits.len() {
        let mut number = 0_u32;
        for byte in digits {
            // The digits alone become 0 to 9.
            let digit = u32::from(*byte ^ b'0');
            if digit > 9 {
                return None;
            }
            number = number.wrapping_mul(10).wrapping_add(digit);
        }
        return N::try_from(u64::from(number)).ok();
    }
    N::try_from(decimal(digits)?).ok()
}

/// Returns three or four digits in the order of memory, and a zero in front of three.
#[inline]
fn few_digits(digits: &[u8]) -> Option<u32> {
    match *digits {
        [a, b, c] => Some(u32::from_le_bytes([b'0', a, b, c])),
        [a, b, c, d] => Some(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    }
}

/// Returns the value of four digits, all at once.
#[inline]
fn digits_of(word: u32) -> Option<u32> {
    let values = word ^ 0x3030_3030;
    // A sum of ten or more, or a byte that is no digit, shows in a high half.
    let too_large = values.wrapping_add(0x0606_0606);
    if (values | too_large) & 0xf0f0_f0f0 != 0 {
        return None;
    }
    // Ten times the first and the second make a pair; a hundred times that and the other pair are the number.
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff;
    let [high, _, low, _] = pairs.to_le_bytes();
    Some(
        u32::from(high)
            .wrapping_mul(100)
            .wrapping_add(u32::from(low)),
    )
}

/// Digits that fit 32 bits whatever they are.
const SMALL_DIGITS: usize = 9;

#[inline]
fn decimal(digits: &[u8]) -> Option<u64> {
    let (safe, rest) = digits
        .split_at_checked(SAFE_DIGITS)
        .unwrap_or((digits, &[]));
    if safe.is_empty() {
        return None;
    }
    let mut seen = 0;
    let number = safe.iter().fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        seen = digit.max(seen);
        number.wrapping_mul(10).wrapping_add(u64::from(digit))
    });
    if seen > 9 {
        return None;
    }
    rest.iter().try_fold(number, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || number > u64::MAX / 10 {
            return None;
        }
        // The comparison above stands for a checked multiplication, which wasm32 does with a call.
        number.wrapping_mul(10).checked_add(u64::from(digit))
    })
}

/// Digits that fit 64 bits whatever they are.
const SAFE_DIGITS: usize = 19;

/// Removes spaces and tabs from both ends (RFC 9110, optional whitespace).
#[inline]
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let mut rest = value;
    while let [b' ' | b'\t', inner @ ..] | [inner @ .., b' ' | b'\t'] = rest {
        rest = inner;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    #[test]
    fn reads_numbers_up_to_the_longest_and_nothing_else() {
        for (digits, expected) in [
            ("", None),
            ("0", Some(0)),
            ("0007", Some(7)),
            ("9999999999999999999", Some(9_999_999_999_999_999_999)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("99999999999999999999", None),
            ("0018446744073709551615", Some(u64::MAX)),
            ("1 ", None),
            ("-1", None),
            ("1a", None),
            ("1844674407370955161/", None),
        ] {
            assert_eq!(parse::<u64>(digits.as_bytes()), expected, "{digits}");
        }
    }

    #[test]
    fn reads_every_number_of_three_or_four_digits_and_no_other_byte() {
        for number in 0..=9_999_u16 {
            for text in [format!("{number:03}"), format!("{number:04}")] {
                assert_eq!(parse::<u16>(text.as_bytes()), Some(number), "{text}");
            }
        }
        for length in [3, 4] {
            for at in 0..length {
                for byte in 0..=255_u8 {
                    let mut digits = vec![b'9'; length];
                    digits[at] = byte;
                    let is_read = parse::<u16>(&digits).is_some();
                    assert_eq!(is_read, byte.is_ascii_digit(), "{byte:#x} at {at}");
                }
            }
        }
    }

    #[test]
    fn a_number_is_digits_and_nothing_else() {
        assert_eq!(parse::<u16>(b"0"), Some(0));
        assert_eq!(parse::<u16>(b"00080"), Some(80));
        assert_eq!(parse::<u16>(b"65535"), Some(65_535));
        assert_eq!(parse(b"18446744073709551615"), Some(u64::MAX));
        for no_number in [
            &b""[..],
            b"65536",
            b"18446744073709551616",
            b"99999999999999999999999",
            b"+80",
            b"-1",
            b" 80",
            b"8O",
            b"\xff",
        ] {
            assert_eq!(parse::<u16>(no_number), None, "{no_number:?}");
        }
    }

    #[test]
    fn trims_spaces_and_tabs_and_nothing_else() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\x0ba"), b"\x0ba");
    }
}
