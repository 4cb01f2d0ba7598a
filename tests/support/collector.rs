//! The OTLP sink for tests that block: the sink runs on a runtime of its own, and a wait without success reports what has
//! arrived.

use std::sync::OnceLock;

use sidespan_envoy::{Cluster, Protocol};
use sidespan_sink::{Sink, SinkConfig, Snapshot, StoredSpan};
use tokio::runtime::Runtime;

use crate::envoy::LIMIT;

/// A running collector.
pub struct Collector(Sink);

impl Collector {
    /// Starts a collector on free ports.
    ///
    /// # Panics
    /// When there are no free ports.
    pub fn start() -> Self {
        Self::start_with(SinkConfig::default())
    }

    /// Starts a collector with a configuration.
    ///
    /// # Panics
    /// With the error of the start.
    pub fn start_with(config: SinkConfig) -> Self {
        let sink = runtime().block_on(Sink::start(config));
        Self(sink.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Returns the sink, for everything that does not wait.
    pub fn sink(&self) -> &Sink {
        &self.0
    }

    /// Returns a cluster of the collector's OTLP/gRPC side.
    pub fn grpc_cluster(&self, name: &str) -> Cluster {
        Cluster::new(name, self.0.grpc_addr()).protocol(Protocol::Http2)
    }

    /// Returns a cluster of the collector's OTLP/HTTP side.
    pub fn http_cluster(&self, name: &str) -> Cluster {
        Cluster::new(name, self.0.http_addr())
    }

    /// Waits until `look` returns a value.
    ///
    /// # Panics
    /// With what has arrived, when `look` never returns a value.
    pub fn wait<T>(&self, look: impl FnMut(&Snapshot) -> Option<T>) -> T {
        let found = runtime().block_on(self.0.wait_for(LIMIT, look));
        found.unwrap_or_else(|timeout| panic!("{timeout}"))
    }

    /// Waits until a trace has this many spans, and returns all that have arrived by then.
    ///
    /// # Panics
    /// As [`Collector::wait`].
    pub fn trace(&self, trace_id: &str, count: usize) -> Vec<StoredSpan> {
        self.wait(|now| Some(now.trace(trace_id)).filter(|spans| spans.len() >= count))
    }

    /// Waits as [`Collector::trace`] does, and returns the spans that have arrived when there are never enough.
    pub fn trace_if_any(&self, trace_id: &str, count: usize) -> Vec<StoredSpan> {
        let look = |now: &Snapshot| Some(now.trace(trace_id)).filter(|spans| spans.len() >= count);
        let found = runtime().block_on(self.0.wait_for(LIMIT, look));
        found.unwrap_or_else(|_| self.0.trace(trace_id))
    }

    /// Stops listening, as a collector does that restarts.
    pub fn pause(&self) {
        runtime().block_on(self.0.pause());
    }

    /// Listens on the same ports again.
    ///
    /// # Panics
    /// When another process has taken a port.
    pub fn resume(&self) {
        runtime()
            .block_on(self.0.resume())
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Returns the runtime of all collectors.
///
/// # Panics
/// When there is none.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}
