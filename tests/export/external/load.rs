//! Export under load with a collector that answers: no span is lost, and batches are full.
//!
//! A proxy restarts the filter's timer whenever it is set. A filter that sets the timer with every request never gets a
//! tick, and a filter that sends its queue at every opportunity sends spans one by one.

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{Server, load};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn small_batches_under_load_lose_no_span_and_are_full() {
    // More spans than the queue holds.
    const COUNT: u64 = 12_000;
    const FULL_BATCHES: u64 = COUNT.div_ceil(64);
    let run = Run::of(&json!({"maxSpans": 64}), COUNT);
    assert_eq!(run.counter("spans.dropped_queue"), 0);
    assert_eq!(run.counter("spans.exported"), COUNT);
    assert_eq!(run.collector.sink().counts().accepted, COUNT);
    // Once a second a batch leaves, full or not.
    let requests = run.counter("export.requests");
    assert!(
        requests <= FULL_BATCHES * 5 / 4,
        "{requests} requests, and {FULL_BATCHES} full batches"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn batches_are_filled_before_they_leave() {
    const COUNT: u64 = 20_000;
    let run = Run::of(&json!({}), COUNT);
    assert_eq!(run.counter("spans.exported"), COUNT);
    let requests = run.counter("export.requests");
    assert!(
        COUNT / requests > 100,
        "{requests} requests for {COUNT} spans"
    );
}

/// An Envoy whose one worker has exported the spans of all its requests.
struct Run {
    collector: Collector,
    envoy: Envoy,
}

impl Run {
    fn of(batch: &Value, count: u64) -> Self {
        let upstream = Server::ok();
        let collector = Collector::start();
        let configuration = json!({
            "sampling": {"percentage": 100},
            "export": {"otlp": {"cluster": "collector"}, "batch": batch},
        });
        let listener = Listener::new("in")
            .direction(Direction::Inbound)
            .route(Route::to("app"))
            .filter(filter(&configuration).filter());
        let envoy = envoy::start(
            &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
                .cluster(Cluster::new("app", upstream.address()))
                .cluster(collector.grpc_cluster("collector"))
                .listener(listener),
        );
        let start = std::time::Instant::now();
        load(envoy.address("in").expect("a listener"), count);
        let seconds = start.elapsed().as_secs_f64();
        wait_until_accounted(&envoy, count);
        wait_for_counter(&envoy, "queue.spans", |waiting| waiting == 0);
        let run = Self { collector, envoy };
        println!(
            "{count} requests in {seconds:.1} s, batches of {batch}: {} exported in {} requests",
            run.counter("spans.exported"),
            run.counter("export.requests"),
        );
        run
    }

    fn counter(&self, name: &str) -> u64 {
        counter(&self.envoy, name)
    }
}
