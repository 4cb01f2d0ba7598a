//! The section `$.export`: the collector, the batches, and the attempts to send them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use crate::config::address::{PORTS, authority_of, cluster_of};
use crate::config::cursor::Cursor;
use crate::config::scalars::{ANY_DURATION, Shown};
use crate::export::settings::{Compression, Export, HeaderValue, Otlp, Protocol, is_header_value};

impl Export {
    pub(in crate::config) fn read(at: Cursor<'_>) -> Self {
        let mut export = Self::default();
        at.object(&["otlp", "batch", "queue", "retry"], |key, at| match key {
            "otlp" => export.otlp = Otlp::read(at),
            "batch" => export.batch(at),
            "queue" => export.queue(at),
            _ => export.retry(at),
        });
        // A refused value keeps its default, which fits all other defaults; only values that were read can contradict
        // each other.
        if let Some(queue) = at.get("queue")
            && let Some(spans) = queue.get("maxSpans")
            && export.queue_max_spans < export.batch_max_spans
        {
            let batch = export.batch_max_spans;
            spans.error(format!(
                "expected at least batch.maxSpans ({batch}), found {}",
                spans.describe()
            ));
        }
        export
    }

    fn batch(&mut self, at: Cursor<'_>) {
        at.object(&["maxSpans", "maxDelay"], |key, at| match key {
            "maxSpans" => {
                self.batch_max_spans = at.count(BATCH_SPANS).unwrap_or(self.batch_max_spans)
            }
            _ => self.batch_max_delay = at.duration(DELAYS).unwrap_or(self.batch_max_delay),
        });
    }

    fn queue(&mut self, at: Cursor<'_>) {
        at.object(&["maxSpans", "maxBytes"], |key, at| match key {
            "maxSpans" => {
                self.queue_max_spans = at.count(QUEUE_SPANS).unwrap_or(self.queue_max_spans)
            }
            _ => {
                let bytes = at
                    .size(QUEUE_BYTES)
                    .and_then(|bytes| usize::try_from(bytes).ok());
                self.queue_max_bytes = bytes.unwrap_or(self.queue_max_bytes);
            }
        });
    }

    fn retry(&mut self, at: Cursor<'_>) {
        at.object(&["initial", "max", "attempts"], |key, at| match key {
            "initial" => {
                self.retry_initial = at.duration(ANY_DURATION).unwrap_or(self.retry_initial)
            }
            "max" => self.retry_max = at.duration(ANY_DURATION).unwrap_or(self.retry_max),
            _ => {
                let attempts = at
                    .integer(ATTEMPTS)
                    .and_then(|attempts| u32::try_from(attempts).ok());
                self.retry_attempts = attempts.unwrap_or(self.retry_attempts);
            }
        });
        if self.retry_max < self.retry_initial {
            if let Some(max) = at.get("max") {
                max.error(format!(
                    "expected at least initial ({}), found {}",
                    Shown(self.retry_initial),
                    max.describe()
                ));
            } else if let Some(initial) = at.get("initial") {
                let max = Shown(self.retry_max);
                initial.error(format!(
                    "expected at most max ({max}), found {}; set max as well",
                    initial.describe()
                ));
            }
        }
    }
}

impl Otlp {
    fn read(at: Cursor<'_>) -> Option<Self> {
        let mut cluster = None;
        let mut service = None;
        let mut port = None;
        let mut protocol = Some(Protocol::Grpc);
        let mut authority = None;
        let mut path = None;
        let mut compression = Compression::None;
        let mut timeout = TIMEOUT;
        let mut headers = Vec::new();
        let known = [
            "service",
            "cluster",
            "port",
            "authority",
            "protocol",
            "path",
            "compression",
            "timeout",
            "headers",
        ];
        let is_object = at.object(&known, |key, at| match key {
            "service" => service = at.host().map(ToString::to_string),
            "cluster" => cluster = at.cluster_name().map(ToString::to_string),
            "port" => port = at.integer(PORTS),
            "authority" => authority = at.authority().map(ToString::to_string),
            "protocol" => protocol = at.choice(&PROTOCOLS),
            "path" => path = at.request_path().map(ToString::to_string),
            "compression" => compression = at.choice(&COMPRESSIONS).unwrap_or(compression),
            "timeout" => timeout = at.duration(ANY_DURATION).unwrap_or(timeout),
            _ => headers = read_headers(at),
        });
        if !is_object {
            return None;
        }
        at.service_or_cluster();
        if let (Some(Protocol::Grpc), Some(path)) = (protocol, at.get("path")) {
            path.error("not with protocol grpc, whose path is fixed; leave it out or set protocol to http/protobuf");
        }
        let protocol = protocol?;
        let (default_port, default_path) = match protocol {
            Protocol::Grpc => (GRPC_PORT, GRPC_PATH),
            Protocol::HttpProtobuf => (HTTP_PORT, HTTP_PATH),
        };
        let cluster =
            cluster.or_else(|| Some(cluster_of(&service?, port.unwrap_or(default_port))))?;
        Some(Self {
            authority: authority.unwrap_or_else(|| authority_of(&cluster)),
            cluster,
            protocol,
            path: path.unwrap_or_else(|| default_path.into()),
            compression,
            timeout,
            headers,
        })
    }
}

/// Reads headers. No error has a part of a header's value, because headers carry API keys.
fn read_headers(at: Cursor<'_>) -> Vec<(String, HeaderValue)> {
    let mut headers = Vec::new();
    at.map(MAX_HEADERS, |name, at| {
        if TAKEN.contains(&name) {
            at.error(format!(
                "the header {name} is the exporter's own; leave it out"
            ));
        } else {
            at.header_name(name);
        }
        let value = if at.is_object() {
            let mut variable = None;
            at.object(&["environment"], |_, at| {
                variable = at
                    .non_empty("the name of an environment variable")
                    .map(ToString::to_string);
            });
            at.required("environment");
            variable.map(HeaderValue::Environment)
        } else {
            let text = at.secret("a string or {environment: NAME}");
            if text.is_some_and(|text| !is_header_value(text)) {
                at.error("expected a value without line ends and control characters");
            }
            text.map(|text| HeaderValue::Literal(text.trim().into()))
        };
        headers.extend(value.map(|value| (name.into(), value)));
    });
    headers
}

const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// OTLP's port for gRPC.
pub const GRPC_PORT: u64 = 4317;
/// OTLP's port for HTTP.
pub const HTTP_PORT: u64 = 4318;
/// OTLP's path for HTTP.
pub const HTTP_PATH: &str = "/v1/traces";
/// The words of `$.export.otlp.protocol`.
pub const PROTOCOLS: [(&str, Protocol); 2] = [
    ("grpc", Protocol::Grpc),
    ("http/protobuf", Protocol::HttpProtobuf),
];
/// The words of `$.export.otlp.compression`.
pub const COMPRESSIONS: [(&str, Compression); 2] =
    [("none", Compression::None), ("gzip", Compression::Gzip)];
/// Time that the collector has for an answer.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Headers that say how a request is to be read, and that it is not traced.
pub const TAKEN: [&str; 11] = [
    "content-type",
    "te",
    "b3",
    "host",
    "content-encoding",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "grpc-encoding",
    "grpc-timeout",
];
/// Entries of `$.export.otlp.headers`, at most.
pub const MAX_HEADERS: usize = 64;
/// The limits of `$.export.batch.maxSpans`.
pub const BATCH_SPANS: RangeInclusive<u64> = 1..=8192;
/// The limits of `$.export.batch.maxDelay`.
pub const DELAYS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60);
/// The limits of `$.export.queue.maxSpans`: at most the spans that fit the largest queue at 1 KiB a span.
pub const QUEUE_SPANS: RangeInclusive<u64> = 1..=1 << 17;
/// The limits of `$.export.queue.maxBytes`: at least one span of common size; at most an eighth of the 1 GiB of memory that Envoy gives a WebAssembly module,
/// because several queues may be in one memory while configurations change, and running out of memory would trap the
/// VM.
pub const QUEUE_BYTES: RangeInclusive<u64> = 1 << 10..=128 << 20;
/// The limits of `$.export.retry.attempts`.
pub const ATTEMPTS: RangeInclusive<u64> = 1..=100;
