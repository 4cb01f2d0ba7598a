//! What the proxy can tell of a request and its response when both have ended.
//!
//! Each answer is a call to the proxy, so it is asked for only what a span is going to say. Properties are Envoy's
//! attributes, with the segments of their paths joined by NUL; a number is eight bytes, the lowest first.

mod attributes;

use alloc::string::String;
use alloc::vec::Vec;

use crate::headers;
use crate::time::Nanos;
pub(crate) use attributes::{Fact, Told};
pub use attributes::{Question, list};

/// A proxy's answers about one exchange.
pub trait Exchange {
    /// A property of the stream.
    fn property(&self, path: &str) -> Option<Vec<u8>>;
    /// The first line of a header of the response.
    fn response_header(&self, name: &str) -> Option<Vec<u8>>;
    /// The first line of a trailer of the response.
    fn response_trailer(&self, name: &str) -> Option<Vec<u8>>;
    /// The answers to a whole question in one, as the proxy lists them; `None` where it does not.
    fn answers(&self, question: Question) -> Option<Vec<u8>>;
}

/// How an exchange ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The status code of the response, if one was begun.
    pub(crate) status_code: Option<u16>,
    /// `grpc-status`, where it was asked for and is there.
    pub(crate) grpc_status: Option<Vec<u8>>,
    /// Envoy's response flags as one number.
    pub(crate) response_flags: u64,
    /// A response was begun, not ended, and no flag says why.
    pub(crate) is_cut: bool,
}

impl Ending {
    /// What the response says, as far as it has come.
    #[inline]
    pub(crate) fn of_response(exchange: &impl Exchange, is_grpc: bool) -> Self {
        Self {
            status_code: status_code(exchange),
            grpc_status: is_grpc.then(|| grpc_status(exchange)).flatten(),
            ..Self::default()
        }
    }

    /// The same, and what the proxy says of it.
    #[inline]
    pub(crate) fn read(told: &Told<'_, impl Exchange>, is_grpc: bool) -> Self {
        let exchange = told.exchange;
        Self {
            status_code: match told.answer(Fact::StatusCode) {
                Some(_) => told
                    .number(Fact::StatusCode)
                    .and_then(|code| u16::try_from(code).ok()),
                None => status_code(exchange),
            },
            grpc_status: is_grpc.then(|| grpc_status(exchange)).flatten(),
            response_flags: told.number(Fact::Flags).unwrap_or(0),
            is_cut: false,
        }
    }
}

/// `grpc-status`; a response without a body has it among its headers.
#[inline]
fn grpc_status(exchange: &impl Exchange) -> Option<Vec<u8>> {
    exchange
        .response_trailer("grpc-status")
        .or_else(|| exchange.response_header("grpc-status"))
}

/// The status code of the response, if one was begun.
#[inline]
pub(crate) fn status_code(exchange: &impl Exchange) -> Option<u16> {
    headers::number(&exchange.response_header(":status")?)
}

/// A property that is a whole number.
#[inline]
pub(crate) fn number(exchange: &impl Exchange, path: &str) -> Option<u64> {
    let bytes = exchange.property(path)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// A property as text: what Envoy gives as a number or a boolean in its usual spelling, durations and times in
/// nanoseconds. What is neither that nor readable text, a message for example, is no value.
#[inline]
pub(crate) fn text(exchange: &impl Exchange, path: &str) -> Option<Vec<u8>> {
    let value = exchange.property(path)?;
    if BOOLEANS.contains(&path) {
        return match value.as_slice() {
            [0] => Some(b"false".into()),
            [1] => Some(b"true".into()),
            _ => None,
        };
    }
    if NUMBERS.contains(&path) {
        let number = i64::from_le_bytes(value.try_into().ok()?);
        return Some(alloc::format!("{number}").into_bytes());
    }
    let is_text =
        !String::from_utf8_lossy(&value).contains(|character: char| character.is_control());
    is_text.then_some(value)
}

/// When the exchange began, and when it ended. The proxy's duration is of a clock that never steps back, so it is
/// preferred to the difference of two times (EN-13), and it counts from the proxy's own beginning: what other filters took
/// before this one is in it. `begun` is zero where nobody has looked at the clock then.
#[inline]
pub(crate) fn times(told: &Told<'_, impl Exchange>, begun: Nanos, ended: Nanos) -> (Nanos, Nanos) {
    let known = told
        .number(Fact::Duration)
        .filter(|duration| i64::try_from(*duration).is_ok());
    if let Some(duration) = known {
        let Nanos(end) = ended;
        return (Nanos(end.saturating_sub(duration)), ended);
    }
    let begun = match number(told.exchange, "request\0time") {
        Some(time) if time > 0 => Nanos(time),
        _ if begun == Nanos(0) => ended,
        _ => begun,
    };
    (begun, ended.max(begun))
}

/// Envoy's attributes that are one byte.
const BOOLEANS: [&str; 1] = ["connection\0mtls"];
/// Envoy's attributes that are whole numbers, durations or times.
const NUMBERS: [&str; 21] = [
    "request\0time",
    "request\0duration",
    "request\0size",
    "request\0total_size",
    "request\0headers_bytes",
    "response\0code",
    "response\0flags",
    "response\0grpc_status",
    "response\0size",
    "response\0total_size",
    "response\0headers_bytes",
    "response\0backend_latency",
    "source\0port",
    "destination\0port",
    "connection\0id",
    "connection_id",
    "upstream\0port",
    "upstream\0request_attempt_count",
    "upstream\0num_endpoints",
    "upstream\0cx_pool_ready_duration",
    "xds\0listener_direction",
];
