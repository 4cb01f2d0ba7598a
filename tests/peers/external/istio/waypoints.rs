//! What waypoints are told. No request passes one here, because their listeners consist of filters that upstream's Envoy has not.

use serde_json::{Value, json};
use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::peers::istio::{Told, Waypoints, documents, shipped};

/// Applies the shipped component. Before it, sidecars have the filter, and waypoints neither the filter nor a way to the collector.
#[test]
fn the_component_brings_the_filter_and_the_collector_to_every_waypoint() {
    let world = Waypoints::start(&json!({"rootNamespace": "istio-system"}));
    world.apply(&policies());
    world.apply(&shipped(&["telemetry"], IMAGE));
    wait(|| !world.sidecar("shop").extensions.is_empty());
    for namespace in NAMESPACES {
        assert_untouched(&world.waypoint(namespace), namespace);
    }

    world.apply(&shipped(&["waypoints", "telemetry"], IMAGE));
    wait(|| has_collector(&world.waypoint("bank")));
    for namespace in NAMESPACES {
        let told = world.waypoint(namespace);
        assert!(has_collector(&told), "{told:#?}");
        assert_has_filter(&told, namespace, "istio-system.sidespan-waypoints");
    }
    let told = world.waypoint("shop");
    assert_eq!(
        told.chains[&chain("shop")][1..3],
        ["envoy.filters.http.jwt_authn", "envoy.filters.http.rbac"],
        "in front of what refuses requests"
    );
    let sidecar = world.sidecar("shop");
    let names: Vec<_> = sidecar.extensions.keys().collect();
    assert_eq!(names, [&filter("istio-system.sidespan")]);
}

/// Applies copies of the component's resources as the guide says it for one waypoint: in its namespace, with its Gateway in place of
/// the class.
#[test]
fn a_copy_for_one_waypoint_leaves_the_other_alone() {
    let world = Waypoints::start(&json!({"rootNamespace": "istio-system"}));
    let text = shipped(&["waypoints"], IMAGE);
    let all: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    let by_class = all
        .into_iter()
        .filter(|resource| resource["spec"]["targetRefs"].is_array());
    let copies: Vec<_> = by_class
        .map(|mut copy| {
            copy["metadata"]["namespace"] = "shop".into();
            copy["spec"]["targetRefs"] = json!([of_one()]);
            copy
        })
        .collect();
    assert_eq!(copies.len(), 2, "the plugin and the collector's cluster");
    world.apply(&documents(&copies));
    wait(|| has_collector(&world.waypoint("shop")));
    assert_has_filter(&world.waypoint("shop"), "shop", "shop.sidespan-waypoints");
    assert_untouched(&world.waypoint("bank"), "bank");
}

/// Names the collector in the mesh's configuration, as the guide says it for an Istio without the component's annotation.
#[test]
fn a_provider_that_nothing_uses_brings_the_collector_as_well() {
    let world = Waypoints::start(&json!({
        "rootNamespace": "istio-system",
        "extensionProviders": [{
            "name": "sidespan-collector",
            "opentelemetry": {
                "service": "otel-collector.observability.svc.cluster.local",
                "port": 4317,
            },
        }],
    }));
    wait(|| has_collector(&world.waypoint("shop")));
}

/// Asserts that the filter comes first in each chain that requests to services pass, and in no other, and that it is what is shipped.
fn assert_has_filter(told: &Told, namespace: &str, plugin: &str) {
    let name = filter(plugin);
    let with: Vec<_> = told
        .chains
        .iter()
        .filter(|(_, filters)| filters.contains(&name))
        .map(|(chain, filters)| (chain.clone(), filters[0].clone()))
        .collect();
    let wanted = [DIRECT.to_owned(), chain(namespace)].map(|chain| (chain, name.clone()));
    assert_eq!(with, wanted, "{told:#?}");
    let names: Vec<_> = told.extensions.keys().collect();
    assert_eq!(names, [&name]);
    let config = &told.extensions[&name]["config"];
    assert_eq!(config["rootId"], "sidespan");
    assert_eq!(config["failurePolicy"], "FAIL_OPEN");
    let source = &config["vmConfig"]["code"]["remote"]["httpUri"]["uri"];
    assert_eq!(source, IMAGE);
    let configuration = config["configuration"]["value"].as_str();
    let configuration: Value =
        serde_json::from_str(configuration.expect("a configuration")).expect("JSON");
    let export = json!({"service": "otel-collector.observability.svc.cluster.local", "port": 4317});
    assert_eq!(configuration["export"]["otlp"], export);
}

/// Asserts that a waypoint serves its service, with no filter of ours and no cluster of the collector.
fn assert_untouched(told: &Told, namespace: &str) {
    assert!(told.chains.contains_key(&chain(namespace)), "{told:#?}");
    assert!(told.extensions.is_empty(), "{told:#?}");
    assert!(!has_collector(told), "{told:#?}");
}

fn has_collector(told: &Told) -> bool {
    told.clusters
        .contains("outbound|4317||otel-collector.observability.svc.cluster.local")
}

/// Waits for what istiod makes of the resources that were applied last.
fn wait(mut holds: impl FnMut() -> bool) {
    let held = wait_for(LIMIT, || holds().then_some(()));
    assert!(held.is_some(), "waited in vain");
}

/// Returns the name by which filter chains ask for a WasmPlugin.
fn filter(plugin: &str) -> String {
    format!("extensions.istio.io/trafficextension/{plugin}~istio-translated-wasmplugin")
}

/// Returns the filter chain of the service behind a waypoint.
fn chain(namespace: &str) -> String {
    format!("main_internal/inbound-vip|8080|http|cart.{namespace}.svc.cluster.local")
}

/// Returns policies of the waypoint of `shop`, whose filters a plugin of the phase `AUTHN` is to stand in front of.
fn policies() -> String {
    let key = r#"{"kty": "oct", "kid": "1", "k": "c2VjcmV0"}"#;
    let policy = |kind: &str, mut spec: Value| {
        spec["targetRefs"] = json!([of_one()]);
        json!({
            "apiVersion": "security.istio.io/v1",
            "kind": kind,
            "metadata": {"name": "sidespan", "namespace": "shop"},
            "spec": spec,
        })
    };
    documents(&[
        policy(
            "RequestAuthentication",
            json!({"jwtRules": [{"issuer": "a.example", "jwks": format!(r#"{{"keys": [{key}]}}"#)}]}),
        ),
        policy(
            "AuthorizationPolicy",
            json!({"rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]}),
        ),
    ])
}

fn of_one() -> Value {
    json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"})
}

const NAMESPACES: [&str; 2] = ["shop", "bank"];
const IMAGE: &str = "oci://registry.example.com/mesh/sidespan-filter:7";
/// The filter chain of requests to a pod's own address.
const DIRECT: &str = "main_internal/direct-http";
