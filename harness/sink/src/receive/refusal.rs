//! The reasons to refuse a request, as both transports tell them.
//!
//! A client repeats what has a retryable code ("Failures" and "Throttling",
//! <https://opentelemetry.io/docs/specs/otlp/>), so a message that can never pass has none: neither `UNAVAILABLE`, nor
//! `RESOURCE_EXHAUSTED` with a delay, nor HTTP's 429, 502, 503 or 504.

use std::time::Duration;

use http::StatusCode;
use tonic::Code;

use super::rpc_status::{code_of_http, http_status};
use crate::store::Refused;

/// The message of a refusal that a script asks for.
const SCRIPTED: &str = "as scripted";

/// The delay after which a database that could not be written is worth another try.
const STORAGE_RETRY: Duration = Duration::from_secs(5);

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The gRPC code.
    pub(crate) code: Code,
    /// The HTTP status.
    pub(crate) http: StatusCode,
    /// The cause, for the people behind the client.
    pub(crate) message: String,
    /// The time after which the same request can pass.
    pub(crate) retry: Option<Duration>,
}

impl Refusal {
    /// Returns the refusal of a message that cannot be read.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self {
            code: Code::InvalidArgument,
            http: StatusCode::BAD_REQUEST,
            message: message.into(),
            retry: None,
        }
    }

    /// Returns the refusal of a compression that the sink does not know.
    pub(crate) fn unsupported_encoding() -> Self {
        Self::broken("unsupported content-encoding, supported: [gzip, zstd, deflate, identity]")
    }

    /// Returns the refusal of a message over the limit of bytes.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self {
            code: Code::ResourceExhausted,
            http: StatusCode::PAYLOAD_TOO_LARGE,
            message: format!("expected at most {limit} bytes, also inflated"),
            retry: None,
        }
    }

    /// Returns the refusal of a message of few bytes that would take much memory.
    pub(crate) fn too_many_parts() -> Self {
        Self {
            message: "expected fewer spans, attributes and values in one request".into(),
            ..Self::too_large(0)
        }
    }

    /// Returns the refusal of a message for which there is no memory now, because of other requests.
    pub(crate) fn busy() -> Self {
        Self {
            code: Code::ResourceExhausted,
            http: StatusCode::TOO_MANY_REQUESTS,
            message: "too many bytes of other requests are being read".into(),
            retry: Some(Duration::from_secs(1)),
        }
    }

    /// Returns the refusal of spans that the store does not take now; the same request can pass later.
    pub(crate) fn not_stored(refused: &Refused) -> Self {
        let (code, http, retry) = match refused {
            Refused::Overloaded { retry_after } => (
                Code::ResourceExhausted,
                StatusCode::TOO_MANY_REQUESTS,
                *retry_after,
            ),
            Refused::Storage(_) => (
                Code::Unavailable,
                StatusCode::SERVICE_UNAVAILABLE,
                STORAGE_RETRY,
            ),
        };
        Self {
            code,
            http,
            message: refused.to_string(),
            retry: Some(retry),
        }
    }

    /// Returns the refusal of a client that stops in the middle of its message.
    pub(crate) fn slow() -> Self {
        Self {
            code: Code::DeadlineExceeded,
            http: StatusCode::REQUEST_TIMEOUT,
            message: "the body did not arrive in time".into(),
            retry: None,
        }
    }

    /// Returns the refusal of a request without the sink's token.
    pub(crate) fn unauthenticated() -> Self {
        Self {
            code: Code::Unauthenticated,
            http: StatusCode::UNAUTHORIZED,
            message: "expected the header `authorization: Bearer TOKEN` with this sink's token"
                .into(),
            retry: None,
        }
    }

    /// Returns the refusal that a script asks for, by a gRPC code.
    pub(crate) fn scripted_code(code: Code, retry: Option<Duration>) -> Self {
        Self {
            code,
            http: http_status(code),
            message: SCRIPTED.into(),
            retry,
        }
    }

    /// Returns the refusal that a script asks for, by an HTTP status.
    pub(crate) fn scripted_status(status: u16, retry: Option<Duration>) -> Self {
        Self {
            code: code_of_http(status),
            http: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: SCRIPTED.into(),
            retry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_client_repeats_what_can_never_pass() {
        for refusal in [
            Refusal::broken("x"),
            Refusal::unsupported_encoding(),
            Refusal::too_large(1),
            Refusal::too_many_parts(),
            Refusal::unauthenticated(),
        ] {
            assert!(
                ![429, 502, 503, 504].contains(&refusal.http.as_u16()),
                "{refusal:?}"
            );
            let retryable = [
                Code::Cancelled,
                Code::DeadlineExceeded,
                Code::Aborted,
                Code::OutOfRange,
                Code::Unavailable,
                Code::DataLoss,
            ];
            assert!(!retryable.contains(&refusal.code), "{refusal:?}");
            assert_eq!(refusal.retry, None, "{refusal:?}");
        }
        assert!(Refusal::busy().retry.is_some());
    }
}
