//! The encoding of header maps between guest and host: all lengths first, then all bytes, each with a NUL behind it.
//!
//! ```text
//! {"a": "1", "bc": ""}
//!
//! 02 00 00 00                            number of pairs
//! 01 00 00 00  01 00 00 00               lengths of "a" and "1"
//! 02 00 00 00  00 00 00 00               lengths of "bc" and ""
//! 61 00  31 00  62 63 00  00             the bytes
//! ```
//!
//! The decoder is as strict as Envoy's (`pairs_util.cc`). Envoy turns malformed bytes into an empty map without reporting
//! them, so the decoder returns the reason and its caller decides whether to report it.

/// Envoy's limit on the bytes of one map (`PAIRS_MAX_BYTES`).
pub(crate) const PAIRS_MAX_BYTES: usize = 1024 * 1024;
/// Envoy's limit on the pairs of one map (`PAIRS_MAX_COUNT`).
pub(crate) const PAIRS_MAX_COUNT: usize = 1024;

/// The reasons for which bytes are not a header map. Envoy reads all of them as an empty map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PairsError {
    #[error("more than 1 MiB")]
    TooLong,
    #[error("more than 1024 pairs")]
    TooMany,
    #[error("the bytes end too early")]
    Short,
    #[error("a name or value without NUL behind it")]
    Nul,
    #[error("bytes behind the last pair")]
    Trailing,
}

/// A name and a value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// Encodes pairs.
pub(crate) fn encode(pairs: &[Pair]) -> Vec<u8> {
    let mut bytes = length(pairs.len()).to_vec();
    for (name, value) in pairs {
        bytes.extend(length(name.len()));
        bytes.extend(length(value.len()));
    }
    for (name, value) in pairs {
        bytes.extend(name);
        bytes.push(0);
        bytes.extend(value);
        bytes.push(0);
    }
    bytes
}

/// Encodes pairs whose values are empty, as lists are written, without a copy of each name.
pub(crate) struct NameEncoder<'a> {
    to: &'a mut Vec<u8>,
    /// The place of the next name's lengths.
    lengths: usize,
    /// The start of the name that is being written.
    name: Option<usize>,
}

impl<'a> NameEncoder<'a> {
    /// Begins behind what the buffer has, with the number of names that will follow.
    pub(crate) fn new(to: &'a mut Vec<u8>, count: usize) -> Self {
        to.extend(length(count));
        let lengths = to.len();
        to.resize(lengths + 8 * count, 0);
        let name = None;
        Self { to, lengths, name }
    }

    /// Ends the name before, and returns the buffer that the next one is written behind.
    pub(crate) fn next(&mut self) -> &mut Vec<u8> {
        self.end_name();
        self.name = Some(self.to.len());
        self.to
    }

    /// Ends the last name.
    pub(crate) fn finish(mut self) {
        self.end_name();
    }

    fn end_name(&mut self) {
        if let Some(start) = self.name.take() {
            let size = length(self.to.len() - start);
            self.to[self.lengths..self.lengths + 4].copy_from_slice(&size);
            self.lengths += 8;
            self.to.extend([0, 0]);
        }
    }
}

/// Decodes pairs; an empty slice has no pairs.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Pair>, PairsError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    if bytes.len() > PAIRS_MAX_BYTES {
        return Err(PairsError::TooLong);
    }
    let mut rest = bytes;
    let count = take_length(&mut rest)?;
    if count > PAIRS_MAX_COUNT {
        return Err(PairsError::TooMany);
    }
    let mut lengths = Vec::with_capacity(count);
    for _ in 0..count {
        lengths.push((take_length(&mut rest)?, take_length(&mut rest)?));
    }
    let mut pairs = Vec::with_capacity(count);
    for (name, value) in lengths {
        pairs.push((take_text(&mut rest, name)?, take_text(&mut rest, value)?));
    }
    if rest.is_empty() {
        Ok(pairs)
    } else {
        Err(PairsError::Trailing)
    }
}

pub(crate) fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

fn take_length(rest: &mut &[u8]) -> Result<usize, PairsError> {
    let (head, tail) = rest.split_first_chunk::<4>().ok_or(PairsError::Short)?;
    *rest = tail;
    usize::try_from(u32::from_le_bytes(*head)).map_err(|_| PairsError::Short)
}

fn take_text(rest: &mut &[u8], length: usize) -> Result<Vec<u8>, PairsError> {
    let (text, tail) = rest.split_at_checked(length).ok_or(PairsError::Short)?;
    let (nul, tail) = tail.split_first().ok_or(PairsError::Short)?;
    *rest = tail;
    if *nul == 0 {
        Ok(text.to_vec())
    } else {
        Err(PairsError::Nul)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Pair> {
        vec![(b"a".to_vec(), b"1".to_vec()), (b"bc".to_vec(), Vec::new())]
    }

    #[test]
    fn encodes_the_picture_in_the_file_header() {
        let bytes = encode(&sample());
        assert_eq!(bytes[..4], [2, 0, 0, 0]);
        assert_eq!(
            bytes[4..20],
            [1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(&bytes[20..], b"a\x001\x00bc\x00\x00");
    }

    #[test]
    fn decodes_what_it_encodes() {
        assert_eq!(decode(&encode(&sample())), Ok(sample()));
        assert_eq!(decode(&encode(&[])), Ok(Vec::new()));
        assert_eq!(decode(&[]), Ok(Vec::new()));
    }

    #[test]
    fn encodes_names_as_pairs_without_values() {
        let mut bytes = b"before".to_vec();
        let mut names = NameEncoder::new(&mut bytes, 3);
        for name in ["a", "", "bc"] {
            names.next().extend(name.bytes());
        }
        names.finish();
        let pairs = ["a", "", "bc"].map(|name| (name.as_bytes().to_vec(), Vec::new()));
        assert_eq!(bytes, [&b"before"[..], &encode(&pairs)].concat());
    }

    #[test]
    fn refuses_each_way_of_being_malformed() {
        let good = encode(&sample());
        let changed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            change(&mut bytes);
            decode(&bytes)
        };
        assert_eq!(
            changed(&|bytes| bytes.truncate(bytes.len() - 1)),
            Err(PairsError::Short)
        );
        assert_eq!(changed(&|bytes| bytes.truncate(10)), Err(PairsError::Short));
        assert_eq!(changed(&|bytes| bytes.push(0)), Err(PairsError::Trailing));
        assert_eq!(changed(&|bytes| bytes[21] = b'x'), Err(PairsError::Nul));
        assert_eq!(changed(&|bytes| bytes[1] = 8), Err(PairsError::TooMany));
        assert_eq!(
            changed(&|bytes| bytes.resize(PAIRS_MAX_BYTES + 1, 0)),
            Err(PairsError::TooLong)
        );
    }

    #[test]
    fn accepts_1024_pairs_and_not_one_more() {
        let many = |count| vec![(b"k".to_vec(), b"v".to_vec()); count];
        assert_eq!(
            decode(&encode(&many(1024))).map(|pairs| pairs.len()),
            Ok(1024)
        );
        assert_eq!(decode(&encode(&many(1025))), Err(PairsError::TooMany));
    }

    #[test]
    fn survives_every_byte_in_every_place() {
        let good = encode(&sample());
        for place in 0..good.len() {
            for byte in 0..=255 {
                let mut bytes = good.clone();
                bytes[place] = byte;
                if let Ok(pairs) = decode(&bytes) {
                    assert_eq!(encode(&pairs), bytes);
                }
            }
        }
    }
}
