//! Two copies of the filter in one chain of a real Envoy.

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, Wasm};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, settle, wait_for_counter};
use sidespan_tests::http::{Request, Server, send};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn two_copies_in_one_chain_make_one_span_and_one_set_of_headers() {
    let collector = Collector::start();
    let upstream = Server::ok();
    let configuration = |inject: Value| {
        json!({
            "propagation": {"inject": inject},
            "sampling": {"percentage": 100},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
        })
    };
    let usual = configuration(json!(["tracecontext", "b3multi"]));
    let other = configuration(json!(["jaeger", "xray"]));
    let envoy = chain(&collector, &upstream, [&usual, &usual, &other]);
    // Each copy has read the list of installations since the last one entered it.
    settle(&envoy);
    let listeners = ["same", "different"];
    for (number, listener) in (1_u64..).zip(listeners) {
        let caller = Caller::fresh();
        let path = format!("/{listener}");
        let request = Request::get(&path).header("traceparent", caller.traceparent());
        let address = envoy.address(listener).expect("a listener");
        assert_eq!(send(address, &request).status, 200);
        wait_for_counter(&envoy, "context.duplicate_install", |count| count == number);

        let arrived = upstream.only(&path).headers;
        let names = ["traceparent", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"];
        for name in names {
            assert_eq!(arrived.all(name).len(), 1, "{listener}: {name}");
        }
        assert!(!arrived.has("uber-trace-id") && !arrived.has("x-amzn-trace-id"));
        collector.trace(&caller.trace_id, 1);
        // A span of the second copy would have arrived by now.
        settle(&envoy);
        let spans = collector.sink().trace(&caller.trace_id);
        assert_eq!(spans.len(), 1, "{listener}: {spans:#?}");
        assert_eq!(arrived.one("x-b3-spanid").as_ref(), Some(&spans[0].span_id));
        assert_eq!(counter(&envoy, "spans.finished"), number);
    }
}

/// Starts an Envoy with listeners of two copies each: the first and the second, the first and the third.
fn chain(collector: &Collector, upstream: &Server, configurations: [&Value; 3]) -> Envoy {
    let names = ["mesh", "shop", "cart"];
    let copies: Vec<Wasm> = names
        .into_iter()
        .zip(configurations)
        .map(|(name, configuration)| {
            Wasm::new(name, envoy::module())
                .root_id(name)
                .configuration(&configuration.to_string())
        })
        .collect();
    let listener = |name: &str, second: &Wasm| {
        Listener::new(name)
            .direction(Direction::Inbound)
            .route(Route::to("app"))
            .filter(copies[0].filter())
            .filter(second.filter())
    };
    envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener("same", &copies[1]))
            .listener(listener("different", &copies[2])),
    )
}
