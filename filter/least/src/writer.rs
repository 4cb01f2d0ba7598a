//! The writing of bytes into a place of fixed size, from front to back. What has no room is left out, with all that
//! follows.

/// A place that is written from front to back.
pub(crate) struct Writer<'a> {
    place: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(crate) fn new(place: &'a mut [u8]) -> Self {
        Self { place, at: 0 }
    }

    /// Returns the number of written bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.at
    }

    /// Writes bytes whose number the compiler knows, which then need no loop.
    #[inline(always)]
    pub(crate) fn block<const N: usize>(&mut self, bytes: &[u8; N]) {
        let end = self.at.wrapping_add(N);
        let Some(place) = self.place.get_mut(self.at..end) else {
            return self.close();
        };
        place.copy_from_slice(bytes);
        self.at = end;
    }

    /// Writes short bytes, eight at a time: a call of `memory.copy` costs as much as 100 bytes do in this way.
    #[inline]
    pub(crate) fn text(&mut self, bytes: &[u8]) {
        let end = self.at.wrapping_add(bytes.len());
        let Some(place) = self.place.get_mut(self.at..end) else {
            return self.close();
        };
        let (mut to, mut from) = (place.chunks_exact_mut(8), bytes.chunks_exact(8));
        for (to, from) in (&mut to).zip(&mut from) {
            to.copy_from_slice(from);
        }
        for (to, from) in to.into_remainder().iter_mut().zip(from.remainder()) {
            *to = *from;
        }
        self.at = end;
    }

    /// Writes bytes of any number.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.at.wrapping_add(bytes.len());
        let Some(place) = self.place.get_mut(self.at..end) else {
            return self.close();
        };
        place.copy_from_slice(bytes);
        self.at = end;
    }

    /// Writes a length of fewer than 2^21 in three bytes, so that its place is known before the length is.
    #[inline]
    pub(crate) fn length(&mut self, length: usize) {
        self.block(&padded(length));
    }

    fn close(&mut self) {
        self.place = &mut [];
    }
}

/// Returns a number of fewer than 2^21 as a number of protobuf of three bytes.
#[inline]
pub(crate) fn padded(number: usize) -> [u8; 3] {
    let [low, middle, high] = [number, number >> 7, number >> 14].map(|bits| {
        let [bits, ..] = bits.to_le_bytes();
        bits & 0x7f
    });
    [low | 0x80, middle | 0x80, high]
}
