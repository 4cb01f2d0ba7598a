//! The proxy as four small traits, which the plugin implements by hostcalls and `in_memory` by values.
//!
//! Every method takes `&self`, because a proxy is a handle to state outside the filter. Each call costs, so the filter asks
//! for no value twice, and for no value that it does not need.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::cluster_call::send_error::SendError;
use crate::headers::HeaderWriter;
use crate::stream_info::source::PassingResponse;
use crate::time::Nanos;

/// The current stream: its headers, its information and its filter state.
pub trait Stream: PassingResponse {
    /// Returns the request's headers as one block (see `headers::pairs`).
    fn request_headers(&self) -> Vec<u8>;
    /// Returns the writer of changes to the request's headers.
    fn request_writer(&self) -> impl HeaderWriter;
    /// Returns the writer of changes to the response's headers.
    fn response_writer(&self) -> impl HeaderWriter;
    /// Returns the writer of changes to the response's trailers.
    fn trailer_writer(&self) -> impl HeaderWriter;
    /// Returns the direction of the stream's listener, by the numbers of Envoy's `TrafficDirection`.
    fn listener_direction(&self) -> Option<u64>;
    /// Sets a value of the stream's filter state, where other filters and the access log find it.
    fn set_filter_state(&self, name: &str, value: &[u8]);
}

/// Data that all VMs of one VM id share.
pub trait SharedData {
    /// Returns the value of a key; empty where there is none.
    fn shared_data(&self, key: &[u8]) -> Vec<u8>;
    /// Sets the value of a key without comparison. There is no delete; an empty value stands for none.
    fn set_shared_data(&self, key: &[u8], value: &[u8]);
}

/// Calls to clusters, and the answer that has just arrived.
pub trait ClusterCalls {
    /// Sends an HTTP request and returns the token by which its answer is known.
    ///
    /// # Errors
    /// [`SendError`] where the proxy did not send the request.
    fn http_call(
        &self,
        cluster: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<u32, SendError>;
    /// Returns the first line of a header of the answer.
    fn answer_header(&self, name: &str) -> Option<Vec<u8>>;
    /// Returns the first line of a trailer of the answer.
    fn answer_trailer(&self, name: &str) -> Option<Vec<u8>>;
    /// Returns the first bytes of the answer's body, at most `max_bytes`.
    fn answer_body(&self, max_bytes: usize) -> Vec<u8>;
}

/// The worker: its clocks, its timer and its log.
pub trait Worker {
    /// Returns the time of day.
    fn now(&self) -> Nanos;
    /// Returns the clock that nobody sets, since a moment that all workers of the process share.
    fn monotonic(&self) -> Nanos;
    /// Sets the period of the tick.
    fn set_tick_period(&self, period: Duration);
    /// Returns true while lines at level debug are written.
    fn logs_debug(&self) -> bool;
    /// Writes a line into the log.
    fn log(&self, level: LogLevel, line: fmt::Arguments<'_>);
    /// Writes a line into the log, unless another worker of the process has just written the line of this topic under the
    /// configuration with this digest: a line that all workers would write within `round` is written once.
    fn log_once(
        &self,
        level: LogLevel,
        topic: &str,
        digest: &str,
        round: Duration,
        line: fmt::Arguments<'_>,
    );
}

/// The level of a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Explanations of decisions.
    Debug,
    /// Events for the record.
    Info,
    /// Problems that an operator has to solve.
    Warn,
}

/// A whole proxy.
pub trait Proxy: Stream + SharedData + ClusterCalls + Worker {}

impl<P: Stream + SharedData + ClusterCalls + Worker> Proxy for P {}
