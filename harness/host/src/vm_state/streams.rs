//! The streams of one VM by their ids, which only grow.

use crate::stream::{Stream, StreamId};

/// Streams in the order of their ids. Nearly every look-up is of the youngest one, which is therefore looked at first; the
/// streams themselves do not move.
#[derive(Default)]
#[expect(
    clippy::vec_box,
    reason = "a stream has more than a kilobyte, which every end of an older one would move"
)]
pub(crate) struct Streams(Vec<Box<Stream>>);

impl Streams {
    /// Adds a stream, whose id is greater than all others.
    pub(crate) fn push(&mut self, stream: Box<Stream>) {
        debug_assert!(self.0.last().is_none_or(|last| last.id < stream.id));
        self.0.push(stream);
    }

    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&Stream> {
        match self.0.last() {
            Some(last) if last.id.0 == id => Some(last),
            _ => Some(&*self.0[self.place(id)?]),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        let place = match self.0.last() {
            Some(last) if last.id.0 == id => self.0.len() - 1,
            _ => self.place(id)?,
        };
        Some(&mut *self.0[place])
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<Box<Stream>> {
        let place = self.place(id)?;
        Some(self.0.remove(place))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.0.iter().map(|stream| &**stream)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.0.iter_mut().map(|stream| &mut **stream)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn place(&self, id: u32) -> Option<usize> {
        let place = self
            .0
            .binary_search_by_key(&StreamId(id), |stream| stream.id);
        place.ok()
    }
}
