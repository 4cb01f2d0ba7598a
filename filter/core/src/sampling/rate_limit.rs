//! How much a worker takes on: new traces a second, and spans a second that are kept though nobody sampled them.
//!
//! Two ways, and what tells them apart is whether anybody can still count what was left out. A **bucket** lets so many
//! pass, whichever come first, and no probability is known of those (RL-1, RL-3). An **estimate** of how many come
//! raises the threshold on the trace's own randomness until so many are left: what passes has a probability, and hosts
//! that see the same traffic leave out the same traces (TH-22).
//!
//! Each worker has its own, for workers share no state that could be asked for each request.

use core::time::Duration;

use super::settings::{Keep, Sampling};
use crate::time::Nanos;

/// The limits of one worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateLimits {
    /// Of traces that begin here.
    pub(crate) roots: RootLimit,
    /// Of spans that are kept, SERVER and CLIENT: one half for each, so that services whose proxies make one of them or
    /// both for each trace leave out the same traces.
    pub(crate) kept: [AdaptiveShare; 2],
    /// The same at an edge.
    pub(crate) kept_at_edge: [AdaptiveShare; 2],
}

impl RateLimits {
    /// The limits that are configured.
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

/// How the traces that begin here are limited.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum RootLimit {
    #[default]
    Unlimited,
    Counted(TokenBucket),
    Thinned(AdaptiveShare),
}

/// A token bucket (RL-1): it holds one second's worth, and one at least.
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

    /// The same at another rate: as full as before, in proportion.
    #[inline]
    pub(crate) fn at_rate(self, rate: f64) -> Self {
        Self {
            rate,
            balance: self.balance / self.rate.max(1.0) * rate.max(1.0),
            since: self.since,
        }
    }

    /// Takes one, if there is one.
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

/// How many come in a period, and which share of them may pass.
///
/// Hosts that see the same traffic are to come to nearly the same share, or of a trace one would keep its span and the
/// next not. So periods are those of the clock, which all hosts have in common, and chance variations count little: a
/// period's number is believed slowly, and at once only where it is a surge. A period is a second, or as long as it takes
/// for one to be allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct AdaptiveShare {
    // In a period, as are all numbers here.
    target: f64,
    nanos: u64,
    // Of the periods before this one; none where nothing is known.
    rate: Option<f64>,
    // It began within the last period, which had less than one of it.
    is_new: bool,
    // In this one.
    count: f64,
    period: u64,
}

impl AdaptiveShare {
    /// Of so many a second.
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

    /// Counts one, and says which share of all that come may pass, from 0 to 1.
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

    /// Closes the period if it is over, and those behind it in which nothing came.
    #[inline]
    fn roll(&mut self, Nanos(now): Nanos) {
        let period = now.checked_div(self.nanos).unwrap_or(0);
        let passed = period.abs_diff(self.period);
        // A clock that was set back a little is still in the period that it was in.
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
            // The first whole period is the better measure of what began within the one before it.
            Some(rate) if was_new => {
                self.is_new = count > rate * SURGE;
                count
            }
            Some(rate) if count <= rate * SURGE => rate + WEIGHT * (count - rate),
            // A period that was a surge is what comes from now on, as far as anybody knows; and the first is all that is known.
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

/// Of the newest period in the estimate: ten of them tell what the rate is.
const WEIGHT: f64 = 0.1;
/// So many times the rate is no chance variation.
const SURGE: f64 = 1.5;
/// After so many periods without any, nothing is known any more.
const MANY: u64 = 60;
/// A period is no longer than this, however few are allowed.
const LONGEST_SECONDS: f64 = 60.0;

#[cfg(test)]
mod tests;
