//! The times of spans on one clock: a child begins no earlier than its parent, however busy the workers are.

use std::collections::HashMap;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_sink::SpanKind;
use sidespan_tests::collector::Collector;
use sidespan_tests::effort;
use sidespan_tests::envoy::{self, counter, filter, settle, wait_for_counter};
use sidespan_tests::http::{Server, load};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn no_child_begins_before_its_parent() {
    let requests = effort::requests(4_000);
    let collector = Collector::start();
    let upstream = Server::ok();
    let config = json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "50ms"}},
    });
    let side = |name: &str, direction, to: &str| {
        Listener::new(name)
            .direction(direction)
            .filter(filter(&config).filter())
            .route(Route::to(to))
    };
    let callee = envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "pay-7d9c5b8f6-x2x4z"))
            .concurrency(2)
            .listener(side("in", Direction::Inbound, "app"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector")),
    );
    let caller = envoy::start(
        &Bootstrap::new(Node::sidecar("shop", "cart-7d9c5b8f6-x2x4z"))
            .concurrency(2)
            .listener(side("out", Direction::Outbound, "callee"))
            .cluster(Cluster::new(
                "callee",
                callee.address("in").expect("the listener"),
            ))
            .cluster(collector.grpc_cluster("collector")),
    );
    let address = caller.address("out").expect("the listener");
    load(address, requests);
    for envoy in [&caller, &callee] {
        wait_for_counter(envoy, "spans.exported", |count| count >= requests);
        settle(envoy);
        assert_eq!(counter(envoy, "spans.dropped_queue"), 0);
    }
    let spans = collector.wait(|now| {
        let all = now.spans.clone();
        (all.len() as u64 >= 2 * (requests)).then_some(all)
    });
    let starts: HashMap<_, _> = spans
        .iter()
        .filter(|span| span.kind == SpanKind::Client)
        .map(|span| (&span.span_id, span.start_unix_nanos))
        .collect();
    let servers = spans.iter().filter(|span| span.kind == SpanKind::Server);
    let (mut compared, mut early) = (0, Vec::new());
    for span in servers {
        let Some(parent) = span.parent_span_id.as_ref().and_then(|id| starts.get(id)) else {
            continue;
        };
        compared += 1;
        if span.start_unix_nanos < *parent {
            early.push(parent - span.start_unix_nanos);
        }
    }
    assert!(compared >= requests, "{compared}");
    assert_eq!(early, [0_u64; 0], "nanoseconds, of {compared}");
}
