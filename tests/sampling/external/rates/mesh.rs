//! Two sidecars under load.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use sidespan_sink::StoredSpan;
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::effort;
use sidespan_tests::envoy::{settle, wait_for_counter};
use sidespan_tests::http::{Request, send};
use sidespan_tests::pair::Pair;

/// A limit above the number of failures, because the limit has a test of its own.
pub(super) const SPANS_PER_SECOND: u64 = 5_000;
const FULL: u64 = 20_000;

/// The requests that were sent, and the spans that arrived.
pub(super) struct Run {
    pub(super) requests: u64,
    pub(super) failures: u64,
    pub(super) seconds: f64,
    pub(super) spans: Vec<Arc<StoredSpan>>,
    pub(super) bytes: u64,
}

impl Run {
    /// Sends all requests and waits for all spans.
    pub(super) fn load() -> Self {
        let collector = Collector::start();
        let configuration = json!({
            "sampling": {"percentage": 1, "keep": {"spansPerSecond": SPANS_PER_SECOND}},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "200ms"}},
        });
        let pair = Pair::start(&collector.grpc_cluster("collector"), &configuration);

        let requests = effort::requests(FULL);
        let start = Instant::now();
        let failures = pair.send(requests);
        let seconds = start.elapsed().as_secs_f64();

        // Where no full batch waits, each sidecar's spans arrive in the order in which they ended, so all have arrived when
        // those of a last request have.
        let last = Caller::fresh();
        let request = Request::get("/ok").header("traceparent", last.traceparent());
        assert_eq!(send(pair.way_in(), &request).status, 200);
        collector.trace(&last.trace_id, 3);
        for envoy in [&pair.front, &pair.stock] {
            settle(envoy);
            wait_for_counter(envoy, "spans.dropped_rate", |count| count == 0);
        }
        let now = collector.sink().snapshot();
        let records = u64::try_from(now.requests.len()).expect("a number");
        assert_eq!(records, now.counts.requests, "the sink has all requests");
        let bytes: usize = now.requests.iter().map(|request| request.wire_bytes).sum();
        let spans = now.spans.into_iter();
        Self {
            requests,
            failures,
            seconds,
            spans: spans
                .filter(|span| span.trace_id != last.trace_id)
                .collect(),
            bytes: bytes.try_into().expect("a number"),
        }
    }
}
