//! Every overlay, and every choice of components that go together.

use serde_json::Value;
use sidespan_tests::definitions;

use super::rendered::{Shipped, assert_fine, resources};

const IMAGE: &str = "registry.example.com/mesh/sidespan-filter:7";
const COLLECTOR: &str = "spans.watching.svc.cluster.local";
const PORT: u16 = 14317;

pub(crate) const OVERLAYS: [&str; 6] = [
    "",
    "base",
    "overlays/production",
    "overlays/canary",
    "overlays/two-clusters/east",
    "overlays/two-clusters/west",
];

#[test]
fn every_overlay_renders_into_what_check_takes() {
    let shipped = Shipped::with(IMAGE, COLLECTOR, PORT);
    for overlay in OVERLAYS {
        let text = shipped.kustomize(overlay);
        assert_fine(overlay, &text);
        assert_known(overlay, &text);
        assert!(
            text.contains(&format!("url: oci://{IMAGE}\n")),
            "{overlay}: {text}"
        );
        let collector = match overlay.rsplit_once('/') {
            Some(("overlays/two-clusters", cluster)) => {
                format!("otel-collector-{cluster}.observability.svc.cluster.local")
            }
            _ => COLLECTOR.into(),
        };
        assert!(
            text.contains(&format!("service: {collector}\n")),
            "{overlay}: {text}"
        );
    }
}

/// Sets image and collector once, and looks for them in all that comes out.
#[test]
fn every_choice_of_components_has_the_one_image_and_the_one_collector() {
    let shipped = Shipped::with(IMAGE, COLLECTOR, PORT);
    let tracing = ["", "telemetry", "telemetry-keep-spans"];
    let kinds = ["", "trafficextension", "envoyfilter"];
    for tracing in tracing {
        for kind in kinds {
            for others in 0..8 {
                let chosen: Vec<_> = [
                    (true, tracing),
                    (true, kind),
                    (others & 1 != 0, "waypoints"),
                    (others & 2 != 0, "attempts"),
                    (others & 4 != 0, "gateway-trust"),
                ]
                .into_iter()
                .filter(|(is_chosen, name)| *is_chosen && !name.is_empty())
                .map(|(_, name)| name)
                .collect();
                let text = shipped.overlay(&chosen, "");
                let what = chosen.join(" ");
                assert_fine(&what, &text);
                assert_known(&what, &text);
                assert_eq!(text.matches("REGISTRY").count(), 0, "{what}");
                for resource in resources(&text) {
                    assert_set(&what, &resource);
                }
            }
        }
    }
}

/// Lists the two in both orders, because kustomize says nothing of a patch whose target is not there.
#[test]
fn a_traffic_extension_has_what_gateways_trust_in_either_order() {
    let shipped = Shipped::with(IMAGE, COLLECTOR, PORT);
    let plugin = &resources(&shipped.overlay(&["gateway-trust"], ""))[0];
    let configuration = &plugin["spec"]["pluginConfig"];
    assert_eq!(configuration["gateway"]["trust"]["decision"], "ignore");
    for components in [
        ["gateway-trust", "trafficextension"],
        ["trafficextension", "gateway-trust"],
    ] {
        let text = shipped.overlay(&components, "");
        let extension = &resources(&text)[0];
        assert_eq!(extension["kind"], "TrafficExtension", "{text}");
        assert_eq!(extension["spec"]["wasm"]["pluginConfig"], *configuration);
    }
}

/// Stands on an overlay with a namespace and a sampling of its own, which the base's would overrule.
#[test]
fn a_traffic_extension_has_what_an_overlay_gave_the_plugin() {
    let shipped = Shipped::with(IMAGE, COLLECTOR, PORT);
    let plugin = &resources(&shipped.kustomize("overlays/canary"))[1];
    let folder = shipped.path("overlays/on-the-canary");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(
        folder.join("kustomization.yaml"),
        "resources: [../canary]\ncomponents: [../../components/trafficextension, ../../components/settings]\n",
    )
    .expect("an overlay");
    let text = shipped.kustomize("overlays/on-the-canary");
    assert_fine("on the canary", &text);
    let extension = &resources(&text)[1];
    assert_eq!(extension["metadata"], plugin["metadata"]);
    assert_eq!(
        extension["spec"]["wasm"]["pluginConfig"],
        plugin["spec"]["pluginConfig"]
    );
}

#[test]
fn both_telemetries_at_once_are_refused_by_kustomize() {
    let shipped = Shipped::new();
    let folder = shipped.path("overlays/both");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(
        folder.join("kustomization.yaml"),
        "resources: [../../base]\ncomponents: [../../components/telemetry, ../../components/telemetry-keep-spans]\n",
    )
    .expect("an overlay");
    let ended = std::process::Command::new(sidespan_tests::peers::kustomize())
        .arg("build")
        .arg(&folder)
        .output()
        .expect("kustomize");
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("already registered id"), "{said}");
}

/// Holds an overlay of one's own to what the guides say: `behavior: merge` and a patch are all it takes.
#[test]
fn an_overlay_lays_its_own_image_and_sampling_over() {
    let shipped = Shipped::with(IMAGE, COLLECTOR, PORT);
    let text = shipped.overlay(
        &["telemetry", "waypoints"],
        "configMapGenerator: [{name: sidespan-settings, behavior: merge, literals: ['image=other.example/x@sha256:abababababababababababababababababababababababababababababababab']}]\n\
         labels: [{pairs: {istio.io/rev: next}}]\n\
         patches:\n\
         - target: {group: extensions.istio.io, kind: WasmPlugin}\n  \
           patch: \"- {op: replace, path: /spec/pluginConfig/sampling/percentage, value: 5}\"\n",
    );
    assert_fine("an overlay", &text);
    let resources = resources(&text);
    let plugins: Vec<_> = resources
        .iter()
        .filter(|resource| resource["kind"] == "WasmPlugin")
        .collect();
    assert_eq!(plugins.len(), 2);
    for plugin in plugins {
        assert_eq!(
            plugin["spec"]["url"],
            "oci://other.example/x@sha256:abababababababababababababababababababababababababababababababab"
        );
        assert_eq!(plugin["spec"]["pluginConfig"]["sampling"]["percentage"], 5);
        assert_eq!(
            plugin["spec"]["pluginConfig"]["export"]["otlp"]["service"],
            COLLECTOR
        );
    }
    for resource in &resources {
        assert_eq!(resource["metadata"]["labels"]["istio.io/rev"], "next");
    }
}

/// Asserts that every image, service and port in a resource is the one that was set.
fn assert_set(what: &str, resource: &Value) {
    let mut services = 0;
    visit(resource, &mut |key, value| match key {
        "url" => assert_eq!(value, &format!("oci://{IMAGE}"), "{what}"),
        "service" => {
            services += 1;
            assert_eq!(value, COLLECTOR, "{what}");
        }
        "port" => assert_eq!(value, PORT, "{what}"),
        "envoyfilter.istio.io/referenced-services" => {
            services += 1;
            assert_eq!(value, COLLECTOR, "{what}");
        }
        _ => {}
    });
    let expected = match resource["metadata"]["name"].as_str() {
        _ if resource["kind"] == "Telemetry" => 0,
        Some("sidespan") if resource["kind"] == "EnvoyFilter" => 2,
        _ => 1,
    };
    assert_eq!(services, expected, "{what}: {resource:#}");
}

fn visit(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                see(key, value);
                visit(value, see);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| visit(value, see)),
        _ => {}
    }
}

/// Asserts that Istio's definitions know every field.
pub(super) fn assert_known(what: &str, text: &str) {
    let Some(definitions) = definitions::istio("the manifests as they are rendered") else {
        return;
    };
    for resource in serde_saphyr::from_multiple::<Value>(text).expect("YAML") {
        let faults = definitions::faults(&definitions, &resource);
        assert_eq!(faults, [""; 0], "{what}: {resource:#}");
    }
}
