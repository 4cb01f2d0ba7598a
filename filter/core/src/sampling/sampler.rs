//! Whether a request is recorded: what the caller decided, or else a percentage of the trace ids.
//!
//! The percentage is compared with the randomness in the trace id itself, as OpenTelemetry's consistent probability
//! sampling does ("Decision algorithm"): the same id and percentage give the same answer in every worker and host, and
//! whatever is kept at one percentage is kept at every higher one.
//!
//! Where nothing was decided, the first of these has the word: the rules in their order, the workload's own namespace, the
//! default percentage. Where percentages are fetched, they take the place of the last two. Roots may be limited
//! besides; what came in sampled never is.

use alloc::vec::Vec;
use core::cell::LazyCell;

use super::matcher::{Matcher, Subject};
use super::rate_limit::{Limits, Roots};
use super::remote::strategy::Strategy;
use super::threshold::Threshold;
use crate::config::Sampling;
use crate::propagation::SamplingState;
use crate::semconv::resource::Node;
use crate::stats::Counter;
use crate::time::Nanos;
use crate::tracer::Direction;

/// The verdict on one request, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Record or not.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The threshold that the trace was compared with; `None` where no probability is known.
    pub threshold: Option<Threshold>,
}

/// Record or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The span is recorded and exported.
    Record,
    /// Only the context goes on.
    Drop,
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller had decided.
    Received,
    /// The caller asked for debugging.
    Debug,
    /// The percentage of a rule.
    Rule,
    /// The percentage of the workload's namespace.
    Namespace,
    /// The default percentage.
    Default,
    /// More traces begin than are allowed.
    Rate,
    /// The percentage that was fetched.
    Remote,
}

impl Decision {
    /// The counter of this outcome.
    #[inline]
    pub fn counter(self) -> Counter {
        match (self.verdict, self.reason) {
            (Verdict::Record, Reason::Received) => Counter::SampledReceived,
            // Debug implies accept, so there is no dropping for this reason.
            (_, Reason::Debug) => Counter::SampledDebug,
            (Verdict::Record, Reason::Rule) => Counter::SampledRule,
            (Verdict::Record, Reason::Namespace) => Counter::SampledNamespace,
            (Verdict::Record, Reason::Default) => Counter::SampledDefault,
            (Verdict::Record, Reason::Remote) => Counter::SampledRemote,
            (Verdict::Drop, Reason::Received) => Counter::DroppedReceived,
            (Verdict::Drop, Reason::Rule) => Counter::DroppedRule,
            (Verdict::Drop, Reason::Namespace) => Counter::DroppedNamespace,
            (Verdict::Drop, Reason::Default) => Counter::DroppedDefault,
            (Verdict::Drop, Reason::Remote) => Counter::DroppedRemote,
            // A limit only ever drops.
            (_, Reason::Rate) => Counter::DroppedRate,
        }
    }
}

impl Reason {
    /// The word for it on spans.
    #[inline]
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Debug => "debug",
            Self::Rule => "rule",
            Self::Namespace => "namespace",
            Self::Default => "default",
            Self::Rate => "rate",
            Self::Remote => "remote",
        }
    }
}

/// The trace of a request on which is to be decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    /// What was received.
    pub(crate) received: SamplingState,
    /// What thresholds are compared with.
    pub(crate) randomness: u64,
    /// Whether it begins here.
    pub(crate) is_root: bool,
}

/// Decides for this workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    rules: Vec<(Matcher, Threshold)>,
    // Of the namespace, or the default.
    threshold: Threshold,
    reason: Reason,
}

impl Sampler {
    /// The sampler of a workload on this node; one without a namespace is matched by `*` alone.
    pub fn new(sampling: &Sampling, node: &Node) -> Self {
        let (percentage, reason) = match sampling.entry_for(node.namespace.as_deref()) {
            Some((_, percentage)) => (*percentage, Reason::Namespace),
            None => (sampling.percentage, Reason::Default),
        };
        let rules = sampling.rules.iter().filter_map(|rule| {
            let matcher = Matcher::new(&rule.condition, node)?;
            Some((matcher, Threshold::of_percentage(rule.percentage)))
        });
        Self {
            rules: rules.collect(),
            threshold: Threshold::of_percentage(percentage),
            reason,
        }
    }

    /// Follows what was received; where nothing was decided, asks the percentage that holds for this request. `remote` is
    /// what was fetched. The time is asked for only where it matters.
    #[inline]
    pub(crate) fn decide<'a>(
        &self,
        trace: Trace,
        subject: &Subject<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
        >,
        limits: &mut Limits,
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
        let asked = match (self.rule(subject), remote) {
            (Some(threshold), _) => compared(threshold, Reason::Rule),
            (None, None) => compared(self.threshold, self.reason),
            (None, Some(strategy)) => {
                let outcome = strategy.decide(randomness, || subject.operation(), || *now);
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
            Roots::Unlimited => asked,
            Roots::Counted(bucket) => limited(verdict(bucket.takes(*now)), None),
            Roots::Thinned(estimate) => {
                let share = estimate.share(*now);
                // Of what has no probability, whatever share of it passes has none either.
                let threshold = asked.threshold.unwrap_or(Threshold::ALL).tightened(share);
                let told = asked.threshold.map(|_| threshold);
                limited(verdict(threshold.keeps(randomness)), told)
            }
        }
    }

    /// The threshold of the first rule that describes the request.
    #[inline]
    fn rule<'a>(
        &self,
        subject: &Subject<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
        >,
    ) -> Option<Threshold> {
        let mut rules = self.rules.iter();
        let rule = rules.find(|(matcher, _)| matcher.matches(subject));
        rule.map(|(_, threshold)| *threshold)
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
