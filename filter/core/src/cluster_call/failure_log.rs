//! The log throttle for failing calls: the first failure of each kind, and the recovery, are worth a line (RT-8).
//!
//! A collector that comes and goes must not fill the log of every proxy of a mesh. A kind of failure is therefore logged
//! once until a call succeeds, and afterwards at most once a minute; a recovery is logged only after a logged failure.

use alloc::vec::Vec;
use core::time::Duration;

use crate::time::Nanos;

/// An event that is worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEvent<F> {
    /// A failure of a kind that was not logged yet.
    Failing(F),
    /// A success after a logged failure.
    Recovered,
}

/// Failure kinds already logged; at most [`MAX_KINDS`].
#[derive(Debug)]
pub(crate) struct FailureLog<F>(Vec<LoggedFailure<F>>);

#[derive(Debug)]
struct LoggedFailure<F> {
    failure: F,
    since: Nanos,
    // True once a call has succeeded; the kind stays only to be quiet about its next failure.
    is_over: bool,
}

impl<F> Default for FailureLog<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Copy + PartialEq> FailureLog<F> {
    /// Notes a failed call, and returns the event to log.
    pub(crate) fn record_failure(&mut self, failure: F, now: Nanos) -> Option<LogEvent<F>> {
        self.0
            .retain(|logged| !logged.is_over || !now.is_past(logged.since, QUIET));
        let is_told = self.0.iter().any(|logged| logged.failure == failure);
        if is_told || self.0.len() >= MAX_KINDS {
            return None;
        }
        self.0.push(LoggedFailure {
            failure,
            since: now,
            is_over: false,
        });
        Some(LogEvent::Failing(failure))
    }

    /// Notes a successful call, and returns the event to log.
    pub(crate) fn record_success(&mut self) -> Option<LogEvent<F>> {
        let mut was_failing = false;
        for logged in &mut self.0 {
            was_failing |= !core::mem::replace(&mut logged.is_over, true);
        }
        was_failing.then_some(LogEvent::Recovered)
    }
}

/// The largest number of kinds that are logged, because a collector may fail in ever new ways.
const MAX_KINDS: usize = 8;
/// The least time between two lines on one kind, if calls succeeded in between.
const QUIET: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::response::Failure;

    const SECOND: u64 = 1_000_000_000;
    const DOWN: Failure = Failure::NoAnswer;
    const OTHER: Failure = Failure::HttpStatus(500);

    #[test]
    fn rt_8_tells_each_kind_of_failure_once_until_export_works_again() {
        let mut reported = FailureLog::default();
        assert_eq!(reported.record_success(), None, "nothing has failed yet");
        assert_eq!(
            reported.record_failure(DOWN, Nanos(0)),
            Some(LogEvent::Failing(DOWN))
        );
        for second in 1..1_000 {
            assert_eq!(reported.record_failure(DOWN, Nanos(second * SECOND)), None);
        }
        assert_eq!(
            reported.record_failure(OTHER, Nanos(0)),
            Some(LogEvent::Failing(OTHER))
        );
        assert_eq!(reported.record_success(), Some(LogEvent::Recovered));
        assert_eq!(reported.record_success(), None);
    }

    #[test]
    fn what_comes_and_goes_is_told_once_a_minute() {
        let mut reported = FailureLog::default();
        let mut lines = 0;
        for tenth in 0..3_000 {
            let now = Nanos(tenth * SECOND / 10);
            let failure = if tenth % 2 == 0 { DOWN } else { OTHER };
            lines += usize::from(reported.record_failure(failure, now).is_some());
            lines += usize::from(reported.record_success().is_some());
        }
        // Five minutes, two kinds, each with its recovery.
        assert!((5..=20).contains(&lines), "{lines} lines in five minutes");
    }

    #[test]
    fn an_outage_that_follows_another_is_told_in_the_end() {
        let mut reported = FailureLog::default();
        reported.record_failure(DOWN, Nanos(0));
        reported.record_success();
        assert_eq!(
            reported.record_failure(DOWN, Nanos(10 * SECOND)),
            None,
            "quiet"
        );
        assert_eq!(reported.record_success(), None, "nobody was told");
        assert_eq!(
            reported.record_failure(DOWN, Nanos(59 * SECOND)),
            None,
            "quiet"
        );
        assert_eq!(
            reported.record_failure(DOWN, Nanos(60 * SECOND)),
            Some(LogEvent::Failing(DOWN)),
            "it goes on"
        );
    }

    #[test]
    fn ever_new_kinds_are_not_told_for_ever() {
        let mut reported = FailureLog::default();
        let logged = (500..600)
            .filter(|status| {
                reported
                    .record_failure(Failure::HttpStatus(*status), Nanos(0))
                    .is_some()
            })
            .count();
        assert_eq!(logged, MAX_KINDS);
    }
}
