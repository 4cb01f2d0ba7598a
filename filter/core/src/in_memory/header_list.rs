//! A header map in memory, for whoever uses this crate without a proxy.

use alloc::string::String;
use alloc::vec::Vec;

use crate::headers::{HeaderWriter, RequestHeaders};

/// Headers in order, names in lower case, as a proxy keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderList(Vec<(String, Vec<u8>)>);

impl HeaderList {
    /// These headers.
    #[inline]
    pub fn new<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let lower =
            |(name, value): (N, V)| (name.as_ref().to_ascii_lowercase(), value.as_ref().to_vec());
        Self(headers.into_iter().map(lower).collect())
    }

    /// Adds a line at the end.
    #[inline]
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// Returns the headers as the filter reads them.
    #[inline]
    pub fn as_request(&self) -> RequestHeaders<'_> {
        RequestHeaders::read(self.pairs())
    }

    /// The headers in order, as a proxy hands them over.
    #[inline]
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.0
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()))
    }

    /// Returns the headers as the block of bytes in which a proxy hands them over (see `headers::pairs`).
    pub fn to_block(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut block = u32::try_from(self.0.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes()
            .to_vec();
        for (name, value) in self.pairs() {
            block.extend_from_slice(&length(name));
            block.extend_from_slice(&length(value));
        }
        for (name, value) in self.pairs() {
            for text in [name, value] {
                block.extend_from_slice(text);
                block.push(0);
            }
        }
        block
    }

    /// The headers in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

impl HeaderWriter for HeaderList {
    #[inline]
    fn set(&mut self, name: &'static str, value: &[u8]) {
        self.remove(name);
        HeaderWriter::add(self, name, value);
    }

    #[inline]
    fn add(&mut self, name: &'static str, value: &[u8]) {
        self.0.push((name.into(), value.to_vec()));
    }

    #[inline]
    fn remove(&mut self, name: &'static str) {
        self.0.retain(|(other, _)| other != name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_the_same_headers() {
        for list in [
            HeaderList::default(),
            HeaderList::new([("a", "1"), ("b", ""), ("a", "\u{0}x")]),
        ] {
            let block = list.to_block();
            assert!(crate::headers::pairs::HeaderPairs::new(&block).eq(list.pairs()));
        }
    }

    #[test]
    fn setting_makes_one_line_at_the_end_as_envoy_does() {
        let mut list = HeaderList::new([("A", "1"), ("b", "2"), ("a", "3")]);
        list.set("a", b"4");
        list.set("c", b"5");
        list.remove("b");
        let lines: Vec<_> = list.iter().collect();
        assert_eq!(lines, [("a", &b"4"[..]), ("c", b"5")]);
    }
}
