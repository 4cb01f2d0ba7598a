//! The decision on one request, and what it rests on.

use super::threshold::Threshold;
use crate::stats::Counter;

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
