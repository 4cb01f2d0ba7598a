//! The sampler of one workload: the caller's decision is followed; without one a percentage of the trace ids is
//! recorded.
//!
//! The percentage is compared with the randomness in the trace id itself, as OpenTelemetry's consistent probability
//! sampling does ("Decision algorithm"): the same id and percentage give the same answer in every worker and host, and
//! a trace that is kept at one percentage is kept at every higher one.
//!
//! Where no decision was received, the first of these decides: the rules in their order, the workload's own namespace,
//! the general percentage. A fetched strategy takes the place of the last two. Roots may be limited besides; a trace
//! that was received as sampled never is.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cell::LazyCell;

use super::matcher::{Candidate, Matcher};
use super::randomness::Randomness;
use super::rate_limit::{RateLimits, RootLimit};
use super::remote::strategy::Strategy;
use super::settings::Sampling;
use super::start::{Start, first_word};
use super::threshold::Threshold;
use crate::direction::Direction;
use crate::node::Node;
use crate::propagation::context::SamplingState;
use crate::sampling::decision::{Decision, Reason, Verdict};
use crate::time::Nanos;

/// The trace of a request that awaits a decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    /// The received sampling state.
    pub(crate) received: SamplingState,
    /// The randomness that thresholds are compared with.
    pub(crate) randomness: Randomness,
    /// True if the trace begins here.
    pub(crate) is_root: bool,
}

/// The rules and the percentage of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    rules: Vec<Rule>,
    // The threshold of the namespace, or the general one.
    threshold: Threshold,
    reason: Reason,
}

/// A rule that can match on this node.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    // The first bytes of the paths that it describes, because nearly all rules are told from a request by them.
    start: Start,
    matcher: Matcher,
    threshold: Threshold,
}

impl Sampler {
    /// Returns the sampler of a workload on this node; a workload without a namespace is matched by `*` alone.
    pub fn new(sampling: &Sampling, node: &Node) -> Self {
        let (percentage, reason) = match sampling.entry_for(node.namespace.as_deref()) {
            Some((_, percentage)) => (*percentage, Reason::Namespace),
            None => (sampling.percentage, Reason::Default),
        };
        let rules = sampling.rules.iter().filter_map(|rule| {
            let matcher = Matcher::new(&rule.condition, node)?;
            Some(Rule {
                start: rule
                    .condition
                    .path
                    .as_ref()
                    .map_or(Start::ANY, Start::of_path),
                matcher,
                threshold: Threshold::of_percentage(rule.percentage),
            })
        });
        Self {
            rules: rules.collect(),
            threshold: Threshold::of_percentage(percentage),
            reason,
        }
    }

    /// Follows a received decision; without one, compares the randomness with the threshold that holds for this
    /// request. `remote` is the fetched strategy. `now` is called only where the time matters.
    #[inline]
    pub(crate) fn decide<'a>(
        &self,
        trace: Trace,
        candidate: &Candidate<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
            impl Fn() -> Cow<'static, str>,
        >,
        limits: &mut RateLimits,
        remote: Option<&mut Strategy>,
        now: impl FnOnce() -> Nanos,
    ) -> Decision {
        let Trace {
            received,
            randomness,
            is_root,
        } = trace;
        let now = LazyCell::new(now);
        let followed = |verdict, reason| Decision {
            verdict,
            reason,
            threshold: None,
        };
        match received {
            SamplingState::Accept => return followed(Verdict::Record, Reason::Received),
            SamplingState::Deny => return followed(Verdict::Drop, Reason::Received),
            SamplingState::Debug => return followed(Verdict::Record, Reason::Debug),
            SamplingState::Deferred => {}
        }
        let compared = |threshold: Threshold, reason| Decision {
            verdict: verdict(threshold.keeps(randomness)),
            reason,
            threshold: Some(threshold),
        };
        let asked = match (self.rule(candidate), remote) {
            (Some(threshold), _) => compared(threshold, Reason::Rule),
            (None, None) => compared(self.threshold, self.reason),
            (None, Some(strategy)) => {
                let outcome = strategy.decide(randomness, || candidate.operation(), || *now);
                Decision {
                    verdict: verdict(outcome.is_kept),
                    reason: Reason::Remote,
                    threshold: outcome.threshold,
                }
            }
        };
        if asked.verdict == Verdict::Drop || !is_root {
            return asked;
        }
        let limited = |verdict, threshold| Decision {
            verdict,
            reason: match verdict {
                Verdict::Record => asked.reason,
                Verdict::Drop => Reason::Rate,
            },
            threshold,
        };
        match &mut limits.roots {
            RootLimit::Unlimited => asked,
            RootLimit::Counted(bucket) => limited(verdict(bucket.takes(*now)), None),
            RootLimit::Thinned(estimate) => {
                let share = estimate.share(*now);
                // A share of traces without a known probability has no known probability either.
                let threshold = asked.threshold.unwrap_or(Threshold::ALL).tightened(share);
                let told = asked.threshold.map(|_| threshold);
                limited(verdict(threshold.keeps(randomness)), told)
            }
        }
    }

    /// Returns the threshold of the first rule that matches the request.
    #[inline]
    fn rule<'a>(
        &self,
        candidate: &Candidate<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
            impl Fn() -> Cow<'static, str>,
        >,
    ) -> Option<Threshold> {
        if self.rules.is_empty() {
            return None;
        }
        let word = candidate.path.map(first_word);
        let may_match = |rule: &Rule| word.is_none_or(|word| rule.start.is_of(word));
        let mut rules = self.rules.iter();
        let rule = rules.find(|rule| may_match(rule) && rule.matcher.matches(candidate))?;
        Some(rule.threshold)
    }
}

#[inline]
fn verdict(is_kept: bool) -> Verdict {
    match is_kept {
        true => Verdict::Record,
        false => Verdict::Drop,
    }
}

#[cfg(test)]
mod tests;
