//! The plugin's configuration: from the bytes of `pluginConfig` to checked values.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A whole, checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Which formats are read and written.
    pub propagation: Propagation,
    /// Whether and how roots are decided here; `None` while neither `sampling` nor `export.otlp` is set.
    pub sampling: Option<Sampling>,
    /// Which side of the proxy this is.
    pub direction: Direction,
    /// What spans say.
    pub spans: Spans,
    /// Where spans go.
    pub export: Export,
}

/// `$.propagation`.
#[derive(Clone, Debug, PartialEq)]
pub struct Propagation {
    /// The formats that are read, in order of precedence.
    pub extract: Vec<Format>,
    /// The formats that are always written.
    pub inject: Vec<Format>,
    /// Whether the formats that the request came in are written as well.
    pub mirror: bool,
    /// Whether an id that came with 16 digits leaves with 16 in B3.
    pub keep64bit: bool,
}

/// A trace-context format that this version reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// W3C Trace Context: `traceparent`, `tracestate`.
    TraceContext,
    /// B3 in one header: `b3`.
    B3,
    /// B3 in several headers: `x-b3-*`.
    B3Multi,
}

/// `$.sampling`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// For roots and undecided contexts, 0 to 100.
    pub percentage: f64,
    /// By the workload's own namespace.
    pub namespaces: Vec<(String, f64)>,
}

/// `$.direction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Asked of the proxy.
    Auto,
    /// SERVER spans.
    Inbound,
    /// CLIENT spans.
    Outbound,
    /// Both.
    Edge,
}

/// `$.spans`.
#[derive(Clone, Debug, PartialEq)]
pub struct Spans {
    /// The configured `service.name`.
    pub service_name: Option<String>,
}

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
    /// How long one try may take.
    pub timeout: Duration,
}

/// `$.export.otlp.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `grpc`.
    Grpc,
    /// `http/protobuf`.
    HttpProtobuf,
}
