//! The decision on one request: record or drop, and the reason.

use strum::VariantArray;

use super::threshold::Threshold;
use crate::stats::Counter;

/// A decision on one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The verdict: record or drop.
    pub verdict: Verdict,
    /// The reason for the verdict.
    pub reason: Reason,
    /// The threshold that the randomness was compared with; `None` where no probability is known.
    pub threshold: Option<Threshold>,
}

/// The two verdicts on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request's spans are recorded and exported.
    Record,
    /// The context goes on without a recorded span.
    Drop,
}

/// The reasons for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Reason {
    /// The caller's decision.
    Received,
    /// The caller's debug flag.
    Debug,
    /// The percentage of the first rule that matches.
    Rule,
    /// The percentage of the workload's namespace.
    Namespace,
    /// The general percentage.
    Default,
    /// The limit of traces that begin here.
    Rate,
    /// The fetched strategy.
    Remote,
}

impl Decision {
    /// Returns the counter of this decision.
    #[inline]
    pub fn counter(self) -> Counter {
        match (self.verdict, self.reason) {
            (Verdict::Record, Reason::Received) => Counter::SampledReceived,
            // Debug implies accept, so no request is dropped for this reason.
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
    /// All reasons, in the order of their declaration.
    pub(crate) const ALL: [Self; <Self as VariantArray>::VARIANTS.len()] =
        *<Self as VariantArray>::VARIANTS.as_array().unwrap();

    /// Returns the value of `sidespan.decision` for this reason.
    #[inline]
    pub const fn name(self) -> &'static str {
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
