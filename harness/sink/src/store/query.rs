//! A search for traces, and what it shows of each.

use std::time::Duration;

use super::span::{SpanKind, StatusCode};

/// A search: traces with a span that meets every condition. The default finds the 20 newest.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The service of the span.
    pub service: Option<String>,
    /// The name of the span.
    pub name: Option<String>,
    /// The kind of the span.
    pub kind: Option<SpanKind>,
    /// The status of the span.
    pub status: Option<StatusCode>,
    /// The least duration of the span.
    pub min_duration: Option<Duration>,
    /// The greatest duration of the span.
    pub max_duration: Option<Duration>,
    /// Attributes of the span or of its resource: a key, and the value as text. Numbers and booleans are compared by
    /// value; lists, maps and bytes never match.
    pub attributes: Vec<(String, String)>,
    /// The earliest start of the span (without other conditions: of the trace), in nanoseconds since 1970.
    pub from_unix_nanos: Option<u64>,
    /// The latest start of the span (without other conditions: of the trace), in nanoseconds since 1970.
    pub to_unix_nanos: Option<u64>,
    /// The number of traces to return: those with the newest matching spans (without other conditions: the newest traces).
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            service: None,
            name: None,
            kind: None,
            status: None,
            min_duration: None,
            max_duration: None,
            attributes: Vec::new(),
            from_unix_nanos: None,
            to_unix_nanos: None,
            limit: 20,
        }
    }
}

/// A trace as a search shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSummary {
    /// The trace id, 32 lower-case hex digits.
    pub trace_id: String,
    /// The start of the earliest span, in nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// The end of the latest span, in nanoseconds since 1970.
    pub end_unix_nanos: u64,
    /// The number of spans.
    pub spans: u64,
    /// The number of spans whose status is an error.
    pub errors: u64,
    /// The first root that arrived; `None` while no span without a parent is there.
    pub root: Option<Root>,
    /// The services, in alphabetical order.
    pub services: Vec<String>,
    /// The arrival of the first span, in nanoseconds since 1970.
    pub arrived_unix_nanos: u64,
}

/// The root of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The service.
    pub service: String,
    /// The name of the span.
    pub name: String,
    /// The kind of the span.
    pub kind: SpanKind,
    /// The duration of the span, in nanoseconds.
    pub duration_nanos: u64,
}

/// A name and kind that the spans of a service have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The name of the spans.
    pub name: String,
    /// The kind of the spans.
    pub kind: SpanKind,
    /// The number of stored spans.
    pub spans: u64,
}
