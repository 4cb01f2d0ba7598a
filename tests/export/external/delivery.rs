//! Delivery of spans: to clusters of any name, by either protocol, to a collector that goes away and comes back, and for
//! the configured namespaces only.

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::effort;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{Request, Server, load, send};

/// Uses names that parse as protobuf, because the proxy-wasm call made for gRPC ends the whole Envoy on them
/// (`filter/README.md`, "… is gRPC sent as a plain HTTP call?").
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn exports_by_grpc_to_clusters_whose_names_parse_as_protobuf() {
    let upstream = Server::ok();
    let collector = Collector::start();
    let names = ["mimir", "analytics", "h1"];
    let mut bootstrap = sidecar("payments", &upstream);
    for name in names {
        let export = json!({"otlp": {"cluster": name}, "batch": {"maxDelay": "20ms"}});
        bootstrap = bootstrap
            .cluster(collector.grpc_cluster(name))
            .listener(inbound(name, &exporting(export)));
    }
    let envoy = envoy::start(&bootstrap);
    for name in names {
        let caller = Caller::fresh();
        request(&envoy, name, &caller.traceparent());
        collector.trace(&caller.trace_id, 1);
        let requests = format!("cluster.{name}.upstream_rq_200");
        envoy
            .wait_for_stat(&requests, |count| count > 0, LIMIT)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(counter(&envoy, "export.failures"), 0);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn exports_by_http_protobuf() {
    let upstream = Server::ok();
    let collector = Collector::start();
    let export = json!({"otlp": {"cluster": "collector", "protocol": "http/protobuf"}, "batch": {"maxDelay": "20ms"}});
    let bootstrap = sidecar("payments", &upstream).cluster(collector.http_cluster("collector"));
    let envoy = envoy::start(&bootstrap.listener(inbound("in", &exporting(export))));
    let caller = Caller::fresh();
    request(&envoy, "in", &caller.traceparent());
    let spans = collector.trace(&caller.trace_id, 1);
    assert_eq!(spans[0].service(), "cart");
    let requests = collector.sink().requests();
    assert_eq!(requests[0].path, "/v1/traces");
    assert_eq!(
        requests[0].header("content-type"),
        Some("application/x-protobuf")
    );
    assert_eq!(
        requests[0].header("b3"),
        Some("0"),
        "B3-11, SZ-6: the export itself is not traced"
    );
    wait_for_counter(&envoy, "spans.exported", |count| count == 1);
}

/// Configures `{payments: 100, "*": 0}`: the workload's own namespace decides about roots, and a received decision about
/// the rest.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn samples_the_roots_of_the_namespaces_that_are_asked_for() {
    let upstream = Server::ok();
    let collector = Collector::start();
    let configuration = json!({
        "sampling": {"namespaces": {"payments": 100, "*": 0}},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    for (namespace, roots) in [("payments", 1), ("orders", 0)] {
        let bootstrap = sidecar(namespace, &upstream).cluster(collector.grpc_cluster("collector"));
        let envoy = envoy::start(&bootstrap.listener(inbound("in", &configuration)));
        let path = format!("/{namespace}");
        let address = envoy.address("in").expect("a listener");
        assert_eq!(send(address, &Request::get(&path)).status, 200);
        let sent = upstream
            .only(&path)
            .headers
            .one("traceparent")
            .expect("every request gets a context");
        let (flags, root) = (&sent[53..], &sent[3..35]);
        assert_eq!(flags, if roots == 1 { "01" } else { "00" }, "{namespace}");

        let caller = Caller::fresh();
        request(&envoy, "in", &caller.unsampled());
        let sampled = Caller::fresh();
        request(&envoy, "in", &sampled.traceparent());
        // Where no full batch waits, a worker exports spans in the order in which they ended, so this one is the last.
        collector.trace(&sampled.trace_id, 1);
        assert_eq!(
            collector.sink().trace(root).len(),
            roots,
            "{namespace}: roots"
        );
        assert_eq!(
            collector.sink().trace(&caller.trace_id).len(),
            0,
            "{namespace}: a received no"
        );
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn without_a_collector_traffic_flows_memory_is_bounded_and_export_resumes() {
    const WORKERS: u32 = 2;
    let upstream = Server::ok();
    let collector = Collector::start();
    collector.pause();
    let export = json!({
        "otlp": {"cluster": "collector", "timeout": "1s"},
        "batch": {"maxDelay": "50ms"},
        "retry": {"initial": "50ms", "max": "200ms", "attempts": 5},
    });
    let bootstrap = sidecar("payments", &upstream)
        .cluster(collector.grpc_cluster("collector"))
        .concurrency(WORKERS);
    let envoy = envoy::start(&bootstrap.listener(inbound("in", &exporting(export))));
    request(&envoy, "in", &Caller::fresh().traceparent());
    let before = envoy.resident_bytes().expect("its memory");

    let count = effort::requests(FULL);
    load(envoy.address("in").expect("a listener"), count);
    assert_eq!(upstream.count(), count + 1, "traffic flows");
    let after = envoy.resident_bytes().expect("its memory");
    let grown = after.saturating_sub(before);
    println!(
        "{count} requests without a collector: {} KiB more than at the start",
        grown >> 10
    );
    assert!(
        grown <= u64::from(WORKERS) * (16 << 20),
        "{grown} bytes more than at the start"
    );
    wait_for_counter(&envoy, "export.failures", |failures| failures > 0);
    wait_for_counter(&envoy, "spans.finished", |finished| finished == count + 1);
    if count > FULL / 2 {
        wait_for_counter(&envoy, "spans.dropped_queue", |dropped| dropped > 0);
    }

    collector.resume();
    let caller = Caller::fresh();
    request(&envoy, "in", &caller.traceparent());
    collector.trace(&caller.trace_id, 1);
    wait_for_counter(&envoy, "queue.spans", |left| left == 0);
    wait_until_accounted(&envoy, count + 2);
}

/// The number of requests of the full test.
const FULL: u64 = 100_000;

fn exporting(export: Value) -> Value {
    json!({"sampling": {"percentage": 100}, "export": export})
}

fn sidecar(namespace: &str, upstream: &Server) -> Bootstrap {
    Bootstrap::new(Node::sidecar(namespace, "cart-7d9c5b8f6-x2x4z"))
        .cluster(Cluster::new("app", upstream.address()))
}

fn inbound(name: &str, configuration: &Value) -> Listener {
    let listener = Listener::new(name)
        .direction(Direction::Inbound)
        .route(Route::to("app"));
    listener.filter(filter(configuration).filter())
}

fn request(envoy: &Envoy, listener: &str, traceparent: &str) {
    let request = Request::get("/request").header("traceparent", traceparent);
    assert_eq!(
        send(envoy.address(listener).expect("a listener"), &request).status,
        200
    );
}
