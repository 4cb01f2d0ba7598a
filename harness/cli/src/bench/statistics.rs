//! Statistics over rounds and processes.
//!
//! Within a process, a busy machine only adds to the cost of a request: the least round counts. Between the processes of one
//! candidate chance decides, too, by where their memory lies, up to 2 µs either way: the least flatters who was lucky, the
//! median who was not disturbed, and the mean of the lowest third moves least from run to run. Latency has no lower bound, so
//! its median and its percentiles count.
//!
//! Written here because these few functions need no statistics crate.

/// The three figures of a candidate over its processes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figures {
    /// The least process.
    pub(super) least: f64,
    /// The mean of the lowest third.
    pub(super) low: f64,
    /// The middle.
    pub(super) median: f64,
}

impl Figures {
    /// Returns the figures of rounds, of which each process had so many; there is at least one round.
    pub(super) fn of(rounds: &[f64], rounds_of_a_process: usize) -> Self {
        let processes = by_process(rounds, rounds_of_a_process);
        Self {
            least: least(&processes),
            low: low(&processes),
            median: median(&processes).unwrap_or(f64::NAN),
        }
    }

    /// Returns the differences to other figures, each to its like.
    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            least: self.least - other.least,
            low: self.low - other.low,
            median: self.median - other.median,
        }
    }
}

/// Returns the least round of each process.
pub(super) fn by_process(rounds: &[f64], rounds_of_a_process: usize) -> Vec<f64> {
    rounds
        .chunks(rounds_of_a_process.max(1))
        .map(least)
        .collect()
}

/// Returns the mean of the lowest third, of one value at least.
pub(super) fn low(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let third = &sorted[..sorted.len().div_ceil(3)];
    third.iter().sum::<f64>() / third.len() as f64
}

/// Returns the least value; there is at least one round.
pub(super) fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Returns the greatest value.
pub(super) fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Returns the gap between the least value and the second least; `None` for a single value.
pub(super) fn gap(values: &[f64]) -> Option<f64> {
    match sorted(values).as_slice() {
        [least, next, ..] => Some(next - least),
        _ => None,
    }
}

/// Returns the middle value, or the mean of the middle two; `None` for no values.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// Returns the least value that `percent` percent of all values do not exceed; `sorted` begins with the least.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_round_counts_and_the_next_says_how_near_it_is() {
        let rounds = [41.5, 40.0, 55.0, 40.25];
        assert_eq!(least(&rounds), 40.0);
        assert_eq!(greatest(&rounds), 55.0);
        assert_eq!(gap(&rounds), Some(0.25));
        assert_eq!(gap(&[40.0]), None);
    }

    #[test]
    fn the_lowest_third_is_one_value_at_least() {
        for (values, expected) in [
            (&[7.0][..], 7.0),
            (&[9.0, 7.0, 8.0], 7.0),
            (&[9.0, 7.0, 8.0, 10.0], 7.5),
            (&[8.0, 1.0, 2.0, 3.0, 100.0, 7.0, 6.0, 5.0], 2.0),
        ] {
            assert_eq!(low(values), expected, "{values:?}");
        }
    }

    /// A disturbed round is no round of its process, and a dear process is one process however many rounds it had.
    #[test]
    fn the_figures_are_over_processes_and_the_rounds_within_are_their_least() {
        let rounds = [30.0, 90.0, 31.0, 31.5, 36.0, 35.0];
        assert_eq!(by_process(&rounds, 2), [30.0, 31.0, 35.0]);
        let figures = Figures::of(&rounds, 2);
        let expected = Figures {
            least: 30.0,
            low: 30.0,
            median: 31.0,
        };
        assert_eq!(figures, expected);
        let none = Figures::of(&[20.0, 22.0], 1);
        let added = figures.minus(none);
        assert_eq!([added.least, added.low, added.median], [10.0, 10.0, 10.0]);
    }

    #[test]
    fn the_median_is_the_middle() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[9.0, 1.0], Some(5.0)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let hundred: Vec<u64> = (1..=100).collect();
        for (values, percent, expected) in [
            (&hundred[..], 50, Some(50)),
            (&hundred, 99, Some(99)),
            (&hundred, 100, Some(100)),
            (&[7, 8], 50, Some(7)),
            (&[7, 8], 99, Some(8)),
            (&[7], 1, Some(7)),
            (&[], 50, None),
        ] {
            assert_eq!(percentile(values, percent), expected, "{percent}");
        }
    }
}
