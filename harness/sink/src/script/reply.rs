//! The answers that can be asked for.

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
    /// An HTTP status with a `google.rpc.Status` body; a gRPC client gets the code that OTLP maps the status to, with a
    /// `RetryInfo` where a delay is given.
    Status(u16, Option<Duration>),
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
