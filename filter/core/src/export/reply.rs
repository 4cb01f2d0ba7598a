//! What a collector's answer means: taken, to be sent again, or refused for good.
//!
//! | answer | gRPC | HTTP |
//! |---|---|---|
//! | taken, perhaps in part | status 0 | 2xx |
//! | again | CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS | 429, 502, 503, 504 |
//! | refused | every other status | every other status |
//!
//! No answer at all, and a request that could not be sent, are tried again: the collector may be starting, and a cluster
//! may reach the proxy after its configuration. A partial
//! success is never sent again. See the OTLP specification, "OTLP/gRPC Response" and "OTLP/HTTP Response".

use core::fmt;
use core::time::Duration;

use crate::config::Protocol;
use crate::otlp;

/// What to do with the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was taken, but for so many spans.
    Accepted {
        /// Spans the collector would not have.
        rejected: u64,
    },
    /// Send it again.
    Again {
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
    /// The proxy would not send it: it knows no such cluster.
    UnknownCluster,
    /// The proxy could not send it.
    NotSent,
    /// No answer came.
    NoAnswer,
    /// An HTTP status that is none of success.
    HttpStatus(u16),
    /// A gRPC status that is none of success.
    GrpcStatus(u32),
    /// An answer without a gRPC status.
    NotGrpc,
}

/// An answer as it arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// `:status`; `None` when no answer came.
    pub status: Option<&'a [u8]>,
    /// `grpc-status`, from the trailers, or from the headers where there are none.
    pub grpc_status: Option<&'a [u8]>,
    /// `retry-after`.
    pub retry_after: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

impl Reply {
    /// Reads an answer to a request by this protocol.
    pub fn read(protocol: Protocol, answer: &Answer<'_>) -> Self {
        let Some(status) = answer.status.and_then(decimal) else {
            return Failure::NoAnswer.again();
        };
        match (protocol, status) {
            (Protocol::HttpProtobuf, 200..=299) => Self::Accepted {
                rejected: otlp::rejected_spans(answer.body),
            },
            (Protocol::Grpc, 200) => Self::read_grpc(answer),
            (_, status) => {
                let failure = Failure::HttpStatus(u16::try_from(status).unwrap_or(u16::MAX));
                match status {
                    429 | 502 | 503 | 504 => Self::Again {
                        failure,
                        after: answer.retry_after.and_then(delay),
                    },
                    _ => Self::Refused(failure),
                }
            }
        }
    }

    fn read_grpc(answer: &Answer<'_>) -> Self {
        match answer.grpc_status.and_then(decimal) {
            None => Self::Refused(Failure::NotGrpc),
            Some(0) => Self::Accepted {
                rejected: otlp::grpc_message(answer.body).map_or(0, otlp::rejected_spans),
            },
            Some(status @ (1 | 4 | 10 | 11 | 14 | 15)) => Failure::GrpcStatus(status).again(),
            Some(status) => Self::Refused(Failure::GrpcStatus(status)),
        }
    }
}

fn decimal(digits: &[u8]) -> Option<u32> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// `Retry-After` in seconds; the form with a date needs a calendar, and the own delay serves as well.
fn delay(value: &[u8]) -> Option<Duration> {
    let seconds = u64::from(decimal(value)?);
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// A collector may ask for patience, but not for ever.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

impl Failure {
    /// The reply that tries again after the usual delay.
    pub fn again(self) -> Reply {
        Reply::Again {
            failure: self,
            after: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCluster => f.write_str(
                "the proxy knows no such cluster; check the name, that the service exists, \
                 and that the Sidecar resource's egress hosts include it",
            ),
            Self::NotSent => f.write_str(
                "the proxy would not send the request: the cluster has no healthy endpoint, or its circuit breaker is open",
            ),
            Self::NoAnswer => f.write_str("no answer"),
            Self::HttpStatus(status) => write!(f, "HTTP status {status}"),
            Self::GrpcStatus(status) => write!(f, "gRPC status {status}"),
            Self::NotGrpc => f.write_str(
                "the answer is not gRPC; name the port of the service grpc-… or set its appProtocol, \
                 or set export.otlp.protocol to http/protobuf",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rt_4_sends_again_only_for_the_retryable_grpc_statuses() {
        for status in 0..=17_u32 {
            let digits = alloc::format!("{status}");
            let answer = Answer {
                status: Some(b"200"),
                grpc_status: Some(digits.as_bytes()),
                ..Answer::default()
            };
            let expected = match status {
                0 => Reply::Accepted { rejected: 0 },
                1 | 4 | 10 | 11 | 14 | 15 => Failure::GrpcStatus(status).again(),
                _ => Reply::Refused(Failure::GrpcStatus(status)),
            };
            assert_eq!(Reply::read(Protocol::Grpc, &answer), expected, "{status}");
        }
    }

    #[test]
    fn rt_3_sends_again_only_for_the_retryable_http_statuses() {
        for status in 200..600_u16 {
            let digits = alloc::format!("{status}");
            let answer = Answer {
                status: Some(digits.as_bytes()),
                ..Answer::default()
            };
            let expected = match status {
                200..=299 => Reply::Accepted { rejected: 0 },
                429 | 502 | 503 | 504 => Failure::HttpStatus(status).again(),
                _ => Reply::Refused(Failure::HttpStatus(status)),
            };
            assert_eq!(
                Reply::read(Protocol::HttpProtobuf, &answer),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn rt_5_sends_again_when_no_answer_came() {
        let answer = Answer::default();
        for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
            assert_eq!(Reply::read(protocol, &answer), Failure::NoAnswer.again());
        }
    }

    #[test]
    fn rt_2_counts_what_a_partial_success_rejects() {
        // partial_success { rejected_spans: 3, error_message: "x" }
        let message = b"\x0a\x05\x08\x03\x12\x01x";
        let http = Answer {
            status: Some(b"200"),
            body: message,
            ..Answer::default()
        };
        assert_eq!(
            Reply::read(Protocol::HttpProtobuf, &http),
            Reply::Accepted { rejected: 3 }
        );
        let framed = otlp::grpc_frame(message);
        let grpc = Answer {
            status: Some(b"200"),
            grpc_status: Some(b"0"),
            body: &framed,
            ..Answer::default()
        };
        assert_eq!(
            Reply::read(Protocol::Grpc, &grpc),
            Reply::Accepted { rejected: 3 }
        );
    }

    #[test]
    fn rt_6_waits_as_long_as_the_collector_asks_within_five_minutes() {
        let rows = [
            (&b"7"[..], Some(7)),
            (b"100000", Some(300)),
            (b"soon", None),
            (b"-1", None),
        ];
        for (value, seconds) in rows {
            let answer = Answer {
                status: Some(b"503"),
                retry_after: Some(value),
                ..Answer::default()
            };
            assert_eq!(
                Reply::read(Protocol::HttpProtobuf, &answer),
                Reply::Again {
                    failure: Failure::HttpStatus(503),
                    after: seconds.map(Duration::from_secs)
                }
            );
        }
    }

    #[test]
    fn an_answer_without_grpc_status_is_not_grpc() {
        let answer = Answer {
            status: Some(b"200"),
            ..Answer::default()
        };
        assert_eq!(
            Reply::read(Protocol::Grpc, &answer),
            Reply::Refused(Failure::NotGrpc)
        );
    }
}
