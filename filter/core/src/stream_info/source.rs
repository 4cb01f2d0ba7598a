//! The traits of a stream's information: properties by their path, at any time, and the headers and trailers of a response
//! as they pass.

use crate::stream_info::attributes::AttributeSet;
use crate::stream_info::fact::Fact;
use alloc::string::String;
use alloc::vec::Vec;

/// A proxy's information on one stream.
pub trait StreamInfo {
    /// Returns a property of the stream.
    fn property(&self, path: &str) -> Option<Vec<u8>>;
    /// Returns the values of a set of attributes as one list; `None` where the proxy cannot list them.
    fn answers(&self, set: AttributeSet) -> Option<Vec<u8>>;
    /// Returns true if the proxy confirms the fact; false where it is not so, or the proxy cannot tell.
    fn confirms(&self, fact: Fact) -> bool;
}

/// The response of a stream while a part of it passes. A proxy that ends the stream has no headers left to read.
pub trait PassingResponse: StreamInfo {
    /// Returns all headers as one block (see `headers::pairs`).
    fn response_headers(&self) -> Vec<u8>;
    /// Returns the first line of a header.
    fn response_header(&self, name: &str) -> Option<Vec<u8>>;
    /// Returns the first line of a trailer.
    fn response_trailer(&self, name: &str) -> Option<Vec<u8>>;
}

/// Returns a property that is a whole number.
#[inline]
pub(crate) fn number(stream_info: &impl StreamInfo, path: &str) -> Option<u64> {
    let bytes = stream_info.property(path)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// Returns a property as text: Envoy's numbers and booleans in their usual spelling, durations and times in nanoseconds.
/// `None` for any other property that is not readable text, a message for example.
#[inline]
pub(crate) fn text(stream_info: &impl StreamInfo, path: &str) -> Option<Vec<u8>> {
    let value = stream_info.property(path)?;
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
