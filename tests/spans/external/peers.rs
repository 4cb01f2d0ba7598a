//! The client and the peer of a span where Envoy or an outsider names them: edges, and internal listeners.

use std::collections::BTreeMap;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_sink::{SpanKind, StoredSpan, Value};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Request, Server, send};

/// Holds an edge to what Envoy itself takes for the client. Whoever sends these headers is an outsider.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn at_an_edge_outsiders_do_not_name_client_and_server() {
    let collector = Collector::start();
    let upstream = Server::ok();
    let edge = |name: &str, context: &str, hops: u32| {
        let config = json!({
            "sampling": {"percentage": 100},
            "gateway": {"trust": {"context": context}},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
        });
        Listener::new(name)
            .filter(filter(&config).filter())
            .with("use_remote_address", json!(true))
            .with("xff_num_trusted_hops", json!(hops))
            .route(Route::to("app"))
    };
    let bootstrap = Bootstrap::new(Node::gateway("istio-system", "edge-5f9c5b8f6-abcde"))
        .listener(edge("outside", "ignore", 0))
        .listener(edge("partners", "accept", 0))
        .listener(edge("behind-a-proxy", "ignore", 1))
        .cluster(Cluster::new("app", upstream.address()))
        .cluster(collector.grpc_cluster("collector"));
    let envoy = envoy::start(&bootstrap);
    for (listener, client, server, scheme) in [
        ("outside", "127.0.0.1", "sidespan.test", "http"),
        ("partners", "127.0.0.1", "evil.example", "http"),
        ("behind-a-proxy", "198.51.100.7", "sidespan.test", "http"),
    ] {
        let path = format!("/{listener}");
        let request = Request::get(&path)
            .header(
                "forwarded",
                "for=203.0.113.66;host=evil.example;proto=gopher",
            )
            .header("x-forwarded-for", "203.0.113.66, 198.51.100.7");
        let address = envoy.address(listener).expect("the listener");
        assert_eq!(send(address, &request).status, 200);
        let spans = collector.trace(&trace_id(&upstream, &path), 2);
        let span = of_kind(&spans, SpanKind::Server);
        let said = texts(span);
        assert_eq!(
            said.get("client.address").map(String::as_str),
            Some(client),
            "{listener}"
        );
        assert_eq!(
            said.get("server.address").map(String::as_str),
            Some(server),
            "{listener}"
        );
        assert_eq!(
            said.get("url.scheme").map(String::as_str),
            Some(scheme),
            "{listener}"
        );
    }
}

/// Sends requests through an internal listener, as ambient mode and tunnels do.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_peer_behind_an_internal_listener_is_the_address_in_its_endpoint() {
    let collector = Collector::start();
    let upstream = Server::ok();
    let config = json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    let inner = |name: &str, endpoint: serde_json::Value| {
        let address = json!({"envoy_internal_address": endpoint});
        Cluster::empty(name).with(
            "load_assignment",
            json!({"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}),
        )
    };
    let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .listener(
            Listener::new("front")
                .direction(Direction::Outbound)
                .filter(filter(&config).filter())
                .route(Route::to("known").prefix("/known"))
                .route(Route::to("unknown").prefix("/unknown")),
        )
        .listener(
            Listener::new("back")
                .internal()
                .direction(Direction::Inbound)
                .filter(filter(&config).filter())
                .route(Route::to("app")),
        )
        .cluster(inner(
            "known",
            json!({"server_listener_name": "back", "endpoint_id": "10.244.0.10:9080"}),
        ))
        .cluster(inner("unknown", json!({"server_listener_name": "back", "endpoint_id": "pod"})))
        .cluster(Cluster::new("app", upstream.address()))
        .cluster(collector.grpc_cluster("collector"))
        .with(
            "bootstrap_extensions",
            json!([{
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
                },
            }]),
        );
    let envoy = envoy::start(&bootstrap);
    for (path, address, port) in [
        ("/known", Some("10.244.0.10"), Some("9080")),
        ("/unknown", None, None),
    ] {
        let caller = Caller::fresh();
        let request = Request::get(path).header("traceparent", caller.traceparent());
        let front = envoy.address("front").expect("the listener");
        assert_eq!(send(front, &request).status, 200);
        let spans = collector.trace(&caller.trace_id, 2);
        let client = texts(of_kind(&spans, SpanKind::Client));
        assert_eq!(
            client.get("network.peer.address").map(String::as_str),
            address,
            "{path}"
        );
        assert_eq!(
            client.get("network.peer.port").map(String::as_str),
            port,
            "{path}"
        );
        // The other end of an internal connection has no address at all.
        let server = texts(of_kind(&spans, SpanKind::Server));
        for (key, value) in &server {
            let is_address = key.contains("peer") || key == "client.address";
            assert!(
                !is_address || !value.contains("envoy"),
                "{path}: {key}={value}"
            );
        }
    }
}

/// Calls through clusters as Istio names them; the resource is of the same Envoy.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rs_4_the_callee_is_the_service_that_istio_names() {
    let collector = Collector::start();
    let upstream = Server::ok();
    let config = json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    let service = "outbound|80||orders.shop.svc.cluster.local";
    let vendor = "outbound|80||api.vendor.example";
    let uid = "275ecb36-5aa8-4c2a-9c47-d8bb681b9aff";
    let node = Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z").metadata("POD_UID", json!(uid));
    let bootstrap = Bootstrap::new(node)
        .listener(
            Listener::new("out")
                .direction(Direction::Outbound)
                .filter(filter(&config).filter())
                .route(Route::to(service).prefix("/service"))
                .route(Route::to(vendor).prefix("/vendor")),
        )
        .cluster(Cluster::new(service, upstream.address()))
        .cluster(Cluster::new(vendor, upstream.address()))
        .cluster(collector.grpc_cluster("collector"));
    let envoy = envoy::start(&bootstrap);
    for (path, status, expected) in [
        ("/service", 200, [Some("orders"), Some("shop")]),
        ("/vendor", 200, [None, None]),
        ("/nowhere", 404, [None, None]),
    ] {
        let caller = Caller::fresh();
        let request = Request::get(path).header("traceparent", caller.traceparent());
        let address = envoy.address("out").expect("the listener");
        assert_eq!(send(address, &request).status, status);
        let spans = collector.trace(&caller.trace_id, 1);
        let said = texts(&spans[0]);
        let found = ["service.peer.name", "service.peer.namespace"]
            .map(|key| said.get(key).map(String::as_str));
        assert_eq!(found, expected, "{path}");
        let of_resource = |name: &str| {
            let mut pairs = spans[0].resource.attributes.iter();
            let pair = pairs.find(|pair| pair.key == name)?;
            pair.value.as_str().map(str::to_owned)
        };
        assert_eq!(of_resource("k8s.pod.ip").as_deref(), Some("10.0.0.7"));
        assert_eq!(of_resource("k8s.pod.uid").as_deref(), Some(uid));
    }
}

fn trace_id(upstream: &Server, path: &str) -> String {
    let traceparent = upstream
        .only(path)
        .headers
        .one("traceparent")
        .expect("a context");
    traceparent[3..35].to_owned()
}

fn of_kind(spans: &[StoredSpan], kind: SpanKind) -> &StoredSpan {
    let found = spans.iter().find(|span| span.kind == kind);
    found.unwrap_or_else(|| panic!("no {kind:?} span in {spans:#?}"))
}

fn texts(span: &StoredSpan) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = span.attributes.iter();
    pairs
        .map(|pair| (pair.key.clone(), text(&pair.value)))
        .collect()
}
