//! How much a worker takes on: new traces a second, and spans a second that are kept though nobody sampled them.
//!
//! Two ways, and what tells them apart is whether anybody can still count what was left out. A **bucket** lets so many
//! pass, whichever come first, and no probability is known of those (RL-1, RL-3). An **estimate** of how many come
//! raises the threshold on the trace's own randomness until so many are left: what passes has a probability, and hosts
//! that see the same traffic leave out the same traces (TH-22).
//!
//! Each worker has its own, for workers share no state that could be asked for each request.

use crate::config::Sampling;
use crate::time::Nanos;

/// The limits of one worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// Of traces that begin here.
    pub(crate) roots: Roots,
    /// Of spans that are kept, SERVER and CLIENT: one half for each, so that services whose proxies make one of them or
    /// both for each trace leave out the same traces.
    pub(crate) kept: [Estimate; 2],
}

impl Limits {
    /// The limits that are configured.
    pub fn new(sampling: &Sampling) -> Self {
        let roots = match sampling.traces_per_second {
            None => Roots::Unlimited,
            Some(rate) if sampling.consistent => Roots::Thinned(Estimate::new(rate)),
            Some(rate) => Roots::Counted(Bucket::new(rate)),
        };
        Self {
            roots,
            kept: [Estimate::new(sampling.keep.spans_per_second / 2.0); 2],
        }
    }
}

/// How the traces that begin here are limited.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Roots {
    #[default]
    Unlimited,
    Counted(Bucket),
    Thinned(Estimate),
}

/// A token bucket (RL-1): it holds one second's worth, and one at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    rate: f64,
    balance: f64,
    since: Option<Nanos>,
}

impl Bucket {
    fn new(rate: f64) -> Self {
        Self {
            rate,
            balance: rate.max(1.0),
            since: None,
        }
    }

    /// Takes one, if there is one.
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

/// How many come a second, and which share of them may pass.
///
/// A second in which more come than ever before counts at once; a quieter one is believed slowly, so that hosts which
/// see the same traffic with its chance variations come to nearly the same share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Estimate {
    target: f64,
    // Of the seconds before this one.
    rate: f64,
    // In this second.
    count: f64,
    second: Option<Nanos>,
}

impl Estimate {
    pub(crate) fn new(target: f64) -> Self {
        Self {
            target,
            rate: 0.0,
            count: 0.0,
            second: None,
        }
    }

    /// Counts one, and says which share of all that come may pass, from 0 to 1.
    pub(crate) fn share(&mut self, now: Nanos) -> f64 {
        self.roll(now);
        self.count += 1.0;
        if self.target <= 0.0 {
            return 0.0;
        }
        (self.target / self.rate.max(self.count)).min(1.0)
    }

    /// Closes the second if it is over.
    fn roll(&mut self, now: Nanos) {
        let begun = *self.second.get_or_insert(now);
        let passed = seconds(begun, now);
        if now >= begun && passed < 1.0 {
            return;
        }
        // The first second is all that is known.
        let weight = if self.rate > 0.0 { WEIGHT } else { 1.0 };
        // Counted to the full second even if the next one comes late.
        let last = self.count / passed.max(1.0);
        self.rate += weight * (last - self.rate);
        if passed > MANY_SECONDS {
            self.rate = 0.0;
        }
        self.count = 0.0;
        self.second = Some(now);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a time between two requests needs no sixteen digits"
)]
fn seconds(since: Nanos, now: Nanos) -> f64 {
    let (Nanos(since), Nanos(now)) = (since, now);
    now.saturating_sub(since) as f64 / 1e9
}

/// Of the newest second in the estimate: ten of them tell what the rate is.
const WEIGHT: f64 = 0.1;
/// After such a pause nothing is known any more.
const MANY_SECONDS: f64 = 60.0;

#[cfg(test)]
mod tests;
