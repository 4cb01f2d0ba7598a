//! Jaeger's remote sampling in one worker: percentages that a collector hands out, in place of the configured ones.
//!
//! ```text
//!  poll      the time of the next request, and failures for the log   tick -> GET /sampling?service=cart
//!  document  the content of the answer                                JSON -> Document
//!  strategy  the decision on one request                              Document + buckets -> keep, drop
//! ```
//!
//! A document takes the place of `percentage` and `namespaces`; rules and the exclude list stay in front of it. An
//! unreadable document changes nothing: the last good document stays, and before the first document the configuration
//! holds (JR-4).

use alloc::borrow::Cow;

pub use super::document::{Document, Operations};
pub use super::poll::{Answer, Failure, Fault, Poll, target};
pub use super::table::Table;

use super::document::MAX_OPERATIONS;
use crate::sampling::randomness::Randomness;
use crate::sampling::rate_limit::TokenBucket;
use crate::sampling::threshold::Threshold;
use crate::time::Nanos;

/// A document as one worker applies it.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    document: Document,
    state: StrategyState,
}

/// The thresholds of a document, and the buckets of its limits.
#[derive(Clone, Debug, PartialEq)]
enum StrategyState {
    Probability(Threshold),
    Rate(TokenBucket),
    Operations {
        // The threshold of operations that are not in the table.
        threshold: Threshold,
        lower_bound: f64,
        // The operations of the document first, then those of requests, as long as there is room.
        operations: Table<Operation>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Operation {
    threshold: Threshold,
    lower_bound: TokenBucket,
}

/// The answer of a strategy for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StrategyDecision {
    pub(crate) is_kept: bool,
    /// The threshold that the randomness was compared with; `None` where no probability is known.
    pub(crate) threshold: Option<Threshold>,
}

impl Strategy {
    /// Applies a document. The buckets of the document before are kept, because a new document is no new second (RL-1).
    pub fn new(document: Document, before: Option<Self>) -> Self {
        let before = before.map(|before| before.state);
        let state = match &document {
            Document::Probability(share) => StrategyState::Probability(Threshold::of_share(*share)),
            Document::Rate(rate) => StrategyState::Rate(match before {
                Some(StrategyState::Rate(bucket)) => bucket.at_rate(*rate),
                _ => TokenBucket::new(*rate),
            }),
            Document::Operations(operations) => operations.at_work(match before {
                Some(StrategyState::Operations { operations, .. }) => operations,
                _ => Table::default(),
            }),
        };
        Self { document, state }
    }

    /// Returns the document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Decides on a request. `operation` and `now` are called only where they matter.
    pub(crate) fn decide(
        &mut self,
        randomness: Randomness,
        operation: impl FnOnce() -> Cow<'static, str>,
        now: impl FnOnce() -> Nanos,
    ) -> StrategyDecision {
        let by_threshold = |threshold: Threshold| StrategyDecision {
            is_kept: threshold.keeps(randomness),
            threshold: Some(threshold),
        };
        match &mut self.state {
            StrategyState::Probability(threshold) => by_threshold(*threshold),
            // The first requests of each second pass, with an unknown probability (RL-3).
            StrategyState::Rate(bucket) => StrategyDecision {
                is_kept: bucket.takes(now()),
                threshold: None,
            },
            StrategyState::Operations {
                threshold,
                lower_bound,
                operations,
            } => {
                let Some(operation) =
                    operation_entry(operations, &operation(), *threshold, *lower_bound)
                else {
                    return by_threshold(*threshold);
                };
                let outcome = by_threshold(operation.threshold);
                // The lower bound is charged in either case, and rescues a trace that the threshold would drop (RL-2).
                let is_rescued =
                    *lower_bound > 0.0 && operation.lower_bound.takes(now()) && !outcome.is_kept;
                match is_rescued {
                    true => StrategyDecision {
                        is_kept: true,
                        threshold: None,
                    },
                    false => outcome,
                }
            }
        }
    }
}

impl Operations {
    fn at_work(&self, mut before: Table<Operation>) -> StrategyState {
        let threshold = Threshold::of_share(self.probability);
        let bucket = |before: Option<&mut Operation>| match before {
            Some(operation) => operation.lower_bound.at_rate(self.lower_bound),
            None => TokenBucket::new(self.lower_bound),
        };
        let mut operations = Table::default();
        for (name, share) in self.listed.iter() {
            let operation = Operation {
                threshold: Threshold::of_share(*share),
                lower_bound: bucket(before.get_mut(name)),
            };
            operations.insert(name.into(), operation);
        }
        // Operations that the document does not list keep their buckets, because a new document must not fill them.
        if self.lower_bound > 0.0 {
            for (name, operation) in before.iter() {
                let operation = Operation {
                    threshold,
                    lower_bound: operation.lower_bound.at_rate(self.lower_bound),
                };
                let has_room = operations.len() < MAX_OPERATIONS;
                if has_room && operations.get_mut(name).is_none() {
                    operations.insert(name.into(), operation);
                }
            }
        }
        StrategyState::Operations {
            threshold,
            lower_bound: self.lower_bound,
            operations,
        }
    }
}

/// Returns the operation of this name. A new operation is added if it has a lower bound and there is room. Names come
/// with requests, so neither their number nor their length is trusted.
fn operation_entry<'a>(
    operations: &'a mut Table<Operation>,
    name: &str,
    threshold: Threshold,
    lower_bound: f64,
) -> Option<&'a mut Operation> {
    if operations.get_mut(name).is_none() {
        let has_room = operations.len() < MAX_OPERATIONS && name.len() <= MAX_NAME_BYTES;
        if lower_bound <= 0.0 || !has_room {
            return None;
        }
        let operation = Operation {
            threshold,
            lower_bound: TokenBucket::new(lower_bound),
        };
        operations.insert(name.into(), operation);
    }
    operations.get_mut(name)
}

/// Length of a name beyond which an operation has no lower bound of its own.
const MAX_NAME_BYTES: usize = 256;

#[cfg(test)]
mod tests;
