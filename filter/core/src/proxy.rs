//! The proxy as the filter knows it: four small traits, which the plugin implements by hostcalls and `in_memory` by values.
//!
//! Every method takes `&self`, because a proxy is a handle: what changes lies on its other side. Each call costs, so the
//! filter asks for nothing twice, and for nothing that it does not need.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::cluster_call::send_error::SendError;
use crate::headers::HeaderWriter;
use crate::stream_info::source::StreamInfo;
use crate::time::Nanos;

/// The current stream: its headers, what is known of it, and its filter state.
pub trait Stream: StreamInfo {
    /// Returns the request's headers as one block (see `headers::pairs`).
    fn request_headers(&self) -> Vec<u8>;
    /// Returns where changes to the request's headers go.
    fn request_writer(&self) -> impl HeaderWriter;
    /// Returns where changes to the response's headers go.
    fn response_writer(&self) -> impl HeaderWriter;
    /// Returns where changes to the response's trailers go.
    fn trailer_writer(&self) -> impl HeaderWriter;
    /// Returns the direction of the stream's listener, by the numbers of Envoy's `TrafficDirection`.
    fn listener_direction(&self) -> Option<u64>;
    /// Keeps a value with the stream, where other filters and the access log find it.
    fn set_filter_state(&self, name: &str, value: &[u8]);
}

/// Data that all VMs of one VM id share.
pub trait SharedData {
    /// Returns the value of a key; empty where there is none.
    fn shared_data(&self, key: &[u8]) -> Vec<u8>;
    /// Sets the value of a key, whoever has written it before. Nothing can be deleted; an empty value stands for none.
    fn set_shared_data(&self, key: &[u8], value: &[u8]);
}

/// Calls to clusters, and the answer that has just come.
pub trait ClusterCalls {
    /// Sends an HTTP request and returns the token by which its answer is known.
    ///
    /// # Errors
    /// Why the proxy did not send it.
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
    /// Returns the first bytes of the answer's body, at most so many.
    fn answer_body(&self, max_bytes: usize) -> Vec<u8>;
}

/// The worker: its clock, its timer and its log.
pub trait Worker {
    /// Returns the time of day.
    fn now(&self) -> Nanos;
    /// Asks for a tick this often.
    fn set_tick_period(&self, period: Duration);
    /// Returns true while lines at level debug are written.
    fn logs_debug(&self) -> bool;
    /// Writes a line into the log.
    fn log(&self, level: LogLevel, line: fmt::Arguments<'_>);
    /// Writes a line into the log unless another worker of the process has just written the same on this topic, under the
    /// configuration with this digest: a line that all workers come to write within `round` is written once.
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
    /// For whoever asks why.
    Debug,
    /// For the record.
    Info,
    /// For whoever operates this.
    Warn,
}

/// A whole proxy.
pub trait Proxy: Stream + SharedData + ClusterCalls + Worker {}

impl<P: Stream + SharedData + ClusterCalls + Worker> Proxy for P {}
