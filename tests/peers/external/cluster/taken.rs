//! Everything that is shipped, before an API server.

use sidespan_tests::peers::istio::{Cluster, istioctl};
use sidespan_tests::peers::{envoy_gateway, istio};

use super::judge;
use crate::peers::external::manifests::kustomize::OVERLAYS;
use crate::peers::external::manifests::rendered::{Shipped, assert_fine};

const IMAGE: &str = "registry.example.com/mesh/sidespan-filter:7";
const COLLECTOR: &str = "spans.watching.svc.cluster.local";
const PORT: u16 = 14317;
/// The chart's values for each way that it has, by the component that does the same.
const VALUES: [(&str, &str); 8] = [
    ("", ""),
    ("telemetry", "istioTracing: disabled\n"),
    ("telemetry-keep-spans", "istioTracing: spans-only\n"),
    ("trafficextension", "install: TrafficExtension\n"),
    ("envoyfilter", "install: EnvoyFilter\n"),
    ("attempts", "attempts: true\n"),
    ("waypoints", "waypoints: {enabled: true}\n"),
    (
        "gateway-trust",
        "configuration: {gateway: {trust: {decision: ignore, debug: false}}}\n",
    ),
];

#[test]
#[ignore = "wants etcd, and an API server and istiod that are built once: `cargo cluster` runs it"]
fn every_overlay_and_component_and_what_the_chart_writes_is_taken() {
    let cluster = Cluster::start();
    assert_webhook_is_asked(&cluster);
    let shipped = Shipped::with(IMAGE, COLLECTOR, PORT);
    for overlay in OVERLAYS {
        assert_taken(&cluster, overlay, &shipped.kustomize(overlay));
    }
    let settings = format!("image: {IMAGE}\ncollector: {{service: {COLLECTOR}, port: {PORT}}}\n");
    for (component, values) in VALUES {
        let components: Vec<_> = Some(component)
            .filter(|name| !name.is_empty())
            .into_iter()
            .collect();
        assert_taken(&cluster, component, &shipped.overlay(&components, ""));
        let by_helm = shipped.helm("istio-system", &format!("{settings}{values}"));
        assert_taken(&cluster, values, &by_helm);
    }
}

/// Asks for the Collectors as well, which are of Kubernetes' own kinds, and for the policy of Envoy Gateway. Those for operators and
/// for cert-manager are not asked for: their definitions are in no module here.
#[test]
#[ignore = "wants etcd, and an API server and istiod that are built once: `cargo cluster` runs it"]
fn the_collectors_and_the_policy_of_envoy_gateway_are_taken() {
    let cluster = Cluster::start();
    let shipped = Shipped::with(IMAGE, COLLECTOR, PORT);
    for folder in ["base", "filter-decides", "gateway-decides"] {
        let folder = format!("observability/collector/{folder}");
        let text = shipped.kustomize(&folder);
        assert_all_created(&folder, &text, judge(&cluster, &text));
    }
    for plural in ["envoyextensionpolicies", "envoyproxies"] {
        cluster.define(&istio::documents(&envoy_gateway(plural)));
    }
    let file = shipped.path("without-istio/envoy-gateway.yaml");
    let text = std::fs::read_to_string(file).expect("a file of ours");
    assert_all_created("envoy-gateway.yaml", &text, judge(&cluster, &text));
}

/// Asserts that the API server, its webhook, `istioctl` and `check` take a text.
fn assert_taken(cluster: &Cluster, what: &str, text: &str) {
    assert_all_created(what, text, judge(cluster, text));
    let valid = istioctl(&["validate", "-f", "-"], text);
    valid.unwrap_or_else(|error| panic!("{what}: {error}"));
    let analyzed = istioctl(&["analyze", "--use-kube=false", "-"], text);
    analyzed.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_fine(what, text);
}

fn assert_all_created(what: &str, text: &str, judged: Result<String, String>) {
    let said = judged.unwrap_or_else(|error| panic!("{what}: {error}\n{text}"));
    let resources: Vec<serde_json::Value> = serde_saphyr::from_multiple(text).expect("YAML");
    let created = said.matches(" created (server dry run)\n").count();
    assert!(created > 0 && created == resources.len(), "{what}: {said}");
}

/// Asks for what only istiod refuses: its definitions have nothing against a VirtualService that leads nowhere.
fn assert_webhook_is_asked(cluster: &Cluster) {
    let nowhere = istio::resource(
        "VirtualService",
        "shop",
        "nowhere",
        serde_json::json!({"hosts": ["a.example"]}),
    );
    let refusal = judge(cluster, &nowhere.to_string()).expect_err("a refusal");
    assert!(
        refusal.contains("admission webhook \"rev.validation.istio.io\" denied"),
        "{refusal}"
    );
}
