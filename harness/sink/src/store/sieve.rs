//! What blocks of spans may have: a Bloom filter of attributes for every 64 rows, in memory, so that a search for an attribute
//! reads the rows that may have it and not all of them.
//!
//! It is a help and no index: rows that were written before the store was opened are not in it, and are read.

use std::collections::VecDeque;
use std::sync::{Arc, RwLock};

/// The filters, as the writer and the readers share them.
pub(super) type SharedSieve = Arc<RwLock<Sieve>>;

/// The filters of consecutive blocks of rows.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    blocks: VecDeque<Block>,
    /// The number of the first block. Rows of blocks before it are unknown.
    first: i64,
    /// True if no row is unknown.
    is_whole: bool,
    max_blocks: usize,
}

/// The bits of one block.
type Block = Box<[u64; WORDS]>;

impl Sieve {
    /// Returns the sieve of a store whose next row has a number; `is_empty` if there are no rows before.
    pub(super) fn new(next_row: i64, is_empty: bool, max_rows: usize) -> Self {
        Self {
            blocks: VecDeque::new(),
            // The rest of a block that has begun stays unknown.
            first: match is_empty {
                true => block_of(next_row),
                false => block_of(next_row) + 1,
            },
            is_whole: is_empty,
            // Twice the rows, because numbers of rows have gaps where long traces outlive short ones.
            max_blocks: max_rows.saturating_mul(2) / ROWS + 2,
        }
    }

    /// Adds the attributes of a row, whose number is larger than that of any row before.
    pub(super) fn add(&mut self, row: i64, tokens: &[u64]) {
        let Ok(at) = usize::try_from(block_of(row) - self.first) else {
            // Of a block that began before the store was opened.
            self.is_whole = false;
            return;
        };
        while self.blocks.len() <= at {
            if self.blocks.len() >= self.max_blocks {
                self.blocks.pop_front();
                self.first += 1;
                self.is_whole = false;
                return self.add(row, tokens);
            }
            self.blocks.push_back(Box::new([0; WORDS]));
        }
        let Some(block) = self.blocks.get_mut(at) else {
            return;
        };
        for (word, bit) in tokens.iter().flat_map(|token| places(*token)) {
            if let Some(word) = block.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Forgets the rows before a number, which are gone.
    pub(super) fn forget_before(&mut self, row: i64) {
        while self.first < block_of(row) && self.blocks.pop_front().is_some() {
            self.first += 1;
        }
        self.is_whole |= row >= self.first.saturating_mul(ROWS_OF_BLOCK);
    }

    /// Takes note that rows may be back that were forgotten.
    pub(super) fn doubt(&mut self) {
        self.is_whole = false;
    }

    /// Returns the ranges of rows that may have a token of each of these sets.
    pub(super) fn ranges(&self, sets: &[&[u64]]) -> Vec<(i64, i64)> {
        if sets.is_empty() || self.blocks.is_empty() {
            return vec![(i64::MIN, i64::MAX)];
        }
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        if !self.is_whole {
            ranges.push((i64::MIN, self.first * ROWS_OF_BLOCK - 1));
        }
        for (block, number) in self.blocks.iter().zip(self.first..) {
            let may_have = |token: &u64| {
                let mut places = places(*token).into_iter();
                places.all(|(word, bit)| block.get(word).is_some_and(|word| word & bit != 0))
            };
            if sets.iter().all(|set| set.iter().any(may_have)) {
                let (from, to) = (number * ROWS_OF_BLOCK, (number + 1) * ROWS_OF_BLOCK - 1);
                match ranges.last_mut() {
                    Some(last) if last.1 + 1 == from => last.1 = to,
                    _ => ranges.push((from, to)),
                }
            }
        }
        ranges
    }
}

/// Returns the number of rows in ranges.
pub(super) fn rows(ranges: &[(i64, i64)]) -> u64 {
    let rows = ranges.iter().map(|(from, to)| from.abs_diff(*to));
    rows.fold(0, u64::saturating_add)
}

fn block_of(row: i64) -> i64 {
    row.div_euclid(ROWS_OF_BLOCK)
}

/// Returns the words and bits of a token, four of them, each by 13 bits of the token.
fn places(token: u64) -> [(usize, u64); 4] {
    [0, 13, 26, 39].map(|shift| {
        let place = (token >> shift) & 0x1FFF;
        let word = usize::try_from(place >> 6).unwrap_or_default();
        (word, 1 << (place & 63))
    })
}

/// The rows of a block. With eleven attributes a span, each its own, and four bits each in 8,192, a block that has not an
/// attribute is read in one of 150 cases.
const ROWS: usize = 64;
const ROWS_OF_BLOCK: i64 = 64;
const WORDS: usize = 128;

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use foldhash::quality::FixedState;

    use super::*;

    fn token(number: u64) -> u64 {
        FixedState::with_seed(0).hash_one(number)
    }

    fn has(sieve: &Sieve, row: i64, sets: &[&[u64]]) -> bool {
        let ranges = sieve.ranges(sets);
        ranges.iter().any(|(from, to)| (*from..=*to).contains(&row))
    }

    #[test]
    fn a_row_is_among_those_that_may_have_its_attributes_and_few_others_are() {
        let mut sieve = Sieve::new(1, true, 100_000);
        for row in 1..10_000i64 {
            let own = 11 * row.cast_unsigned();
            sieve.add(row, &(own..own + 11).map(token).collect::<Vec<_>>());
        }
        let mut rows_read = 0;
        for row in (1..10_000i64).step_by(37) {
            let own = 11 * row.cast_unsigned();
            let (one, two) = ([token(own)], [token(own + 10)]);
            assert!(has(&sieve, row, &[&one, &two]), "{row}");
            rows_read += rows(&sieve.ranges(&[&one]));
        }
        // Each time its own block, and of 156 others one or two.
        assert!(rows_read < 271 * 64 * 4, "{rows_read}");
        assert_eq!(sieve.ranges(&[]), [(i64::MIN, i64::MAX)]);
        assert!(rows(&sieve.ranges(&[&[token(1 << 40)]])) < 640);
    }

    #[test]
    fn rows_from_before_the_start_are_read() {
        let mut sieve = Sieve::new(100, false, 1_000);
        assert!(has(&sieve, 5, &[&[token(1)]]));
        for row in 100..300 {
            sieve.add(row, &[token(2)]);
        }
        for row in [5, 99, 100, 127] {
            assert!(has(&sieve, row, &[&[token(1)]]), "{row}");
        }
        assert!(!has(&sieve, 128, &[&[token(1)]]));
        assert!(has(&sieve, 128, &[&[token(1), token(2)]]));
        // When they are gone, nothing is unknown.
        sieve.forget_before(128);
        assert!(!has(&sieve, 5, &[&[token(1)]]));
        sieve.doubt();
        assert!(
            has(&sieve, 5, &[&[token(1)]]),
            "after a transaction that failed"
        );
        sieve.forget_before(i64::MAX);
        assert!(has(&sieve, 300, &[&[token(1)]]), "nothing is known");
    }

    #[test]
    fn the_memory_is_bounded_whatever_stays() {
        let mut sieve = Sieve::new(1, true, 640);
        for row in 1..100_000 {
            sieve.add(row, &[token(3)]);
        }
        assert_eq!(sieve.blocks.len(), 22);
        assert!(has(&sieve, 1, &[&[token(4)]]), "forgotten, so unknown");
        assert!(!has(&sieve, 99_999, &[&[token(4)]]));
        assert!(has(&sieve, 99_999, &[&[token(3)]]));
    }
}
