//! The settings of export: the collector, its protocol, batches, the queue and retries.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// `$.export`.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// The collector; `None` exports nothing.
    pub otlp: Option<Otlp>,
    /// The largest number of spans in one request.
    pub batch_max_spans: usize,
    /// The longest time that a span waits for others.
    pub batch_max_delay: Duration,
    /// The largest number of queued spans.
    pub queue_max_spans: usize,
    /// The largest number of bytes of queued spans.
    pub queue_max_bytes: usize,
    /// The delay before the second attempt.
    pub retry_initial: Duration,
    /// The longest delay between attempts.
    pub retry_max: Duration,
    /// The largest number of attempts, the first included.
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
    /// `:authority` of the request, by which front ends choose; by default the service and its port, or the cluster.
    pub authority: String,
    /// The protocol: gRPC or HTTP.
    pub protocol: Protocol,
    /// `:path` of the request.
    pub path: String,
    /// The compression of the request's body.
    pub compression: Compression,
    /// The timeout of one attempt.
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

/// The compression of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// No compression.
    None,
    /// gzip, where the result is smaller.
    Gzip,
}

/// The source of a header's value.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// The configuration.
    Literal(String),
    /// The environment variable of this name.
    Environment(String),
}

impl fmt::Debug for HeaderValue {
    /// Writes no value, because the value is most often a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("Literal(..)"),
            Self::Environment(name) => f.debug_tuple("Environment").field(name).finish(),
        }
    }
}

/// Returns true if a header may have this value (RFC 9110, "Field Values"). A value with a line end may not stand there,
/// because the line end would start another header.
pub fn is_header_value(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'\t' || !byte.is_ascii_control())
}
