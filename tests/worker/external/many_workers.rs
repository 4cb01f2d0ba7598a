//! More workers than most machines have processors, all busy: none takes another one for trapped, and every request is one
//! finished span. `SIDESPAN_LOAD` sets the number of requests.

use std::time::Instant;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_tests::collector::Collector;
use sidespan_tests::effort;
use sidespan_tests::envoy::{self, counter, filter, wait_for_counter};
use sidespan_tests::http::{Server, load};

const WORKERS: u32 = 8;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn eight_busy_workers_lose_nothing_to_a_restart_that_never_was() {
    let requests = effort::requests(20_000);
    let (collector, upstream) = (Collector::start(), Server::ok());
    let configuration = json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}},
    });
    let envoy = envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .concurrency(WORKERS)
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(
                Listener::new("in")
                    .direction(Direction::Inbound)
                    .route(Route::to("app"))
                    .filter(filter(&configuration).filter()),
            ),
    );
    let start = Instant::now();
    load(envoy.address("in").expect("a listener"), requests);
    let seconds = start.elapsed().as_secs_f64();
    wait_for_counter(&envoy, "spans.finished", |finished| finished >= requests);
    wait_for_counter(&envoy, "queue.spans", |waiting| waiting == 0);
    let names = ["finished", "exported", "dropped_restart", "dropped_queue"];
    let counts = names.map(|name| counter(&envoy, &format!("spans.{name}")));
    println!(
        "{WORKERS} workers, {requests} requests in {seconds:.1} s, {:.0} a second; {names:?}: {counts:?}",
        requests as f64 / seconds
    );
    let [finished, exported, dropped_restart, dropped_queue] = counts;
    assert_eq!((finished, dropped_restart), (requests, 0));
    assert_eq!(exported + dropped_queue, requests);
    assert_eq!(collector.sink().counts().accepted, exported);
}
