//! The limits of one worker: new traces a second, and spans a second that are kept without having been sampled.
//!
//! There are two kinds of limit, and they differ in whether a backend can still count the dropped traces. A **bucket**
//! lets the first traces of each second pass, whose probability is unknown (RL-1, RL-3). An **estimate** of the rate
//! raises the threshold on the trace's own randomness until the wanted rate is left: the traces that pass have a
//! probability, and hosts that see the same traffic drop the same traces (TH-22).
//!
//! Each worker has limits of its own, because workers share no state that could be asked for each request.

use core::time::Duration;

use super::settings::{Keep, Sampling};
use crate::time::Nanos;

/// The limits of one worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateLimits {
    /// The limit of traces that begin here.
    pub(crate) roots: RootLimit,
    /// The limits of kept SERVER and CLIENT spans, one half for each, so that services whose proxies make one span or
    /// both for each trace drop the same traces.
    pub(crate) kept: [AdaptiveShare; 2],
    /// The limits of kept spans at an edge.
    pub(crate) kept_at_edge: [AdaptiveShare; 2],
}

impl RateLimits {
    /// Returns the configured limits.
    #[inline]
    pub fn new(sampling: &Sampling, at_edge: Option<Keep>) -> Self {
        let roots = match sampling.traces_per_second {
            None => RootLimit::Unlimited,
            Some(rate) if sampling.consistent => RootLimit::Thinned(AdaptiveShare::new(rate)),
            Some(rate) => RootLimit::Counted(TokenBucket::new(rate)),
        };
        Self {
            roots,
            kept: halves(sampling.keep),
            kept_at_edge: halves(at_edge.unwrap_or(sampling.keep)),
        }
    }
}

#[inline]
fn halves(keep: Keep) -> [AdaptiveShare; 2] {
    [AdaptiveShare::new(keep.spans_per_second / 2.0); 2]
}

/// The limit of traces that begin here.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum RootLimit {
    #[default]
    Unlimited,
    Counted(TokenBucket),
    Thinned(AdaptiveShare),
}

/// A token bucket (RL-1), which holds the tokens of one second, and one token at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TokenBucket {
    rate: f64,
    balance: f64,
    since: Option<Nanos>,
}

impl TokenBucket {
    #[inline]
    pub(crate) fn new(rate: f64) -> Self {
        Self {
            rate,
            balance: rate.max(1.0),
            since: None,
        }
    }

    /// Returns this bucket at another rate, as full as before in proportion.
    #[inline]
    pub(crate) fn at_rate(self, rate: f64) -> Self {
        Self {
            rate,
            balance: self.balance / self.rate.max(1.0) * rate.max(1.0),
            since: self.since,
        }
    }

    /// Takes one token; returns false where there is none.
    #[inline]
    pub(crate) fn takes(&mut self, now: Nanos) -> bool {
        if self.rate <= 0.0 {
            return false;
        }
        let since = self.since.replace(now).unwrap_or(now);
        self.balance = (self.balance + self.rate * seconds(since, now)).min(self.rate.max(1.0));
        let is_there = self.balance >= 1.0;
        if is_there {
            self.balance -= 1.0;
        }
        is_there
    }
}

/// An estimate of the rate of requests, and of the share of them that may pass.
///
/// Hosts that see the same traffic must come to nearly the same share, because otherwise one host would keep its span
/// of a trace and the next host not. Periods are therefore those of the clock, which all hosts share, and chance
/// variations count little: the number of one period moves the estimate slowly, and replaces it only where the number
/// is a surge. A period is a second, or as long as it takes until one request may pass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct AdaptiveShare {
    // The number that may pass in one period; all numbers of this type are of one period.
    target: f64,
    nanos: u64,
    // The estimate from the periods before this one; `None` where nothing is known.
    rate: Option<f64>,
    // True if traffic began during the previous period, so that `rate` covers only a part of one.
    is_new: bool,
    // The number of requests in the current period.
    count: f64,
    period: u64,
}

impl AdaptiveShare {
    /// Returns the estimate for a limit of requests a second.
    #[inline]
    pub(crate) fn new(per_second: f64) -> Self {
        let seconds = match per_second > 0.0 {
            true => per_second.recip().clamp(1.0, LONGEST_SECONDS),
            false => 1.0,
        };
        Self {
            target: per_second * seconds,
            nanos: u64::try_from(Duration::from_secs_f64(seconds).as_nanos()).unwrap_or(u64::MAX),
            ..Self::default()
        }
    }

    /// Counts one request, and returns the share of all requests that may pass, from 0 to 1.
    #[inline]
    pub(crate) fn share(&mut self, now: Nanos) -> f64 {
        self.roll(now);
        self.count += 1.0;
        let rate = match self.rate {
            Some(rate) if self.count <= rate * SURGE => rate,
            _ => self.count,
        };
        if self.target <= 0.0 {
            return 0.0;
        }
        (self.target / rate.max(self.target)).min(1.0)
    }

    /// Closes the period if it is over, and the empty periods behind it.
    #[inline]
    fn roll(&mut self, Nanos(now): Nanos) {
        let period = now.checked_div(self.nanos).unwrap_or(0);
        let passed = period.abs_diff(self.period);
        // A clock that was set back a little stays in the period that it had reached.
        if passed == 0 || (period < self.period && passed < MANY) {
            return;
        }
        if self.period > 0 {
            self.believe(self.count);
            for _ in 1..passed.min(MANY) {
                self.believe(0.0);
            }
        }
        if passed >= MANY {
            self.rate = None;
            self.is_new = false;
        }
        self.count = 0.0;
        self.period = period;
    }

    #[inline]
    fn believe(&mut self, count: f64) {
        let was_new = core::mem::take(&mut self.is_new);
        self.rate = Some(match self.rate {
            // The first whole period measures better than the part of a period in which the traffic began.
            Some(rate) if was_new => {
                self.is_new = count > rate * SURGE;
                count
            }
            Some(rate) if count <= rate * SURGE => rate + WEIGHT * (count - rate),
            // A surge is the new rate, because nothing says that it will end; and the first period is all that is known.
            _ => {
                self.is_new = true;
                count
            }
        });
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a time between two requests needs no sixteen digits"
)]
#[inline]
fn seconds(since: Nanos, now: Nanos) -> f64 {
    let (Nanos(since), Nanos(now)) = (since, now);
    now.saturating_sub(since) as f64 / 1e9
}

/// Weight of the newest period in the estimate, so that the estimate rests on about ten periods.
const WEIGHT: f64 = 0.1;
/// Factor over the estimate from which a period is a surge and no chance variation.
const SURGE: f64 = 1.5;
/// Empty periods after which the estimate is forgotten.
const MANY: u64 = 60;
/// Longest period in seconds, however low the limit is.
const LONGEST_SECONDS: f64 = 60.0;

#[cfg(test)]
mod tests;
