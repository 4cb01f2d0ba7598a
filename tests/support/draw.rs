//! Choices of generators, each of them a function of those before: SplitMix64. A seed and a number give all of them again.

use sidespan_tests::dialect::{Context, State};

/// Choices.
pub(super) struct Draw(u64);

impl Draw {
    /// Returns the choices of this seed and number.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("a limit");
        usize::try_from(self.next() % limit).expect("below a usize")
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Returns a byte that a header's value can have in HTTP.
    pub(super) fn byte(&mut self) -> u8 {
        match self.next().to_le_bytes() {
            [byte @ (b'\t' | b' '..=b'~' | 0x80..), ..] => byte,
            _ => b'-',
        }
    }

    pub(super) fn bytes(&mut self, limit: usize) -> Vec<u8> {
        (0..self.below(limit)).map(|_| self.byte()).collect()
    }

    pub(super) fn context(&mut self) -> Context {
        let (left, right, span) = (self.next(), self.next(), self.next());
        let left = if self.one_in(4) { 0 } else { left };
        let right = if self.one_in(40) { 0 } else { right };
        Context {
            trace_id: format!("{left:016x}{right:016x}"),
            span_id: format!("{span:016x}"),
            state: self.one(&State::ALL),
        }
    }
}
