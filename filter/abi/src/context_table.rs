//! A table of contexts by their ids, which the proxy gives one after the other: open addressing, never more than half full.
//!
//! Every callback of a stream looks its context up, so the table is written for these ids: a general hash map is more code
//! and slower, because it must expect keys that an attacker chooses.

/// Values by their numbers, as contexts by their ids.
pub(crate) struct ContextTable<T> {
    // Empty, or a power of two of slots.
    slots: Vec<Option<(u32, T)>>,
    len: usize,
}

impl<T> ContextTable<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
        }
    }

    /// Returns the value of this number.
    #[inline]
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let place = self.place(number)?;
        let (_, value) = self.slots.get_mut(place)?.as_mut()?;
        Some(value)
    }

    /// Sets the value of a number, in place of an older one.
    pub(crate) fn insert(&mut self, number: u32, value: T) {
        if let Some(old) = self.get_mut(number) {
            *old = value;
            return;
        }
        if self.len.saturating_mul(2) >= self.slots.len() {
            self.grow();
        }
        self.put(number, value);
    }

    /// Removes the value of a number, and returns it.
    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let mut gap = self.place(number)?;
        let (_, value) = self.slots.get_mut(gap)?.take()?;
        self.len = self.len.saturating_sub(1);
        // A search ends at an empty slot, so a value that was displaced past the gap has to move into the gap.
        let mut place = self.next(gap);
        while let Some(Some((other, _))) = self.slots.get(place) {
            let from_home = self.distance(self.home(*other), place);
            if from_home >= self.distance(gap, place) {
                let moved = self.slots.get_mut(place).and_then(Option::take);
                if let Some(slot) = self.slots.get_mut(gap) {
                    *slot = moved;
                }
                gap = place;
            }
            place = self.next(place);
        }
        Some(value)
    }

    #[inline]
    fn place(&self, number: u32) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let mut place = self.home(number);
        // The loop ends, because half of the slots are empty.
        while let Some((other, _)) = self.slots.get(place)? {
            if *other == number {
                return Some(place);
            }
            place = self.next(place);
        }
        None
    }

    fn put(&mut self, number: u32, value: T) {
        let mut place = self.home(number);
        while let Some(Some(_)) = self.slots.get(place) {
            place = self.next(place);
        }
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some((number, value));
            self.len = self.len.saturating_add(1);
        }
    }

    fn grow(&mut self) {
        let count = self.slots.len().saturating_mul(2).max(SMALLEST);
        let slots = std::iter::repeat_with(|| None).take(count).collect();
        self.len = 0;
        for (number, value) in std::mem::replace(&mut self.slots, slots)
            .into_iter()
            .flatten()
        {
            self.put(number, value);
        }
    }

    /// Returns the slot at which the search for a number begins. Consecutive numbers are put far apart (Knuth's
    /// multiplicative hashing), so that the ids of long streams do not form runs that other searches have to pass.
    fn home(&self, number: u32) -> usize {
        let mixed = u64::from(number.wrapping_mul(GOLDEN));
        let count = u64::try_from(self.slots.len()).unwrap_or(0);
        usize::try_from(mixed.wrapping_mul(count).wrapping_shr(32)).unwrap_or(0)
    }

    fn next(&self, place: usize) -> usize {
        place.wrapping_add(1) & self.slots.len().wrapping_sub(1)
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.slots.len().wrapping_sub(1)
    }
}

/// 2^32 divided by the golden ratio.
const GOLDEN: u32 = 0x9e37_79b9;
const SMALLEST: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn holds_what_a_map_holds() {
        let (mut slots, mut model) = (ContextTable::new(), HashMap::new());
        let mut seed = 3_u64;
        for step in 0..200_000_u32 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let number = u32::try_from(seed % 600)
                .unwrap()
                .wrapping_mul(1 << (seed >> 60));
            match seed >> 32 & 3 {
                0 | 1 => {
                    slots.insert(number, step);
                    model.insert(number, step);
                }
                2 => assert_eq!(slots.remove(number), model.remove(&number)),
                _ => {}
            }
            assert_eq!(slots.get_mut(number), model.get_mut(&number));
            assert_eq!(slots.len, model.len());
        }
        for number in model.keys() {
            assert_eq!(slots.get_mut(*number), model.clone().get_mut(number));
        }
    }

    #[test]
    fn short_streams_among_long_ones_are_found_at_once() {
        let mut slots = ContextTable::new();
        for number in 1..100_000_u32 {
            slots.insert(number, ());
            // Every hundredth stream stays open.
            if number > 50 && (number - 50) % 100 != 0 {
                slots.remove(number - 50);
            }
        }
        let occupied = slots.slots.iter().map(Option::is_some);
        let (mut run, mut longest) = (0, 0);
        for is_occupied in occupied {
            run = if is_occupied { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        assert!(longest < 64, "{longest}");
    }
}
