//! A collector that takes its time: while more than a full batch waits, up to four calls are under way.
//!
//! With one call at a time, batches of 16 spans and answers after 40 ms, no worker exports more than 400 spans a second.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_sink::Reply;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{self, Server, load};

const DELAY: Duration = Duration::from_millis(40);
const BATCH: u64 = 16;
const COUNT: u64 = 3_000;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn sz_4_a_collector_that_takes_its_time_gets_batches_side_by_side() {
    let collector = Collector::start();
    let batches = usize::try_from(COUNT.div_ceil(BATCH)).expect("a number");
    collector
        .sink()
        .script(vec![Reply::Delay(DELAY); 2 * batches]);
    let envoy = start("grpc", collector.grpc_cluster("collector"));
    let start = Instant::now();
    exports_all(&envoy);
    let took = start.elapsed();
    let one_at_a_time = DELAY * u32::try_from(batches).expect("a number");
    println!(
        "answers after {DELAY:?}, batches of {BATCH}: {COUNT} spans in {took:.1?}, {:.0} a second; one call at a time takes {one_at_a_time:.1?}",
        Duration::from_secs(COUNT).as_secs_f64() / took.as_secs_f64()
    );
    assert_eq!(collector.sink().counts().accepted, COUNT);
    assert_eq!(collector.sink().counts().duplicates, 0);
    assert!(took < one_at_a_time * 3 / 4, "{took:?}");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn sz_4_no_worker_has_more_than_four_calls_under_way() {
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::start(move |_| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(DELAY);
        now.fetch_sub(1, Ordering::SeqCst);
        let protobuf = ("content-type".into(), "application/x-protobuf".into());
        http::Reply::Answer(200, vec![protobuf], Vec::new())
    });
    let envoy = start("http/protobuf", Cluster::new("collector", server.address()));
    exports_all(&envoy);
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

/// Starts an Envoy with one worker, which exports by this protocol.
fn start(protocol: &str, collector: Cluster) -> Envoy {
    static UPSTREAM: OnceLock<Server> = OnceLock::new();
    let upstream = UPSTREAM.get_or_init(Server::ok);
    let configuration = json!({
        "sampling": {"percentage": 100},
        "export": {
            "otlp": {"cluster": "collector", "protocol": protocol},
            "batch": {"maxSpans": BATCH},
        },
    });
    let listener = Listener::new("in")
        .direction(Direction::Inbound)
        .route(Route::to("app"))
        .filter(filter(&configuration).filter());
    envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector)
            .listener(listener),
    )
}

/// Sends all requests, and waits until all their spans are exported.
fn exports_all(envoy: &Envoy) {
    load(envoy.address("in").expect("a listener"), COUNT);
    wait_for_counter(envoy, "spans.exported", |exported| exported == COUNT);
    wait_until_accounted(envoy, COUNT);
    assert_eq!(counter(envoy, "export.failures"), 0);
}
