//! Choices of generators, each of them a function of those before: SplitMix64. A seed and a number give all of them again, on every
//! machine.

use crate::dialect::{Context, State};

/// A source of choices.
pub struct Draw(u64);

impl Draw {
    /// Returns the choices of this seed and number.
    pub fn of(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Returns the next of all numbers.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Returns a number below the limit.
    ///
    /// # Panics
    /// When the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("a limit");
        usize::try_from(self.number() % limit).expect("below a usize")
    }

    /// Returns true once in so many times.
    ///
    /// # Panics
    /// When that is 0.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// Returns one of these.
    ///
    /// # Panics
    /// When there is none.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Returns a byte that a header's value can have in HTTP.
    pub fn byte(&mut self) -> u8 {
        match self.number().to_le_bytes() {
            [byte @ (b'\t' | b' '..=b'~' | 0x80..), ..] => byte,
            _ => b'-',
        }
    }

    /// Returns fewer bytes than the limit, each of which a header's value can have.
    ///
    /// # Panics
    /// When the limit is 0.
    pub fn bytes(&mut self, limit: usize) -> Vec<u8> {
        (0..self.below(limit)).map(|_| self.byte()).collect()
    }

    /// Returns a number above 0, and at most 1.
    pub fn share(&mut self) -> f64 {
        ((self.number() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a trace id of 32 digits.
    pub fn trace_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.number(), self.number())
    }

    /// Returns a context; half of a trace id is 0 now and then.
    pub fn context(&mut self) -> Context {
        let (left, right, span) = (self.number(), self.number(), self.number());
        let left = if self.one_in(4) { 0 } else { left };
        let right = if self.one_in(40) { 0 } else { right };
        Context {
            trace_id: format!("{left:016x}{right:016x}"),
            span_id: format!("{span:016x}"),
            state: self.one(&State::ALL),
        }
    }
}
