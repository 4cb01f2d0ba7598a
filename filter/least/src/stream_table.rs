//! The spans of the streams that are under way, each in a place of its own, found by the stream's id.
//!
//! A place that was given back last is given out first, because its memory is in the processor's cache.

/// The most bytes of a span before its response.
pub(crate) const ROOM: usize = 2048;

/// The spans that are under way.
pub(crate) struct StreamTable {
    places: [[u8; ROOM]; PLACES],
    // The place of a stream, plus one, by the low bits of the stream's id; 0 for none.
    place_of: [u16; STREAMS],
    used: [usize; PLACES],
    free: [u16; PLACES],
    freed: usize,
    opened: u16,
}

impl StreamTable {
    pub(crate) const fn new() -> Self {
        Self {
            places: [[0; ROOM]; PLACES],
            place_of: [0; STREAMS],
            used: [0; PLACES],
            free: [0; PLACES],
            freed: 0,
            opened: 0,
        }
    }

    /// Returns the place for the span of a stream, to be written by `write`, which returns the number of bytes. A stream
    /// beyond the number of places gets none, and no span.
    #[inline]
    pub(crate) fn open(&mut self, stream: u32, write: impl FnOnce(&mut [u8; ROOM]) -> usize) {
        let place = if self.freed > 0 {
            self.freed = self.freed.wrapping_sub(1);
            self.free.get(self.freed).copied().unwrap_or_default()
        } else {
            let next = self.opened.min(BEYOND);
            self.opened = next.wrapping_add(1);
            next
        };
        let index = usize::from(place);
        if let (Some(bytes), Some(used)) = (self.places.get_mut(index), self.used.get_mut(index)) {
            *used = write(bytes);
            self.place_of[stream as usize % STREAMS] = place.wrapping_add(1);
        }
    }

    /// Returns the span of a stream, and gives its place back; `None` where the stream has none.
    #[inline]
    pub(crate) fn close(&mut self, stream: u32) -> Option<&[u8]> {
        let entry = &mut self.place_of[stream as usize % STREAMS];
        let place = entry.checked_sub(1)?;
        *entry = 0;
        if let Some(free) = self.free.get_mut(self.freed) {
            *free = place;
            self.freed = self.freed.wrapping_add(1);
        }
        let place = usize::from(place);
        self.places.get(place)?.get(..*self.used.get(place)?)
    }
}

const PLACES: usize = 256;
/// The number of a place that there is not.
const BEYOND: u16 = 256;
const STREAMS: usize = 4096;
