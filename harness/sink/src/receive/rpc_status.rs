//! `google.rpc.Status` with `google.rpc.RetryInfo`: the body of every OTLP/HTTP error, and the details of a gRPC error.

use std::time::Duration;

use hyper::body::Bytes;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::store::Refused;

/// Returns a gRPC error, with details only where a delay is given, because servers send none otherwise.
pub(crate) fn grpc_status(code: Code, message: &str, retry: Option<Duration>) -> Status {
    match retry {
        Some(_) => detailed(code, message, retry),
        None => Status::new(code, message),
    }
}

/// Returns the body of an OTLP/HTTP error: a `google.rpc.Status`, encoded.
pub(crate) fn error_body(code: Code, message: &str, retry: Option<Duration>) -> Bytes {
    // The details of a gRPC error are this very message.
    Bytes::copy_from_slice(detailed(code, message, retry).details())
}

fn detailed(code: Code, message: &str, retry: Option<Duration>) -> Status {
    let details = match retry {
        Some(_) => ErrorDetails::with_retry_info(retry),
        None => ErrorDetails::new(),
    };
    Status::with_error_details(code, message, details)
}

/// Returns the code for a request that the store did not take, and the time to wait before the next try.
pub(crate) fn refusal_of(refused: &Refused) -> (Code, Duration) {
    match refused {
        Refused::Overloaded { retry_after } => (Code::ResourceExhausted, *retry_after),
        Refused::Storage(_) => (Code::Unavailable, Duration::from_secs(5)),
    }
}

/// Returns the HTTP status for a code, chosen so that a client retries the same errors over both transports (OTLP,
/// "Failures").
pub(crate) fn http_status(code: Code) -> http::StatusCode {
    match code {
        Code::InvalidArgument => http::StatusCode::BAD_REQUEST,
        Code::Unauthenticated => http::StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => http::StatusCode::FORBIDDEN,
        Code::NotFound | Code::Unimplemented => http::StatusCode::NOT_FOUND,
        Code::ResourceExhausted => http::StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable | Code::Cancelled | Code::Aborted | Code::OutOfRange | Code::DataLoss => {
            http::StatusCode::SERVICE_UNAVAILABLE
        }
        Code::DeadlineExceeded => http::StatusCode::GATEWAY_TIMEOUT,
        Code::Ok => http::StatusCode::OK,
        _ => http::StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_a_retry_delay_as_the_protocol_says() {
        let delay = Some(Duration::from_millis(1500));
        let mut expected = vec![0x08, 14, 0x12, 1, b'x', 0x1a, 54, 0x0a, 40];
        expected.extend(b"type.googleapis.com/google.rpc.RetryInfo");
        // 1 s and 500,000,000 ns.
        expected.extend([0x12, 10, 0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 1]);
        assert_eq!(error_body(Code::Unavailable, "x", delay), expected);
        let status = grpc_status(Code::Unavailable, "x", delay);
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.details(), expected);
    }

    #[test]
    fn says_nothing_in_details_without_a_delay() {
        let status = grpc_status(Code::InvalidArgument, "no", None);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.details().is_empty());
    }
}
