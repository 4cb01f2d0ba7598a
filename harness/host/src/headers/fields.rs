//! The fields of a header map in one buffer: all lengths apart, and all bytes as a guest reads them.

use std::iter::FusedIterator;
use std::slice;

use crate::header_pairs::length;

/// The lengths of one field's name and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    name: usize,
    value: usize,
}

impl Lengths {
    pub(super) fn of(name: &[u8], value: &[u8]) -> Self {
        let (name, value) = (name.len(), value.len());
        Self { name, value }
    }

    pub(super) fn name(self) -> usize {
        self.name
    }

    pub(super) fn value(self) -> usize {
        self.value
    }

    pub(super) fn grow_value(&mut self, by: usize) {
        self.value += by;
    }

    /// Returns the bytes of the field in the buffer: name, NUL, value, NUL.
    pub(super) fn bytes(self) -> usize {
        self.name + self.value + 2
    }
}

/// An iterator over the fields of a [`Headers`](crate::Headers): names and values.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    lengths: slice::Iter<'a, Lengths>,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(lengths: &'a [Lengths], rest: &'a [u8]) -> Self {
        let lengths = lengths.iter();
        Self { lengths, rest }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let lengths = self.lengths.next()?;
        let (field, rest) = self.rest.split_at_checked(lengths.bytes())?;
        self.rest = rest;
        let (name, value) = field.split_at_checked(lengths.name + 1)?;
        Some((&name[..lengths.name], &value[..lengths.value]))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lengths.size_hint()
    }
}

impl ExactSizeIterator for Fields<'_> {}
impl FusedIterator for Fields<'_> {}

/// Writes fields as `header_pairs` has them: their number, all lengths, all bytes.
pub(super) fn encode(lengths: &[Lengths], bytes: &[u8], to: &mut Vec<u8>) {
    to.reserve(4 + 8 * lengths.len() + bytes.len());
    to.extend(length(lengths.len()));
    for lengths in lengths {
        to.extend(length(lengths.name));
        to.extend(length(lengths.value));
    }
    to.extend_from_slice(bytes);
}
