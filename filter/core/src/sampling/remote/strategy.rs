//! Jaeger's remote sampling: percentages that a collector hands out, in place of those of the configuration.
//!
//! ```text
//!  poll      when to ask, and which news of it are worth a line       tick -> GET /sampling?service=cart
//!  document  what the answer says                                     JSON -> Document
//!  Strategy  what that makes of a request                             Document + what has passed -> keep, drop
//! ```
//!
//! A document takes the place of `percentage` and `namespaces`; rules and the exclude list stay in front of it. One that
//! cannot be read changes nothing: the last good one stays, and before the first the configuration holds (JR-4).

use alloc::borrow::Cow;

pub use super::document::{Document, Operations};
pub use super::poll::{Answer, Failure, Fault, Poll, target};
pub use super::table::Table;

use super::document::MAX_OPERATIONS;
use crate::sampling::rate_limit::TokenBucket;
use crate::sampling::threshold::Threshold;
use crate::time::Nanos;

/// A document at work in one worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    document: Document,
    state: StrategyState,
}

/// What is compared with, and what has passed so far.
#[derive(Clone, Debug, PartialEq)]
enum StrategyState {
    Probability(Threshold),
    Rate(TokenBucket),
    Operations {
        // Of operations that are not in the map.
        threshold: Threshold,
        lower_bound: f64,
        // Those of the document first, and then such as come, as long as there is room.
        operations: Table<Operation>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Operation {
    threshold: Threshold,
    lower_bound: TokenBucket,
}

/// What a strategy makes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StrategyDecision {
    pub(crate) is_kept: bool,
    /// What was compared with; `None` where no probability is known.
    pub(crate) threshold: Option<Threshold>,
}

impl Strategy {
    /// Puts a document to work. What has passed under the one before counts here, too: a new document is no new second
    /// (RL-1).
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

    /// What it says.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Decides on a request. The operation and the time are asked for only where they matter.
    pub(crate) fn decide(
        &mut self,
        randomness: u64,
        operation: impl FnOnce() -> Cow<'static, str>,
        now: impl FnOnce() -> Nanos,
    ) -> StrategyDecision {
        let by_threshold = |threshold: Threshold| StrategyDecision {
            is_kept: threshold.keeps(randomness),
            threshold: Some(threshold),
        };
        match &mut self.state {
            StrategyState::Probability(threshold) => by_threshold(*threshold),
            // Whichever come first: nobody knows how many did not (RL-3).
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
                // Charged in either case, and heard where the trace would be dropped (RL-2).
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
        // The others have their bound each as well, but not a fresh one with each document.
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

/// The operation of this name; one that comes for the first time is kept in mind, if it has something to be counted and
/// there is room. Names come with requests, so neither their number nor their length is believed.
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

/// Longer names than any that somebody has chosen.
const MAX_NAME_BYTES: usize = 256;

#[cfg(test)]
mod tests;
