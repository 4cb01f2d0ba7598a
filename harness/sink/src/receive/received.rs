//! The counts of what arrives, and of what is refused or dropped before it reaches the store.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

use super::refusal::Refusal;
use super::signal::Signal;

/// The counts since the start of a sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Connections taken.
    pub connections: u64,
    /// Connections refused because as many are open as the sink takes.
    pub refused_connections: u64,
    /// Connections that ended without a TLS handshake.
    pub failed_handshakes: u64,
    /// Requests without the sink's token: 401, `UNAUTHENTICATED`.
    pub unauthenticated: u64,
    /// Requests that cannot be read: 400, `INVALID_ARGUMENT`.
    pub broken: u64,
    /// Requests over the limit of bytes or parts: 413, `RESOURCE_EXHAUSTED`.
    pub too_large: u64,
    /// Requests for which there was no memory: 429, `RESOURCE_EXHAUSTED` with a delay.
    pub busy: u64,
    /// Requests whose body did not arrive in time: 408, `DEADLINE_EXCEEDED`.
    pub slow: u64,
    /// Requests that the store could not keep: 503, `UNAVAILABLE`.
    pub unavailable: u64,
    /// Readers' questions that cannot be read: 400.
    pub bad_questions: u64,
    /// Readers' questions of foreign pages, or to a name that is not the sink's: 403.
    pub foreign: u64,
    /// Log records, which are dropped.
    pub log_records: u64,
    /// Data points of metrics, which are dropped.
    pub data_points: u64,
    /// Spans that came in Zipkin's format.
    pub zipkin_spans: u64,
}

/// The counts of a running sink.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: AtomicU64,
    refused_connections: AtomicU64,
    failed_handshakes: AtomicU64,
    unauthenticated: AtomicU64,
    broken: AtomicU64,
    too_large: AtomicU64,
    busy: AtomicU64,
    slow: AtomicU64,
    unavailable: AtomicU64,
    bad_questions: AtomicU64,
    foreign: AtomicU64,
    log_records: AtomicU64,
    data_points: AtomicU64,
    zipkin_spans: AtomicU64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Counters {
    /// Counts a connection.
    pub(crate) fn connection(&self) {
        add(&self.connections, 1);
    }

    /// Counts a connection that is refused.
    pub(crate) fn refused_connection(&self) {
        add(&self.refused_connections, 1);
    }

    /// Counts a connection whose TLS handshake failed, and returns their number.
    pub(crate) fn failed_handshake(&self) -> u64 {
        self.failed_handshakes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts a refusal by its HTTP status, of which each reason has its own.
    pub(crate) fn refusal(&self, refusal: &Refusal) {
        let counter = match refusal.http {
            StatusCode::UNAUTHORIZED => &self.unauthenticated,
            StatusCode::BAD_REQUEST => &self.broken,
            StatusCode::PAYLOAD_TOO_LARGE => &self.too_large,
            StatusCode::TOO_MANY_REQUESTS => &self.busy,
            StatusCode::REQUEST_TIMEOUT => &self.slow,
            StatusCode::SERVICE_UNAVAILABLE => &self.unavailable,
            _ => return,
        };
        add(counter, 1);
    }

    /// Counts the answer to a reader, if it is a refusal.
    pub(crate) fn answered(&self, status: StatusCode) {
        match status {
            StatusCode::BAD_REQUEST => add(&self.bad_questions, 1),
            StatusCode::FORBIDDEN => add(&self.foreign, 1),
            _ => {}
        }
    }

    /// Counts dropped log records or data points.
    pub(crate) fn dropped(&self, signal: Signal, records: u64) {
        match signal {
            Signal::Traces => {}
            Signal::Logs => add(&self.log_records, records),
            Signal::Metrics => add(&self.data_points, records),
        }
    }

    /// Counts spans in Zipkin's format.
    pub(crate) fn zipkin_spans(&self, spans: usize) {
        add(&self.zipkin_spans, u64::try_from(spans).unwrap_or(u64::MAX));
    }

    /// Returns the counts of this moment.
    pub(crate) fn now(&self) -> Received {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Received {
            connections: read(&self.connections),
            refused_connections: read(&self.refused_connections),
            failed_handshakes: read(&self.failed_handshakes),
            unauthenticated: read(&self.unauthenticated),
            broken: read(&self.broken),
            too_large: read(&self.too_large),
            busy: read(&self.busy),
            slow: read(&self.slow),
            unavailable: read(&self.unavailable),
            bad_questions: read(&self.bad_questions),
            foreign: read(&self.foreign),
            log_records: read(&self.log_records),
            data_points: read(&self.data_points),
            zipkin_spans: read(&self.zipkin_spans),
        }
    }
}
