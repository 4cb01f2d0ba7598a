//! The search for a byte or a text in a value, eight bytes at a time, because values are as long as a caller likes and
//! the loop over bytes that `split` compiles to costs several instructions for each byte.
//!
//! Not the crate `memchr`, because without the processor's vectors it does the same, and not inlined; its search for a
//! text is larger than all of this file.

use alloc::vec::Vec;

/// Returns true for equal bytes. The comparison of slices is one byte by byte in this target.
#[inline]
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ((words, rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let differs = |(word, other): (&[u8; 8], &[u8; 8])| {
        u64::from_le_bytes(*word) != u64::from_le_bytes(*other)
    };
    // All of them, because a branch for each costs as much as its comparison, and nearly all that is compared is the same.
    let difference = words.iter().zip(others).fold(0, |seen, (word, other)| {
        seen | u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other)
    });
    if difference != 0 {
        return false;
    }
    match (one.last_chunk(), other.last_chunk()) {
        (Some(last), Some(other)) => !differs((last, other)),
        _ => rest == other_rest,
    }
}

/// Returns the index of the first such byte.
#[inline]
pub(crate) fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    let pattern = ONES.wrapping_mul(u64::from(wanted));
    let (words, rest) = bytes.as_chunks::<8>();
    let mut begin = 0_usize;
    for word in words {
        // The lowest zero byte is the wanted one; bytes above a zero may be taken for zeros by mistake.
        let differences = u64::from_le_bytes(*word) ^ pattern;
        let zeros = differences.wrapping_sub(ONES) & !differences & HIGH_BITS;
        if zeros != 0 {
            let within = usize::try_from(zeros.trailing_zeros() >> 3).unwrap_or_default();
            return Some(begin.wrapping_add(within));
        }
        begin = begin.wrapping_add(8);
    }
    let Some(last) = bytes.last_chunk::<8>() else {
        return rest.iter().position(|byte| *byte == wanted);
    };
    // The last eight bytes, some of which were searched before.
    let differences = u64::from_le_bytes(*last) ^ pattern;
    let zeros = differences.wrapping_sub(ONES) & !differences & HIGH_BITS;
    let within = usize::try_from(zeros.trailing_zeros() >> 3).unwrap_or_default();
    (zeros != 0).then(|| bytes.len().saturating_sub(8).saturating_add(within))
}

/// Returns the index of the first byte that is one of the two.
#[inline]
pub(crate) fn position_of_either(bytes: &[u8], one: u8, other: u8) -> Option<usize> {
    let one_pattern = ONES.wrapping_mul(u64::from(one));
    let other_pattern = ONES.wrapping_mul(u64::from(other));
    let zeros_in = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        let (one, other) = (word ^ one_pattern, word ^ other_pattern);
        let zeros = (one.wrapping_sub(ONES) & !one) | (other.wrapping_sub(ONES) & !other);
        zeros & HIGH_BITS
    };
    let within = |zeros: u64| usize::try_from(zeros.trailing_zeros() >> 3).unwrap_or_default();
    let (words, rest) = bytes.as_chunks::<8>();
    let mut begin = 0_usize;
    for word in words {
        let zeros = zeros_in(*word);
        if zeros != 0 {
            return Some(begin.wrapping_add(within(zeros)));
        }
        begin = begin.wrapping_add(8);
    }
    let Some(last) = bytes.last_chunk::<8>() else {
        return rest.iter().position(|byte| *byte == one || *byte == other);
    };
    // The last eight bytes, some of which were searched before.
    let zeros = zeros_in(*last);
    (zeros != 0).then(|| bytes.len().wrapping_sub(8).wrapping_add(within(zeros)))
}

/// Returns the index of the last such byte.
#[inline]
pub(crate) fn last_position(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (mut rest, words) = bytes.as_rchunks::<8>();
    let mut end = bytes.len();
    for word in words.iter().rev() {
        // Here the highest place counts, so no other byte may be taken for one.
        let zeros = places_of(u64::from_le_bytes(*word), wanted);
        if zeros != 0 {
            let behind = usize::try_from(zeros.leading_zeros() >> 3).unwrap_or_default();
            return Some(end.wrapping_sub(behind).wrapping_sub(1));
        }
        end = end.wrapping_sub(8);
    }
    while let [others @ .., last] = rest {
        if *last == wanted {
            return Some(others.len());
        }
        rest = others;
    }
    None
}

/// Returns the high bit of each of eight bytes that is this one.
#[inline]
pub(crate) fn places_of(word: u64, wanted: u8) -> u64 {
    let differences = word ^ ONES.wrapping_mul(u64::from(wanted));
    let low_bits = (differences & !HIGH_BITS).wrapping_add(!HIGH_BITS);
    !(low_bits | differences | !HIGH_BITS)
}

/// Returns the index of the first such part. The time grows with the sum of both lengths at worst (Knuth, Morris and
/// Pratt), because values are a caller's. The standard library has this search for text alone, and in far more code.
#[inline(never)]
pub(crate) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    // For each length of a matched beginning: the length of the shorter beginning to go on with where the next byte
    // differs.
    let mut borders = Vec::with_capacity(part.len());
    let mut matched = 0_usize;
    for (index, byte) in part.iter().enumerate() {
        if index > 0 {
            matched = go_on(part, &borders, matched, *byte);
        }
        borders.push(matched);
    }
    matched = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if matched == part.len() {
            return index.checked_sub(matched);
        }
        matched = go_on(part, &borders, matched, *byte);
    }
    (matched == part.len()).then(|| bytes.len().saturating_sub(matched))
}

/// Returns the length of the beginning that is matched with one byte more.
#[inline]
fn go_on(part: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    while part.get(matched) != Some(&byte) {
        match matched.checked_sub(1).and_then(|last| borders.get(last)) {
            Some(border) => matched = *border,
            None => return 0,
        }
    }
    matched.saturating_add(1)
}

/// Returns the bytes before and behind the first separator.
#[inline]
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = bytes.split_at_checked(position(bytes, separator)?)?;
    Some((before, rest.get(1..)?))
}

/// Returns the bytes before the first separator, or all bytes where there is none.
#[inline]
pub(crate) fn first_part(bytes: &[u8], separator: u8) -> &[u8] {
    let end = position(bytes, separator).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or(bytes)
}

/// Returns the parts between separators; a value without a separator is one part.
#[inline]
pub(crate) fn split(bytes: &[u8], separator: u8) -> Split<'_> {
    Split {
        rest: Some(bytes),
        separator,
    }
}

/// The iterator over the parts of a value.
#[derive(Clone, Debug)]
pub(crate) struct Split<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let bytes = self.rest?;
        match split_once(bytes, self.separator) {
            Some((part, rest)) => {
                self.rest = Some(rest);
                Some(part)
            }
            None => self.rest.take(),
        }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_part_where_a_simple_search_does() {
        let words = |letters: &[u8], longest: u32| -> Vec<Vec<u8>> {
            let of = |length: u32, number: usize| {
                let letter = |place| letters[number / letters.len().pow(place) % letters.len()];
                (0..length).map(letter).collect()
            };
            (0..=longest)
                .flat_map(|length| (0..letters.len().pow(length)).map(move |it| (length, it)))
                .map(|(length, number)| of(length, number))
                .collect()
        };
        for part in words(b"ab", 5) {
            for value in words(b"ab", 9) {
                let expected = match part.as_slice() {
                    [] => Some(0),
                    _ => value.windows(part.len()).position(|found| found == part),
                };
                assert_eq!(find(&value, &part), expected, "{part:?} in {value:?}");
            }
        }
    }

    #[test]
    fn compares_as_the_library_does() {
        let bytes: Vec<u8> = (0..40).collect();
        for end in 0..=bytes.len() {
            let part = &bytes[..end];
            let copy = part.to_vec();
            assert!(is_same(part, &copy), "{end}");
            assert!(end == 40 || !is_same(part, &bytes[..=end]), "{end}");
            for at in 0..end {
                let mut other = part.to_vec();
                other[at] ^= 0x80;
                assert!(!is_same(part, &other), "{at} of {end}");
            }
        }
    }

    #[test]
    fn finds_and_splits_as_the_library_does() {
        let mut seed = 7_u64;
        for length in 0..70_usize {
            for _ in 0..50 {
                let bytes: Vec<u8> = (0..length)
                    .map(|_| {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        // Neighbours of the separator, and bytes with the high bit, among them.
                        b",-+\xac\x2d\0a"[usize::try_from(seed >> 40).unwrap() % 7]
                    })
                    .collect();
                for separator in [b',', b'\0', 0xac, b'z'] {
                    let found = bytes.iter().position(|byte| *byte == separator);
                    assert_eq!(position(&bytes, separator), found, "{bytes:?}");
                    let found = bytes.iter().rposition(|byte| *byte == separator);
                    assert_eq!(last_position(&bytes, separator), found, "{bytes:?}");
                    let expected: Vec<_> = bytes.split(|byte| *byte == separator).collect();
                    assert_eq!(split(&bytes, separator).collect::<Vec<_>>(), expected);
                }
            }
        }
        assert_eq!(split_once(b"a=b=c", b'='), Some((&b"a"[..], &b"b=c"[..])));
        assert_eq!(split_once(b"a", b'='), None);
    }
}
