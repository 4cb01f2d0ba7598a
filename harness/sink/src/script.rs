//! The answers that a test asks for, in order; after the last one the sink answers normally.
//!
//! Each reply is consumed by one OTLP request for the traces path with a body within the limit, whatever the body holds.

use std::collections::VecDeque;
use std::time::Duration;

/// One scripted answer. Spans are kept only where the variant says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The normal answer; spans are kept.
    Ok,
    /// gRPC `UNAVAILABLE` or HTTP 503, which ask a client to retry.
    Unavailable,
    /// Success with a partial success; the last `rejected` spans of the request are not kept, the others are.
    PartialSuccess {
        /// The value of `rejected_spans`.
        rejected: usize,
        /// The value of `error_message`.
        message: String,
    },
    /// An HTTP status with a `google.rpc.Status` body. A gRPC client gets the answer of a server that does not speak gRPC:
    /// text, and no `grpc-status`.
    HttpStatus(u16, Option<Duration>),
    /// A gRPC code, with a `RetryInfo` where a delay is given. An HTTP client gets the status that OTLP maps the code to.
    GrpcStatus(tonic::Code, Option<Duration>),
    /// The normal answer after a delay; spans are kept, unless the client has gone by then.
    Delay(Duration),
    /// A reset of the stream (HTTP/2) or of the connection (HTTP/1).
    Reset,
    /// A reset after the spans are kept: the answer is lost, and a retry sends duplicates.
    LostAnswer,
    /// A reset in the middle of the answer, after the spans are kept: its headers and the first bytes of its body arrive.
    CutAnswer,
}

/// The remaining replies.
#[derive(Debug, Default)]
pub(crate) struct Script {
    replies: VecDeque<Reply>,
}

impl Script {
    pub(crate) fn append(&mut self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.extend(replies);
    }

    /// Takes the next reply, or the normal one if none is left.
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
