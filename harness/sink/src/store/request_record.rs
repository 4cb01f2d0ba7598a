//! The record of one export request: its transport, its size, its answer.
//!
//! A record exists from the moment the body has arrived, with [`Answer::Pending`], so that a request whose client gives up
//! waiting is recorded too.

use super::recorded_headers::RecordedHeaders;

/// One export request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The request's number, counted from 0 since the sink was started.
    pub number: u64,
    /// The transport.
    pub transport: Transport,
    /// The HTTP method.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// The headers.
    pub headers: RecordedHeaders,
    /// The size of the body on the wire: compressed, gRPC's frame header included.
    pub wire_bytes: usize,
    /// The number of spans in the request; 0 when the request could not be read.
    pub spans: usize,
    /// The answer.
    pub answer: Answer,
}

impl RequestRecord {
    /// Returns the first value of a header, by its lower-case name; that of a header that bears a secret is
    /// [`RecordedHeaders::REDACTED`].
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(header, _)| *header == name);
        named.next().map(|(_, value)| value)
    }
}

/// The transport of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No answer yet, or never: the client may have gone.
    Pending,
    /// An HTTP status.
    Http(u16),
    /// A gRPC status code.
    Grpc(i32),
    /// A reset of the stream or connection.
    Reset,
}
