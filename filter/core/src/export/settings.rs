//! Settings of export: the collector, its protocol, batches, the queue and retries.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// `$.export`.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Where to; `None` exports nothing.
    pub otlp: Option<Otlp>,
    /// Spans in one request, at most.
    pub batch_max_spans: usize,
    /// How long a span waits for others, at most.
    pub batch_max_delay: Duration,
    /// Spans kept, at most.
    pub queue_max_spans: usize,
    /// Bytes of spans kept, at most.
    pub queue_max_bytes: usize,
    /// Delay before the second try.
    pub retry_initial: Duration,
    /// Delay between tries, at most.
    pub retry_max: Duration,
    /// Tries, the first included.
    pub retry_attempts: u32,
}

impl Default for Export {
    fn default() -> Self {
        Self {
            otlp: None,
            batch_max_spans: 512,
            batch_max_delay: Duration::from_secs(1),
            queue_max_spans: 8192,
            queue_max_bytes: 8 << 20,
            retry_initial: Duration::from_secs(1),
            retry_max: Duration::from_secs(30),
            retry_attempts: 5,
        }
    }
}

/// `$.export.otlp`.
#[derive(Clone, Debug, PartialEq)]
pub struct Otlp {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// `:authority` of the request.
    pub authority: String,
    /// gRPC or HTTP.
    pub protocol: Protocol,
    /// `:path` of the request.
    pub path: String,
    /// How the request's body is written.
    pub compression: Compression,
    /// How long one try may take.
    pub timeout: Duration,
    /// Headers of every request, in lower case.
    pub headers: Vec<(String, HeaderValue)>,
}

/// `$.export.otlp.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `grpc`.
    Grpc,
    /// `http/protobuf`.
    HttpProtobuf,
}

/// How a request's body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// In gzip, where that is smaller.
    Gzip,
}

/// Where the value of a header comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// The configuration.
    Literal(String),
    /// The environment variable of this name.
    Environment(String),
}

impl fmt::Debug for HeaderValue {
    /// Without the value, which is most often a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("Literal(..)"),
            Self::Environment(name) => f.debug_tuple("Environment").field(name).finish(),
        }
    }
}

/// Whether a header may have this value (RFC 9110, "Field Values"). A line end in it would begin another header.
pub fn is_header_value(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'\t' || !byte.is_ascii_control())
}
