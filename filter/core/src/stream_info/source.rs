//! The proxy's side: properties by their path, and the headers of the response.

use crate::stream_info::attributes::AttributeSet;
use alloc::string::String;
use alloc::vec::Vec;

/// A proxy's answers about one exchange.
pub trait StreamInfo {
    /// A property of the stream.
    fn property(&self, path: &str) -> Option<Vec<u8>>;
    /// The first line of a header of the response.
    fn response_header(&self, name: &str) -> Option<Vec<u8>>;
    /// The first line of a trailer of the response.
    fn response_trailer(&self, name: &str) -> Option<Vec<u8>>;
    /// The answers to a whole question in one, as the proxy lists them; `None` where it does not.
    fn answers(&self, question: AttributeSet) -> Option<Vec<u8>>;
}

/// A property that is a whole number.
#[inline]
pub(crate) fn number(exchange: &impl StreamInfo, path: &str) -> Option<u64> {
    let bytes = exchange.property(path)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// A property as text: what Envoy gives as a number or a boolean in its usual spelling, durations and times in
/// nanoseconds. What is neither that nor readable text, a message for example, is no value.
#[inline]
pub(crate) fn text(exchange: &impl StreamInfo, path: &str) -> Option<Vec<u8>> {
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
