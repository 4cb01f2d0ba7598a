//! The bounds of a sink, and the counts of what it took, refused and evicted.

use std::time::Duration;

/// The bounds of a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of spans.
    pub max_spans: usize,
    /// The size of the stored spans with their resources, scopes and index entries, in bytes.
    pub max_bytes: usize,
    /// The age of a trace, counted from the arrival of its first span; `None` keeps traces until space runs out.
    pub max_age: Option<Duration>,
    /// The size of one span as it was sent, in bytes.
    pub max_span_bytes: usize,
    /// The size of one request, on the wire and inflated. The default is OTLP's recommendation, 64 MiB.
    pub max_request_bytes: usize,
    /// The size of the requests that wait for the database, in bytes; beyond it a sender is asked to come back later.
    pub max_waiting_bytes: usize,
    /// The number of request records.
    pub max_requests: usize,
    /// The size of the spans that wait for one destination, in bytes; beyond it the oldest message is dropped.
    pub max_forward_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_spans: 100_000,
            max_bytes: 256 << 20,
            max_age: None,
            max_span_bytes: 4 << 20,
            max_request_bytes: 64 << 20,
            max_waiting_bytes: 128 << 20,
            max_requests: 1_000,
            max_forward_bytes: 256 << 20,
        }
    }
}

/// The counts since the start of a sink; clearing does not reset them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests for the traces path, whatever their answer.
    pub requests: u64,
    /// Spans kept, evicted spans included.
    pub accepted: u64,
    /// Spans refused because their ids are invalid.
    pub invalid: u64,
    /// Spans refused because they, or their trace alone, fill the store.
    pub too_large: u64,
    /// Spans refused because a script asks for it.
    pub scripted: u64,
    /// Spans refused with their whole request, because the database could not take it.
    pub refused: u64,
    /// Copies of a stored span (same trace id, span id, kind, service and start), equal to it in every byte.
    pub duplicates: u64,
    /// Copies of a stored span whose other content differs; the first one is kept.
    pub conflicts: u64,
    /// Spans evicted with their trace to make room.
    pub evicted: u64,
    /// Spans evicted with their trace because of its age.
    pub expired: u64,
    /// Requests for logs or metrics.
    pub other_signals: u64,
}

/// The contents of a store in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// The number of traces.
    pub traces: u64,
    /// The number of spans.
    pub spans: u64,
    /// The size of the spans with their resources, scopes and index entries, in bytes.
    pub bytes: u64,
}
