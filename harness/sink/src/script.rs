//! The answers that a test asks for, in order; after the last one the sink answers normally.
//!
//! Each reply is consumed by one OTLP request for the traces path with a body within the limit, whatever the body holds.
//! Where no reply is left, the [`Faults`] of a bad collector apply.

mod faults;
mod reply;

use std::collections::VecDeque;
use std::time::Duration;

pub use faults::{Faults, FaultsError};
pub use reply::Reply;

/// The answer to one request, planned before the request is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The time to wait before the answer.
    pub(crate) delay: Option<Duration>,
    /// The answer.
    pub(crate) reply: Reply,
}

/// The remaining replies, and the faults behind them.
#[derive(Debug, Default)]
pub(crate) struct Script {
    replies: VecDeque<Reply>,
    faults: Faults,
}

impl Script {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            replies: VecDeque::new(),
            faults,
        }
    }

    pub(crate) fn append(&mut self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.extend(replies);
    }

    /// Takes the plan for the next request: the next reply, or else that of the faults.
    pub(crate) fn take(&mut self) -> Plan {
        let (delay, reply) = match self.replies.pop_front() {
            Some(Reply::Delay(time)) => (Some(time), Reply::Ok),
            Some(reply) => (None, reply),
            None => (self.faults.delay(), self.faults.take()),
        };
        Plan { delay, reply }
    }

    /// Returns how many of the spans of a request the faults reject.
    pub(crate) fn reject(&mut self, spans: usize) -> usize {
        self.faults.reject(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_used_up_in_order_and_then_the_faults_apply() {
        let second = Some(Duration::from_secs(1));
        let mut script = Script::new("reset:1".parse().unwrap());
        script.append([Reply::Unavailable, Reply::LostAnswer]);
        script.append([Reply::Delay(Duration::from_secs(1))]);
        let plan = |delay, reply| Plan { delay, reply };
        let taken: Vec<Plan> = (0..5).map(|_| script.take()).collect();
        assert_eq!(
            taken,
            [
                plan(None, Reply::Unavailable),
                plan(None, Reply::LostAnswer),
                plan(second, Reply::Ok),
                plan(None, Reply::Reset),
                plan(None, Reply::Ok),
            ]
        );
    }
}
