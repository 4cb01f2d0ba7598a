//! Statistics over the rounds. A busy machine only adds to the cost of a request, so the least round is the nearest to
//! it, and the gap to the next shows how near. Latency has no such lower bound, so its median and its percentiles
//! count.
//!
//! Written here because these few functions need no statistics crate.

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
