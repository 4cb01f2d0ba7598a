//! A buffer for a header's value on the stack: a value that is written on every request needs no allocation.

/// Text of at most `N` bytes. Bytes that do not fit are left out, so `N` is the longest value of its writer.
#[derive(Debug)]
pub(super) struct Text<const N: usize> {
    bytes: [u8; N],
    // The invariant is `length <= N`.
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
        // One copy, because a loop would cost an instruction or more for each byte.
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

    /// Returns the text so far.
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
    fn leaves_out_what_does_not_fit() {
        let mut text = Text::<3>::default();
        text.push(b"ab");
        text.push(b"cd");
        assert_eq!(text.as_bytes(), b"abc");
    }
}
