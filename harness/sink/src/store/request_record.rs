//! What an exporter sent and what it was told, one record a request.
//!
//! A record exists from the moment the body is in, with [`Answer::Pending`]: a client that gives up waiting is seen too.

/// One export request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Counts from 0 since the sink was started.
    pub number: u64,
    /// How it came.
    pub transport: Transport,
    /// The HTTP method.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// Names in lower case, in the order received; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Size of the body as it came over the wire: compressed, gRPC's frame included.
    pub wire_bytes: usize,
    /// How many spans the request held; 0 when it could not be read.
    pub spans: usize,
    /// What the client was told.
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

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
}

/// What the client of a request was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet, or never: the client may have gone.
    Pending,
    /// An HTTP status.
    Http(u16),
    /// A gRPC status code.
    Grpc(i32),
    /// The stream or connection was reset.
    Reset,
}
