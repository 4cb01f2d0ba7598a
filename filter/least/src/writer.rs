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

    /// Writes a few bytes whose number the compiler knows.
    #[inline(always)]
    pub(crate) fn block<const N: usize>(&mut self, bytes: &[u8; N]) {
        let end = self.at.wrapping_add(N);
        let Some(place) = self.place.get_mut(self.at..end) else {
            return self.close();
        };
        place.copy_from_slice(bytes);
        self.at = end;
    }

    /// Writes the first bytes of a word; those behind them are overwritten by what follows.
    #[inline(always)]
    pub(crate) fn word(&mut self, word: u64, length: usize) {
        self.words(&[word], length);
    }

    /// Writes the first bytes of words that the compiler knows, without reading them from memory.
    #[inline(always)]
    pub(crate) fn words<const W: usize>(&mut self, words: &[u64; W], length: usize) {
        let rest = self.place.get_mut(self.at..).unwrap_or_default();
        let Some((place, _)) = rest.split_at_mut_checked(W.wrapping_mul(8)) else {
            return self.close();
        };
        for (to, word) in place.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        self.at = self.at.wrapping_add(length);
    }

    /// Writes a byte over one that is written, so many bytes from the end.
    #[inline(always)]
    pub(crate) fn patch(&mut self, from_end: usize, byte: u8) {
        let at = self.at.wrapping_sub(from_end);
        if let Some(place) = self.place.get_mut(at) {
            *place = byte;
        }
    }

    /// Writes short bytes, a word at a time, the last overlapping the one before: a call of `memory.copy` costs as much as 100
    /// bytes do in this way.
    #[inline]
    pub(crate) fn text(&mut self, bytes: &[u8]) {
        let end = self.at.wrapping_add(bytes.len());
        let Some(place) = self.place.get_mut(self.at..end) else {
            return self.close();
        };
        if let (Some(to), Some(from)) = (place.last_chunk_mut::<8>(), bytes.last_chunk::<8>()) {
            *to = *from;
            for (to, from) in place.chunks_exact_mut(8).zip(bytes.chunks_exact(8)) {
                to.copy_from_slice(from);
            }
        } else if let (Some(first), Some(last)) =
            (bytes.first_chunk::<4>(), bytes.last_chunk::<4>())
        {
            if let Some(to) = place.first_chunk_mut() {
                *to = *first;
            }
            if let Some(to) = place.last_chunk_mut() {
                *to = *last;
            }
        } else {
            for (to, from) in place.iter_mut().zip(bytes) {
                *to = *from;
            }
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
