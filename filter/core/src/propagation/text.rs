//! Decimal numbers, and a header's value on the stack: one that is written on every request needs no allocation.

/// Digits and nothing else; `None` also for what 64 bits cannot hold.
#[inline]
pub(super) fn number(digits: &[u8]) -> Option<u64> {
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
        // The comparison is all that a checked multiplication does, which wasm32 makes a call of.
        number.wrapping_mul(10).checked_add(u64::from(digit))
    })
}

/// No number of so many digits is too long for 64 bits.
const SAFE_DIGITS: usize = 19;

/// Text of at most `N` bytes; what does not fit is left out, so `N` is the longest value of its writer.
#[derive(Debug)]
pub(super) struct Text<const N: usize> {
    bytes: [u8; N],
    // length <= N
    length: usize,
}

impl<const N: usize> Default for Text<N> {
    #[inline]
    fn default() -> Self {
        Self {
            bytes: [0; N],
            length: 0,
        }
    }
}

impl<const N: usize> Text<N> {
    /// Appends these bytes.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        let free = self.bytes.get_mut(self.length..).unwrap_or_default();
        let fitting = text.len().min(free.len());
        // One copy, where a loop would cost an instruction or more for each byte.
        if let (Some(free), Some(text)) = (free.get_mut(..fitting), text.get(..fitting)) {
            free.copy_from_slice(text);
            self.length = self.length.saturating_add(fitting);
        }
    }

    /// Appends a number in decimal digits.
    #[inline]
    pub(super) fn push_decimal(&mut self, number: u64) {
        let mut digits = [b'0'; 20];
        let mut rest = number;
        let mut count = 0_usize;
        for digit in digits.iter_mut().rev() {
            let [low, ..] = (rest % 10).to_le_bytes();
            *digit = low | b'0';
            rest /= 10;
            count = count.saturating_add(1);
            if rest == 0 {
                break;
            }
        }
        let (_, used) = digits
            .split_at_checked(digits.len().saturating_sub(count))
            .unwrap_or((&[], &[]));
        self.push(used);
    }

    /// What was appended so far.
    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn prints_numbers_as_everybody_does() {
        for number in [0, 7, 10, 99, 67_667_974_448_284_343, u64::MAX] {
            let mut text = Text::<20>::default();
            text.push_decimal(number);
            assert_eq!(text.as_bytes(), format!("{number}").as_bytes());
        }
    }

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
            assert_eq!(number(digits.as_bytes()), expected, "{digits}");
        }
    }

    #[test]
    fn leaves_out_what_does_not_fit() {
        let mut text = Text::<3>::default();
        text.push(b"ab");
        text.push(b"cd");
        assert_eq!(text.as_bytes(), b"abc");
    }
}
