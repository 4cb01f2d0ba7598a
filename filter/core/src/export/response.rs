//! The outcome of an export, read from the collector's answer: accepted, retry or refused (OTLP, "OTLP/gRPC Response" and
//! "OTLP/HTTP Response").
//!
//! | outcome | gRPC | HTTP |
//! |---|---|---|
//! | accepted, perhaps in part | status 0 | 2xx with an answer of OTLP's |
//! | retry | CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS; RESOURCE_EXHAUSTED with RetryInfo | 429, 502, 503, 504 |
//! | refused | every other status | every other status |
//!
//! A request without an answer, and a request that could not be sent, are retried, because the collector may be starting,
//! and a cluster may reach the proxy after its configuration. A partial success is never sent again. The delay that a
//! collector asks for, by `Retry-After` or RetryInfo, goes before the exporter's own, up to five minutes.

use core::fmt;
use core::time::Duration;

use super::settings::Protocol;
use crate::cluster_call::send_error::SendError;
use crate::codec::{http_date, number};
use crate::export::answer::Answer;
use crate::export::grpc_frame;
use crate::export::http_body::HttpBody;
use crate::otlp;
use crate::time::Nanos;

pub use super::status_details::message;

/// The outcome of one attempt to export a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportOutcome {
    /// The collector accepted the batch, except for the rejected spans.
    Accepted {
        /// The number of rejected spans.
        rejected: u64,
        /// True if the collector says something although it rejects nothing.
        warns: bool,
    },
    /// The batch is to be sent again.
    Retry {
        /// The failure.
        failure: Failure,
        /// The delay that the collector asked for.
        after: Option<Duration>,
    },
    /// The batch is not to be sent again.
    Refused(Failure),
}

/// The failure of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The proxy did not send the request.
    SendError(SendError),
    /// No answer came.
    NoAnswer,
    /// An HTTP status other than success.
    HttpStatus(u16),
    /// A gRPC status other than OK.
    GrpcStatus(u32),
    /// An answer without a gRPC status.
    NotGrpc,
    /// A success over HTTP whose body no OTLP receiver writes.
    NotOtlp,
    /// A success whose body is longer than an OTLP client has to read.
    TooLarge,
    /// The collector accepted the request, but not all of its spans.
    SpansRejected,
    /// The collector accepted all spans, and has something to say.
    Warned,
}

impl ExportOutcome {
    /// Reads the answer to a request of this protocol. `now` is the time of its arrival.
    pub fn read(protocol: Protocol, answer: &Answer<'_>, now: Nanos) -> Self {
        let Some(status) = answer.status.and_then(number::parse::<u32>) else {
            return Failure::NoAnswer.again();
        };
        match (protocol, status, answer.grpc.status) {
            // gRPC's status goes before the HTTP status (gRPC, "HTTP to gRPC Status Code Mapping").
            (Protocol::Grpc, _, Some(digits)) => Self::read_grpc(digits, answer),
            (Protocol::Grpc, 200, None) => Self::Refused(Failure::NotGrpc),
            (Protocol::HttpProtobuf, 200..=299, _) => match HttpBody::read(answer) {
                HttpBody::Protobuf(message) => Self::accepted(answer, message),
                HttpBody::Json(json) => Self::accepted_with(answer, json.rejected, &json.message),
                HttpBody::Other(_) => Self::Refused(Failure::NotOtlp),
            },
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
        let said = otlp::response::partial_success_message(message).unwrap_or_default();
        Self::accepted_with(answer, otlp::response::rejected_spans(message), said)
    }

    fn accepted_with(answer: &Answer<'_>, rejected: u64, said: impl AsRef<[u8]>) -> Self {
        if answer.body_bytes > MAX_ANSWER_BYTES {
            return Self::Refused(Failure::TooLarge);
        }
        let warns = rejected == 0 && !said.as_ref().is_empty();
        Self::Accepted { rejected, warns }
    }
}

/// Parses `Retry-After`: seconds, or a date (RFC 9110, "Retry-After").
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

/// Returns the delay that the collector asked for, up to [`MAX_RETRY_AFTER`]; `None` for zero, because the usual delay
/// serves a collector with trouble better than none.
fn cap_delay(asked: Duration) -> Option<Duration> {
    (!asked.is_zero()).then_some(asked.min(MAX_RETRY_AFTER))
}

const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);
/// The only gRPC status that is retried only with the server's RetryInfo (OTLP, "OTLP/gRPC Throttling").
const RESOURCE_EXHAUSTED: u32 = 8;
/// The largest body of a success; a longer one is an error that is not retried (OTLP, "OTLP/HTTP Response").
const MAX_ANSWER_BYTES: usize = 4 << 20;

impl Failure {
    /// Returns the outcome of a retry after the usual delay.
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
            Self::SendError(error) => error.fmt(f),
            Self::NoAnswer => f.write_str("no answer"),
            Self::HttpStatus(status) => write!(f, "HTTP status {status}"),
            Self::GrpcStatus(status) => write!(f, "gRPC status {status}"),
            Self::NotGrpc => f.write_str(
                "the answer is not gRPC; name the port of the service grpc-… or set its appProtocol, \
                 or set export.otlp.protocol to http/protobuf",
            ),
            Self::NotOtlp => f.write_str(
                "the answer is no OTLP; look whether cluster, authority and path are those of a receiver of OTLP over HTTP",
            ),
            Self::Warned => f.write_str("the collector took all spans, and warns"),
            Self::TooLarge => f.write_str("the answer is longer than 4 MiB"),
            Self::SpansRejected => f.write_str("the collector took a request, but not all of its spans"),
        }
    }
}

#[cfg(test)]
mod tests;
