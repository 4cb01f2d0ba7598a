//! `google.rpc.Status` with `google.rpc.RetryInfo`: the body of every OTLP/HTTP error, and the details of a gRPC error.

use std::time::Duration;

use hyper::body::Bytes;
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::media::Media;

/// Returns a gRPC error, with details only where a delay is given, because servers send none otherwise.
pub(crate) fn grpc_status(code: Code, message: &str, retry: Option<Duration>) -> Status {
    match retry {
        Some(_) => detailed(code, message, retry),
        None => Status::new(code, message),
    }
}

/// Returns the body of an OTLP/HTTP error: a `google.rpc.Status`, in the encoding of the request.
pub(crate) fn error_body(
    media: Media,
    code: Code,
    message: &str,
    retry: Option<Duration>,
) -> Bytes {
    match media {
        // The details of a gRPC error are this very message.
        Media::Protobuf => Bytes::copy_from_slice(detailed(code, message, retry).details()),
        Media::Json => {
            let mut status = json!({"code": i32::from(code), "message": message});
            if let Some(retry) = retry {
                let delay = format!("{}.{:09}s", retry.as_secs(), retry.subsec_nanos());
                let kind = "type.googleapis.com/google.rpc.RetryInfo";
                status["details"] = json!([{"@type": kind, "retryDelay": delay}]);
            }
            Bytes::from(status.to_string())
        }
    }
}

fn detailed(code: Code, message: &str, retry: Option<Duration>) -> Status {
    let details = match retry {
        Some(_) => ErrorDetails::with_retry_info(retry),
        None => ErrorDetails::new(),
    };
    Status::with_error_details(code, message, details)
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

/// Returns the code that says over gRPC what an HTTP status says, chosen so that a client retries the same errors over both
/// transports.
pub(crate) fn code_of_http(status: u16) -> Code {
    match status {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 | 405 | 415 => Code::Unimplemented,
        413 | 429 => Code::ResourceExhausted,
        502 | 503 => Code::Unavailable,
        504 => Code::DeadlineExceeded,
        400..=499 => Code::InvalidArgument,
        _ => Code::Internal,
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
        assert_eq!(
            error_body(Media::Protobuf, Code::Unavailable, "x", delay),
            expected
        );
        assert_eq!(
            error_body(Media::Json, Code::Unavailable, "\"x\"\n", delay),
            r#"{"code":14,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500000000s"}],"message":"\"x\"\n"}"#
        );
        let status = grpc_status(Code::Unavailable, "x", delay);
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.details(), expected);
    }

    #[test]
    fn says_nothing_in_details_without_a_delay() {
        let status = grpc_status(Code::InvalidArgument, "no", None);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.details().is_empty());
        let body = error_body(Media::Json, Code::InvalidArgument, "no", None);
        assert_eq!(body, r#"{"code":3,"message":"no"}"#);
    }

    #[test]
    fn a_client_retries_the_same_statuses_over_both_transports() {
        for status in 400..600 {
            let over_http = matches!(status, 429 | 502 | 503 | 504);
            let code = code_of_http(status);
            let over_grpc = matches!(code, Code::Unavailable | Code::DeadlineExceeded)
                || status == 429 && code == Code::ResourceExhausted;
            assert_eq!(over_http, over_grpc, "{status}");
        }
    }
}
