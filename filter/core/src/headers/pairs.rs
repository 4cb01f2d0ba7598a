//! The block of bytes in which a proxy hands over a header map (proxy-wasm ABI 0.2.1, "Serialization").
//!
//! ```text
//! u32 count
//! count times: u32 name length, u32 value length
//! count times: name, NUL, value, NUL
//! ```
//!
//! Numbers are little endian. An empty map is no bytes at all. The block comes from the proxy and not from a client,
//! yet no length in it is trusted: one that points past the end ends the list.

/// The headers of a block, in order.
#[derive(Clone, Debug)]
pub struct HeaderPairs<'a> {
    lengths: &'a [u8],
    texts: &'a [u8],
    // The position of the next name in `texts`.
    at: usize,
}

impl<'a> HeaderPairs<'a> {
    /// Reads the count; each header is read by `next`.
    #[inline]
    pub fn new(block: &'a [u8]) -> Self {
        let empty = Self {
            lengths: &[],
            texts: &[],
            at: 0,
        };
        let Some((count, rest)) = block.split_first_chunk::<4>() else {
            return empty;
        };
        let bytes = usize::try_from(u32::from_le_bytes(*count))
            .ok()
            .and_then(|count| count.checked_mul(8));
        match bytes.and_then(|bytes| rest.split_at_checked(bytes)) {
            Some((lengths, texts)) => Self {
                lengths,
                texts,
                at: 0,
            },
            None => empty,
        }
    }

    /// Takes the next names where each is a number, as in a list of CEL: eight bytes in the place of a name, and no value.
    #[inline]
    pub(crate) fn take_numbers<const N: usize>(&mut self) -> Option<[u64; N]> {
        let (lengths, rest) = self.lengths.as_chunks::<8>().0.split_first_chunk::<N>()?;
        let texts = self.texts.get(self.at..)?.as_chunks::<10>().0;
        let texts = texts.first_chunk::<N>()?;
        let is_number = |length: &[u8; 8]| u64::from_le_bytes(*length) == 8;
        if !lengths.iter().all(is_number) {
            return None;
        }
        self.lengths = rest.as_flattened();
        self.at = self.at.wrapping_add(N.wrapping_mul(10));
        Some(
            texts
                .map(|[a, b, c, d, e, f, g, h, _, _]| u64::from_le_bytes([a, b, c, d, e, f, g, h])),
        )
    }
}

impl<'a> Iterator for HeaderPairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let ([a, b, c, d, e, f, g, h], lengths) = self.lengths.split_first_chunk::<8>()?;
        self.lengths = lengths;
        let name = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?;
        let value = usize::try_from(u32::from_le_bytes([*e, *f, *g, *h])).ok()?;
        // A sum that wraps is an end before the begin, which no range may have.
        let name_end = self.at.wrapping_add(name);
        let value_at = name_end.wrapping_add(1);
        let value_end = value_at.wrapping_add(value);
        let name = self.texts.get(self.at..name_end)?;
        let value = self.texts.get(value_at..value_end)?;
        self.at = value_end.wrapping_add(1);
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn block(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let mut block = number(pairs.len()).to_vec();
        for (name, value) in pairs {
            block.extend(number(name.len()));
            block.extend(number(value.len()));
        }
        for (name, value) in pairs {
            block.extend_from_slice(name);
            block.push(0);
            block.extend_from_slice(value);
            block.push(0);
        }
        block
    }

    const ROWS: &[(&[u8], &[u8])] = &[(b":path", b"/"), (b"b3", b""), (b"x", b"\xff\0\x01")];

    #[test]
    fn reads_back_names_and_values_as_bytes() {
        assert_eq!(HeaderPairs::new(&block(ROWS)).collect::<Vec<_>>(), ROWS);
        assert_eq!(HeaderPairs::new(&[]).count(), 0);
    }

    #[test]
    fn takes_numbers_where_numbers_are_and_goes_on_behind_them() {
        let (one, other) = (7_u64.to_le_bytes(), u64::MAX.to_le_bytes());
        let whole = block(&[(&one, b""), (&other, b""), (b"text", b"")]);
        let mut pairs = HeaderPairs::new(&whole);
        assert_eq!(pairs.take_numbers::<3>(), None);
        assert_eq!(pairs.take_numbers(), Some([7, u64::MAX]));
        assert_eq!(pairs.take_numbers::<1>(), None);
        assert_eq!(pairs.collect::<Vec<_>>(), [(&b"text"[..], &b""[..])]);
        for end in 0..32 {
            assert_eq!(HeaderPairs::new(&whole[..end]).take_numbers::<2>(), None);
        }
    }

    #[test]
    fn ends_the_list_where_the_block_ends() {
        let whole = block(ROWS);
        for end in 0..whole.len() {
            let read: Vec<_> = HeaderPairs::new(&whole[..end]).collect();
            assert!(ROWS.starts_with(&read), "cut at {end}");
        }
    }

    #[test]
    fn believes_no_number() {
        let whole = block(ROWS);
        for at in 0..whole.len() {
            for byte in 0..=255 {
                let mut changed = whole.clone();
                changed[at] = byte;
                assert!(HeaderPairs::new(&changed).count() <= whole.len());
            }
        }
    }
}
