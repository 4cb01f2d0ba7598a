//! The record of one export request: its transport, its size, its answer.
//!
//! A record exists from the moment the body has arrived, with [`Answer::Pending`], so that a request whose client gives up
//! waiting is recorded too.

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
    /// The headers, the first 16 KiB of them: names in lower case, in the order received; bytes that are not UTF-8 are
    /// replaced.
    pub headers: Vec<(String, String)>,
    /// The size of the body on the wire: compressed, gRPC's frame header included.
    pub wire_bytes: usize,
    /// The number of spans in the request; 0 when the request could not be read.
    pub spans: usize,
    /// The answer.
    pub answer: Answer,
}

impl RequestRecord {
    /// Returns the first value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
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
