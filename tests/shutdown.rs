//! The end of a configuration on real Envoy: what still waits goes out, and nothing is counted twice.

use serde_json::{Value, json};
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, ExtensionFile, Listener, Node, Route, Verdict,
};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, filter, wait_for_counter};
use sidespan_tests::http::{Request, Server, send};

/// A batch that would wait for a minute.
fn patient(max_spans: u32) -> Value {
    json!({
        "export": {
            "otlp": {"cluster": "collector"},
            "batch": {"maxDelay": "60s", "maxSpans": max_spans},
        },
    })
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_new_configuration_sends_what_the_old_one_held() {
    let collector = Collector::start();
    let upstream = Server::ok();
    let folder = tempfile::tempdir().expect("a folder");
    let file = ExtensionFile::create(&folder.path().join("filter.json"), &filter(&patient(512)))
        .expect("the first configuration");
    let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .listener(
            Listener::new("inbound")
                .direction(Direction::Inbound)
                .route(Route::to("app"))
                .filter(file.filter()),
        )
        .cluster(Cluster::new("app", upstream.address()))
        .cluster(collector.grpc_cluster("collector"));
    let envoy = envoy::start(&bootstrap);
    let caller = Caller::fresh();
    for _ in 0..3 {
        let request = Request::get("/").header("traceparent", caller.traceparent());
        let address = envoy.address("inbound").expect("a listener");
        assert_eq!(send(address, &request).status, 200);
    }
    // Written by a tick, so the spans are in the queue by then.
    wait_for_counter(&envoy, "queue.spans", |waiting| waiting == 3);

    let verdict = file
        .replace(&filter(&patient(511)), &envoy, LIMIT)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(verdict, Verdict::Applied);
    assert_eq!(collector.trace(&caller.trace_id, 3).len(), 3);
    wait_for_counter(&envoy, "spans.exported", |exported| exported == 3);
    wait_for_counter(&envoy, "queue.spans", |waiting| waiting == 0);
    for lost in ["dropped_shutdown", "dropped_export", "dropped_queue"] {
        assert_eq!(
            envoy::counter(&envoy, &format!("spans.{lost}")),
            0,
            "{lost}"
        );
    }
}
