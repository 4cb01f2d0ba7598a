//! The filters of the manifests in `istio/`, in real Envoys.

use sidespan_envoy::{Bootstrap, Cluster, Direction, HttpFilter, Listener, Node, Route};
use sidespan_tests::envoy;
use sidespan_tests::http::{Request, Server, send};

use crate::program::manifests::{envoy_filters, manifest};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_filter_of_the_envoy_filter_runs_in_an_envoy() {
    let service = Server::ok();
    for (index, mut filter) in envoy_filters().into_iter().enumerate() {
        let file = &mut filter["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"];
        assert!(file.is_string());
        *file = envoy::module().display().to_string().into();
        let name = filter["name"].as_str().expect("a name").to_owned();
        let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .listener(
                Listener::new("front")
                    .filter(HttpFilter::new(&name, filter["typed_config"].clone()))
                    .route(Route::to("service")),
            )
            .cluster(Cluster::new("service", service.address()));
        let envoy = envoy::start(&bootstrap);
        let path = format!("/{index}");
        let address = envoy.address("front").expect("the listener");
        assert_eq!(send(address, &Request::get(&path)).status, 200);
        let headers = service.only(&path).headers;
        assert!(
            headers.has("traceparent") && headers.has("x-b3-traceid"),
            "{headers:?}"
        );
        assert_eq!(envoy::counter(&envoy, "config.refused"), 0);
    }
}

/// Holds the manifests to the place where Istio's default profile puts its ingress gateway: what is dropped there is
/// dropped on the whole path.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn no_manifest_switches_the_gateway_in_the_root_namespace_off() {
    let mut configurations = vec![
        manifest("wasmplugin")["spec"]["pluginConfig"].clone(),
        manifest("trafficextension")["spec"]["wasm"]["pluginConfig"].clone(),
    ];
    configurations.extend(envoy_filters().iter().map(|filter| {
        let text = &filter["typed_config"]["config"]["configuration"]["value"];
        serde_json::from_str(text.as_str().expect("text")).expect("JSON")
    }));
    let service = Server::ok();
    for (index, mut configuration) in configurations.into_iter().enumerate() {
        assert!(configuration["sampling"]["percentage"].is_number());
        configuration["sampling"]["percentage"] = 100.into();
        let node = Node::gateway("istio-system", "istio-ingressgateway-5f9c5b8f6-abcde");
        let bootstrap = Bootstrap::new(node)
            .listener(
                Listener::new("front")
                    .direction(Direction::Outbound)
                    .filter(envoy::filter(&configuration).filter())
                    .route(Route::to("service")),
            )
            .cluster(Cluster::new("service", service.address()));
        let envoy = envoy::start(&bootstrap);
        let path = format!("/{index}");
        let address = envoy.address("front").expect("the listener");
        assert_eq!(send(address, &Request::get(&path)).status, 200);
        let traceparent = service.only(&path).headers.one("traceparent");
        let traceparent = traceparent.expect("a context");
        assert!(traceparent.ends_with("-01"), "{index}: {traceparent}");
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_filter_behind_the_router_runs_in_an_envoy() {
    let manifest = manifest("attempts");
    let router = &manifest["spec"]["configPatches"][0]["patch"]["value"]["typed_config"];
    let mut filters = router["upstream_http_filters"].clone();
    let config = &mut filters[0]["typed_config"]["config"];
    config["vm_config"]["code"]["local"]["filename"] = envoy::module().display().to_string().into();
    let service = Server::ok();
    let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .listener(
            Listener::new("out")
                .router("upstream_http_filters", filters)
                .route(Route::to("service")),
        )
        .cluster(Cluster::new("service", service.address()));
    let envoy = envoy::start(&bootstrap);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = Request::get("/").header("traceparent", traceparent);
    assert_eq!(
        send(envoy.address("out").expect("the listener"), &request).status,
        200
    );
    let sent = service
        .only("/")
        .headers
        .one("traceparent")
        .expect("a context");
    assert_eq!(sent[..36], traceparent[..36]);
    assert_ne!(sent, traceparent, "a span of its own");
    assert_eq!(envoy::counter(&envoy, "config.refused"), 0);
}
