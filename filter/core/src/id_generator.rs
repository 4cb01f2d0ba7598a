//! The generator of trace and span ids, from randomness that is drawn for many ids at once.
//!
//! A draw costs a call to the proxy, whatever its size. Where a draw fails there is no id. A weak seed never replaces the
//! draw, because all workers start at the same moment and would make the same ids.

use crate::ids::{SpanId, TraceId};

/// A source of randomness.
pub trait Random {
    /// Fills the bytes with randomness, and returns false where there is none.
    fn fill(&mut self, bytes: &mut [u8]) -> bool;
}

/// Bytes that count up from a first one, for users of this crate without a proxy: every id is known beforehand.
#[derive(Clone, Copy, Debug)]
pub struct SequentialBytes(pub u8);

impl Random for SequentialBytes {
    #[inline]
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        true
    }
}

/// The generator of ids, with a supply of random bytes.
#[derive(Debug)]
pub struct IdGenerator<E> {
    random: E,
    supply: [u8; SUPPLY_BYTES],
    // used <= SUPPLY_BYTES
    used: usize,
}

impl<E: Random> IdGenerator<E> {
    /// Returns a generator that has drawn nothing yet.
    #[inline]
    pub fn new(random: E) -> Self {
        Self {
            random,
            supply: [0; SUPPLY_BYTES],
            used: SUPPLY_BYTES,
        }
    }

    /// Makes a trace id, random in all its bits; `None` without randomness.
    #[inline]
    pub fn trace_id(&mut self) -> Option<TraceId> {
        self.take().and_then(TraceId::from_bytes)
    }

    /// Makes a span id; `None` without randomness.
    #[inline]
    pub fn span_id(&mut self) -> Option<SpanId> {
        self.take().and_then(SpanId::from_bytes)
    }

    /// Takes random bytes; `None` without randomness.
    #[inline]
    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        if self.used.saturating_add(N) > SUPPLY_BYTES {
            self.used = SUPPLY_BYTES;
            if !self.random.fill(&mut self.supply) {
                return None;
            }
            self.used = 0;
        }
        let bytes = self.supply.get(self.used..)?.first_chunk().copied()?;
        self.used = self.used.saturating_add(N);
        Some(bytes)
    }
}

/// The size of the supply: 64 span ids (test `draws_once_for_many_ids`), so that draws cost little beside requests.
const SUPPLY_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    struct Script {
        draws: usize,
        works: bool,
    }

    impl Random for Script {
        fn fill(&mut self, bytes: &mut [u8]) -> bool {
            self.draws += 1;
            bytes.fill(u8::try_from(self.draws).unwrap());
            self.works
        }
    }

    #[test]
    fn draws_once_for_many_ids() {
        let mut ids = IdGenerator::new(Script {
            draws: 0,
            works: true,
        });
        for _ in 0..64 {
            assert_eq!(ids.span_id().map(SpanId::to_bytes), Some([1; 8]));
        }
        assert_eq!(ids.random.draws, 1);
        assert_eq!(ids.trace_id().map(TraceId::to_bytes), Some([2; 16]));
    }

    #[test]
    fn makes_no_id_without_randomness() {
        let mut ids = IdGenerator::new(Script {
            draws: 0,
            works: false,
        });
        assert_eq!(ids.trace_id(), None);
        assert_eq!(ids.span_id(), None);
        assert_eq!(ids.random.draws, 2, "asks again each time");
    }
}
