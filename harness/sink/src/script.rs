//! The answers that a test asks for, in order; when they are used up, the sink answers as it should.
//!
//! Each reply is consumed by one request for the traces path, whatever that request holds.

use std::collections::VecDeque;
use std::time::Duration;

/// One scripted answer. Unless it says so, no span of the request is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The right answer: spans are kept.
    Ok,
    /// gRPC `UNAVAILABLE`, HTTP 503: a client shall try again.
    Unavailable,
    /// Success with a partial success; the last `rejected` spans of the request are not kept, the others are.
    PartialSuccess {
        /// What `rejected_spans` says.
        rejected: usize,
        /// What `error_message` says.
        message: String,
    },
    /// This HTTP status with a `google.rpc.Status` body. To a gRPC client it is the answer of something that is
    /// no gRPC server: text, and no `grpc-status`.
    HttpStatus(u16, Option<Duration>),
    /// This gRPC code, with a `RetryInfo` where a delay is given. An HTTP client gets the status that OTLP maps it to.
    GrpcStatus(tonic::Code, Option<Duration>),
    /// The right answer, late: spans are kept after the delay, unless the client has gone by then.
    Delay(Duration),
    /// The stream (HTTP/2) or the connection (HTTP/1) is reset.
    Reset,
    /// The same, but the spans are kept: the answer got lost, and a retry brings duplicates.
    LostAnswer,
    /// The same, but the reset comes in the middle of the answer: its head, and the first bytes of its body, arrive.
    CutAnswer,
}

/// The replies that are left.
#[derive(Debug, Default)]
pub(crate) struct Script {
    replies: VecDeque<Reply>,
}

impl Script {
    pub(crate) fn append(&mut self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.extend(replies);
    }

    /// Returns the next reply, or the right one when none is left.
    pub(crate) fn take(&mut self) -> Reply {
        self.replies.pop_front().unwrap_or(Reply::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_used_up_in_order_and_then_answers_ok() {
        let mut script = Script::default();
        script.append([Reply::Unavailable, Reply::Reset]);
        script.append([Reply::Delay(Duration::from_secs(1))]);
        let taken: Vec<Reply> = (0..5).map(|_| script.take()).collect();
        let late = Reply::Delay(Duration::from_secs(1));
        assert_eq!(
            taken,
            [Reply::Unavailable, Reply::Reset, late, Reply::Ok, Reply::Ok]
        );
    }
}
