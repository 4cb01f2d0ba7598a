//! The OTLP sink for tests that block: it runs on a runtime of its own, and a wait that is in vain says what did arrive.

use std::sync::OnceLock;

use sidespan_envoy::{Cluster, Protocol};
use sidespan_sink::{Sink, SinkConfig, Snapshot, StoredSpan};
use tokio::runtime::Runtime;

use crate::envoy::LIMIT;

/// A running collector.
pub struct Collector(Sink);

impl Collector {
    /// Starts one on free ports.
    ///
    /// # Panics
    /// When there are none.
    pub fn start() -> Self {
        let sink = runtime().block_on(Sink::start(SinkConfig::default()));
        Self(sink.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The sink itself, for everything that does not wait.
    pub fn sink(&self) -> &Sink {
        &self.0
    }

    /// A cluster that leads to its OTLP/gRPC side.
    pub fn grpc_cluster(&self, name: &str) -> Cluster {
        Cluster::new(name, self.0.grpc_addr()).protocol(Protocol::Http2)
    }

    /// A cluster that leads to its OTLP/HTTP side.
    pub fn http_cluster(&self, name: &str) -> Cluster {
        Cluster::new(name, self.0.http_addr())
    }

    /// Waits until a look finds what it looks for.
    ///
    /// # Panics
    /// With what has arrived, when it never does.
    pub fn wait<T>(&self, look: impl FnMut(&Snapshot) -> Option<T>) -> T {
        let found = runtime().block_on(self.0.wait_for(LIMIT, look));
        found.unwrap_or_else(|timeout| panic!("{timeout}"))
    }

    /// Waits until a trace has this many spans and returns all that it has by then.
    ///
    /// # Panics
    /// As [`Collector::wait`].
    pub fn trace(&self, trace_id: &str, count: usize) -> Vec<StoredSpan> {
        self.wait(|now| Some(now.trace(trace_id)).filter(|spans| spans.len() >= count))
    }

    /// As [`Collector::trace`], and returns what has arrived when that is never enough.
    pub fn trace_if_any(&self, trace_id: &str, count: usize) -> Vec<StoredSpan> {
        let look = |now: &Snapshot| Some(now.trace(trace_id)).filter(|spans| spans.len() >= count);
        let found = runtime().block_on(self.0.wait_for(LIMIT, look));
        found.unwrap_or_else(|_| self.0.trace(trace_id))
    }

    /// Goes away, as a collector does that is restarted.
    pub fn pause(&self) {
        runtime().block_on(self.0.pause());
    }

    /// Comes back on the same ports.
    ///
    /// # Panics
    /// When somebody else has taken one.
    pub fn resume(&self) {
        runtime()
            .block_on(self.0.resume())
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}
