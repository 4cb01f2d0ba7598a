//! Two sidecars on real Envoys, whose spans go to an agent.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sidespan_envoy::{Cluster, Protocol};
use sidespan_tests::envoy::{self, counter, settle};
use sidespan_tests::pair::Pair;

/// Spans of a request: the front as SERVER and as CLIENT, and the stock.
pub(super) const HOPS: usize = 3;

/// Running sidecars with their applications.
pub(super) struct Mesh(Pair);

impl Mesh {
    /// Starts the sidecars with what the filter's configuration says of sampling.
    pub(super) fn start(agent: SocketAddr, sampling: &Value) -> Self {
        let configuration = json!({
            "sampling": sampling,
            "export": {
                "otlp": {"cluster": "otel-collector"},
                "batch": {"maxDelay": "200ms"},
                "retry": {"initial": "100ms", "max": "500ms", "attempts": 100},
            },
        });
        let collector = Cluster::new("otel-collector", agent).protocol(Protocol::Http2);
        Self(Pair::start(&collector, &configuration))
    }

    /// Sends requests; returns the number of those that fail.
    pub(super) fn send(&self, requests: u64) -> u64 {
        self.0.send(requests)
    }

    /// Waits until nothing waits in the sidecars, and returns the spans that the agent took.
    ///
    /// # Panics
    /// When a span was lost on the way to it.
    pub(super) fn exported(&self) -> u64 {
        let envoys = [&self.0.front, &self.0.stock];
        for envoy in envoys {
            settle(envoy);
            envoy::wait_for_counter(envoy, "queue.spans", |count| count == 0);
            settle(envoy);
            let finished = counter(envoy, "spans.finished");
            assert_eq!(counter(envoy, "spans.exported"), finished, "none is lost");
        }
        envoys
            .iter()
            .map(|envoy| counter(envoy, "spans.exported"))
            .sum()
    }

    /// Returns the tries that failed.
    pub(super) fn failures(&self) -> u64 {
        let envoys = [&self.0.front, &self.0.stock];
        envoys
            .iter()
            .map(|envoy| counter(envoy, "export.failures"))
            .sum()
    }
}
