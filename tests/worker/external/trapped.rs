//! The spans of a trapped VM in a real Envoy, which another VM counts.

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, FailurePolicy, Listener, Node, Route};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{Connection, Request, Server, send};

/// Traps the VM of Envoy's one worker, so that the main thread's VM lives on: the module as a network filter traps at the
/// first connection.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_trapped_worker_of_a_real_envoy_is_counted_by_its_main_thread() {
    let (collector, upstream) = (Collector::start(), Server::ok());
    let holding = filter(&json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "60s"}},
    }))
    .failure_policy(FailurePolicy::Open);
    let listener = |name: &str| {
        Listener::new(name)
            .direction(Direction::Inbound)
            .route(Route::to("app"))
    };
    let envoy = envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener("good").filter(holding.filter()))
            .listener(listener("mistaken").network_filter(&holding)),
    );
    let address = |name: &str| envoy.address(name).expect("a listener");
    for _ in 0..7 {
        assert_eq!(send(address("good"), &Request::get("/")).status, 200);
    }
    wait_for_counter(&envoy, "queue.spans", |waiting| waiting == 7);
    // This connection may end without an answer.
    let mistaken = Connection::open(address("mistaken"));
    drop(mistaken.and_then(|mut connection| connection.exchange(&Request::get("/"))));
    envoy
        .wait_for_log("panicked", LIMIT)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(counter(&envoy, "spans.dropped_restart"), 0);

    wait_for_counter(&envoy, "spans.dropped_restart", |lost| lost == 7);
    assert_eq!(counter(&envoy, "queue.spans"), 0);
    assert_eq!(counter(&envoy, "queue.bytes"), 0);
    wait_until_accounted(&envoy, 7);
    assert_eq!(
        send(address("good"), &Request::get("/")).status,
        200,
        "it fails open"
    );
}
