//! The time between two attempts.

use std::time::Duration;

/// The times between attempts to send a message that a destination may take later. There is no last attempt: the message
/// waits until it is taken or refused, or its queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The time after the first failure, give or take a fifth; it doubles with each further failure.
    pub initial: Duration,
    /// The longest such time.
    pub max: Duration,
    /// The longest time that a destination is given when it asks for one.
    pub max_asked: Duration,
}

impl Default for Retry {
    /// Returns 1 s, 30 s and 5 min.
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(30),
            max_asked: Duration::from_secs(300),
        }
    }
}

/// The failures in a row of one destination.
#[derive(Debug)]
pub(super) struct Backoff {
    retry: Retry,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(retry: Retry) -> Self {
        Self { retry, failures: 0 }
    }

    /// Forgets the failures.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure, and returns the time until the next attempt.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let doubled = 2u32.saturating_pow(self.failures.min(MAX_DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        match asked {
            // A destination that asks for no time at all would be asked without end.
            Some(asked) => asked.clamp(LEAST.min(self.retry.max_asked), self.retry.max_asked),
            None => {
                let time = self.retry.initial.saturating_mul(doubled);
                jittered(time.min(self.retry.max), random())
            }
        }
    }
}

/// Returns the time, less or more by up to a fifth: clients that failed together do not come back together.
fn jittered(time: Duration, random: u32) -> Duration {
    let share = f64::from(random) / f64::from(u32::MAX);
    time.mul_f64(0.8 + 0.4 * share)
}

fn random() -> u32 {
    // A system without randomness has other cares than clients that come together.
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

const LEAST: Duration = Duration::from_millis(10);
const MAX_DOUBLINGS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest_and_begins_anew() {
        let mut backoff = Backoff::new(Retry::default());
        for expected in [1, 2, 4, 8, 16, 30, 30] {
            let found = backoff.next(None).as_secs_f64() / f64::from(expected);
            assert!((0.79..1.21).contains(&found), "{found} of {expected} s");
        }
        backoff.reset();
        assert!(backoff.next(None) < Duration::from_secs(2));
        let mut many = Backoff::new(Retry::default());
        assert!((0..1_000).all(|_| many.next(None) < Duration::from_secs(37)));
    }

    #[test]
    fn differs_from_one_to_the_next() {
        let second = Duration::from_secs(1);
        assert_eq!(jittered(second, 0), Duration::from_millis(800));
        assert_eq!(jittered(second, u32::MAX), Duration::from_millis(1_200));
    }

    #[test]
    fn what_is_asked_for_is_kept_to_within_bounds() {
        let mut backoff = Backoff::new(Retry::default());
        for (asked, expected) in [(7_000, 7_000), (0, 10), (3_600_000, 300_000)] {
            let found = backoff.next(Some(Duration::from_millis(asked)));
            assert_eq!(found, Duration::from_millis(expected));
        }
    }
}
