//! What a collector's answer means: taken, to be sent again, or refused for good.
//!
//! | answer | gRPC | HTTP |
//! |---|---|---|
//! | taken, perhaps in part | status 0 | 2xx |
//! | again | CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS; RESOURCE_EXHAUSTED with RetryInfo | 429, 502, 503, 504 |
//! | refused | every other status | every other status |
//!
//! No answer at all, and a request that could not be sent, are tried again: the collector may be starting, and a cluster
//! may reach the proxy after its configuration. A partial
//! success is never sent again. The delay that a collector asks for, by `Retry-After` or RetryInfo, goes before the
//! exporter's own, up to five minutes. See the OTLP specification, "OTLP/gRPC Response" and "OTLP/HTTP Response".

use core::fmt;
use core::time::Duration;

use super::settings::Protocol;
use crate::cluster_call::send_error::SendError;
use crate::codec::{http_date, number};
use crate::export::answer::Answer;
use crate::export::grpc_frame;
use crate::otlp;
use crate::time::Nanos;

pub use super::status_details::message;

/// What to do with the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportOutcome {
    /// It was taken, but for so many spans.
    Accepted {
        /// Spans the collector would not have.
        rejected: u64,
    },
    /// Send it again.
    Retry {
        /// What went wrong.
        failure: Failure,
        /// The delay the collector asked for.
        after: Option<Duration>,
    },
    /// Do not send it again.
    Refused(Failure),
}

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The proxy did not send it.
    SendError(SendError),
    /// No answer came.
    NoAnswer,
    /// An HTTP status that is none of success.
    HttpStatus(u16),
    /// A gRPC status that is none of success.
    GrpcStatus(u32),
    /// An answer without a gRPC status.
    NotGrpc,
    /// A success whose answer is longer than any is.
    TooLarge,
    /// The request was taken, but not all of its spans.
    SpansRejected,
}

impl ExportOutcome {
    /// Reads an answer to a request by this protocol, which arrived now.
    pub fn read(protocol: Protocol, answer: &Answer<'_>, now: Nanos) -> Self {
        let Some(status) = answer.status.and_then(number::parse::<u32>) else {
            return Failure::NoAnswer.again();
        };
        match (protocol, status, answer.grpc.status) {
            // Whatever HTTP says beside it (gRPC, "HTTP to gRPC Status Code Mapping").
            (Protocol::Grpc, _, Some(digits)) => Self::read_grpc(digits, answer),
            (Protocol::Grpc, 200, None) => Self::Refused(Failure::NotGrpc),
            (Protocol::HttpProtobuf, 200..=299, _) => Self::accepted(answer, answer.body),
            (_, status, _) => {
                let failure = Failure::HttpStatus(u16::try_from(status).unwrap_or(u16::MAX));
                match status {
                    429 | 502 | 503 | 504 => Self::Retry {
                        failure,
                        after: answer
                            .retry_after
                            .and_then(|value| delay(value, now))
                            .and_then(cap_delay),
                    },
                    _ => Self::Refused(failure),
                }
            }
        }
    }

    fn read_grpc(digits: &[u8], answer: &Answer<'_>) -> Self {
        let Some(status) = number::parse(digits) else {
            return Self::Refused(Failure::NotGrpc);
        };
        let failure = Failure::GrpcStatus(status);
        let retry = || {
            answer
                .grpc
                .details
                .and_then(crate::export::status_details::retry_info)
        };
        match status {
            0 => Self::accepted(
                answer,
                grpc_frame::grpc_message(answer.body).unwrap_or_default(),
            ),
            1 | 4 | 10 | 11 | 14 | 15 => Self::Retry {
                failure,
                after: retry().and_then(|retry| retry.delay).and_then(cap_delay),
            },
            RESOURCE_EXHAUSTED => match retry() {
                Some(retry) => Self::Retry {
                    failure,
                    after: retry.delay.and_then(cap_delay),
                },
                None => Self::Refused(failure),
            },
            _ => Self::Refused(failure),
        }
    }

    fn accepted(answer: &Answer<'_>, message: &[u8]) -> Self {
        if answer.body_bytes > MAX_ANSWER_BYTES {
            return Self::Refused(Failure::TooLarge);
        }
        Self::Accepted {
            rejected: otlp::response::rejected_spans(message),
        }
    }
}

/// `Retry-After`: seconds, or a date.
fn delay(value: &[u8], now: Nanos) -> Option<Duration> {
    number::parse::<u32>(value).map_or_else(
        || until(value, now),
        |seconds| Some(Duration::from_secs(u64::from(seconds))),
    )
}

/// Returns the time from now until this date; `None` where it is no date, or past.
fn until(date: &[u8], Nanos(now): Nanos) -> Option<Duration> {
    let then = http_date::seconds(date)?.checked_mul(1_000_000_000)?;
    then.checked_sub(now).map(Duration::from_nanos)
}

/// A collector may ask for patience, but not for ever; and one that says "at once" is no better served by haste.
fn cap_delay(asked: Duration) -> Option<Duration> {
    (!asked.is_zero()).then_some(asked.min(MAX_RETRY_AFTER))
}

const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);
/// Of gRPC's statuses the one that is tried again only on the server's word.
const RESOURCE_EXHAUSTED: u32 = 8;
/// Beyond this an answer is an error that is not tried again (OTLP, "OTLP/HTTP Response").
const MAX_ANSWER_BYTES: usize = 4 << 20;

impl Failure {
    /// The reply that tries again after the usual delay.
    pub fn again(self) -> ExportOutcome {
        ExportOutcome::Retry {
            failure: self,
            after: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SendError(unsent) => unsent.fmt(f),
            Self::NoAnswer => f.write_str("no answer"),
            Self::HttpStatus(status) => write!(f, "HTTP status {status}"),
            Self::GrpcStatus(status) => write!(f, "gRPC status {status}"),
            Self::NotGrpc => f.write_str(
                "the answer is not gRPC; name the port of the service grpc-… or set its appProtocol, \
                 or set export.otlp.protocol to http/protobuf",
            ),
            Self::TooLarge => f.write_str("the answer is longer than 4 MiB"),
            Self::SpansRejected => f.write_str("the collector took a request, but not all of its spans"),
        }
    }
}

#[cfg(test)]
mod tests;
