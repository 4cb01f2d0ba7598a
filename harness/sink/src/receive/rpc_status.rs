//! `google.rpc.Status` and `google.rpc.RetryInfo`: the body of every OTLP/HTTP error, and the details of a gRPC error.
//!
//! Written out here because four messages of ten fields do not justify a crate of Google's types.

use std::time::Duration;

use prost::Message;
use tonic::Code;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcStatus {
    /// A number of `google.rpc.Code`.
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    /// For people.
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    /// For programs.
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Any {
    /// Which message `value` is.
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    /// That message, encoded.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<RetryDelay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Message)]
struct RetryDelay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl RpcStatus {
    /// Makes a status, with a `RetryInfo` where a delay is given.
    pub(crate) fn new(code: Code, message: &str, retry: Option<Duration>) -> Self {
        let details = retry.map(|delay| Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: RetryInfo {
                retry_delay: Some(RetryDelay {
                    seconds: i64::try_from(delay.as_secs()).unwrap_or(i64::MAX),
                    nanos: i32::try_from(delay.subsec_nanos()).unwrap_or(0),
                }),
            }
            .encode_to_vec(),
        });
        Self {
            code: i32::from(code),
            message: message.to_owned(),
            details: details.into_iter().collect(),
        }
    }

    /// Makes the gRPC status; the details are sent only when there are any, as servers do.
    pub(crate) fn into_grpc(self) -> tonic::Status {
        let code = Code::from_i32(self.code);
        if self.details.is_empty() {
            return tonic::Status::new(code, self.message);
        }
        let details = self.encode_to_vec();
        tonic::Status::with_details(code, self.message, details.into())
    }
}

/// Returns the HTTP status that carries a code over OTLP/HTTP, so that a client retries over one transport exactly
/// what it would retry over the other (OTLP, "Failures").
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
        let status = RpcStatus::new(Code::Unavailable, "x", Some(Duration::from_millis(1500)));
        let mut expected = vec![0x08, 14, 0x12, 1, b'x', 0x1a, 54, 0x0a, 40];
        expected.extend(b"type.googleapis.com/google.rpc.RetryInfo");
        // 1 s and 500,000,000 ns.
        expected.extend([0x12, 10, 0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 1]);
        assert_eq!(status.encode_to_vec(), expected);
    }

    #[test]
    fn says_nothing_in_details_without_a_delay() {
        let status = RpcStatus::new(Code::InvalidArgument, "no", None).into_grpc();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.details().is_empty());
    }
}
