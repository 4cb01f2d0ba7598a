//! The chart: it renders what kustomize renders, and refuses values that mean nothing.

use std::process::Command;

use sidespan_tests::peers;

use super::kustomize::assert_known;
use super::rendered::{Shipped, assert_fine, output, resources};

const SETTINGS: &str = "image: registry.example.com/mesh/sidespan-filter:7\n\
                        collector: {service: spans.watching.svc.cluster.local, port: 14317}\n";

fn shipped() -> Shipped {
    Shipped::with(
        "registry.example.com/mesh/sidespan-filter:7",
        "spans.watching.svc.cluster.local",
        14317,
    )
}

#[test]
fn it_renders_what_the_overlays_render() {
    let shipped = shipped();
    let own_collector = |cluster: &str| {
        format!(
            "image: registry.example.com/mesh/sidespan-filter:7\n\
             collector: {{service: otel-collector-{cluster}.observability.svc.cluster.local, port: 14317}}\n"
        )
    };
    for (overlay, namespace, values) in [
        ("", "istio-system", SETTINGS.to_owned()),
        (
            "base",
            "istio-system",
            format!("{SETTINGS}istioTracing: unchanged\n"),
        ),
        ("overlays/production", "istio-system", SETTINGS.to_owned()),
        (
            "overlays/canary",
            "shop",
            format!("{SETTINGS}sampling: {{percentage: 100, namespaces: null}}\n"),
        ),
        (
            "overlays/two-clusters/east",
            "istio-system",
            own_collector("east"),
        ),
        (
            "overlays/two-clusters/west",
            "istio-system",
            own_collector("west"),
        ),
    ] {
        let by_kustomize = shipped.kustomize(overlay);
        let by_helm = shipped.helm(namespace, &values);
        assert_eq!(resources(&by_helm), resources(&by_kustomize), "{overlay}");
        assert_fine(overlay, &by_helm);
        assert_known(overlay, &by_helm);
    }
}

#[test]
fn it_renders_what_the_components_render() {
    let shipped = shipped();
    let trust = "configuration: {gateway: {trust: {decision: ignore, debug: false}}}";
    let with_trust = |values: &str| format!("{trust}\n{values}");
    let waypoints = with_trust("waypoints: {enabled: true}");
    let extension = with_trust("install: TrafficExtension");
    for (components, values) in [
        ("telemetry", "istioTracing: disabled"),
        ("telemetry-keep-spans", "istioTracing: spans-only"),
        ("trafficextension", "install: TrafficExtension"),
        ("envoyfilter", "install: EnvoyFilter"),
        ("attempts", "attempts: true"),
        ("waypoints", "waypoints: {enabled: true}"),
        ("gateway-trust", trust),
        ("gateway-trust waypoints", waypoints.as_str()),
        ("gateway-trust trafficextension", extension.as_str()),
    ] {
        let chosen: Vec<_> = components.split(' ').collect();
        let by_kustomize = shipped.overlay(&chosen, "");
        let tracing = match values.starts_with("istioTracing") {
            true => "",
            false => "istioTracing: unchanged\n",
        };
        let by_helm = shipped.helm("istio-system", &format!("{SETTINGS}{tracing}{values}\n"));
        assert_eq!(
            resources(&by_helm),
            resources(&by_kustomize),
            "{components}"
        );
        assert_fine(components, &by_helm);
    }
}

#[test]
fn a_null_takes_a_key_out_of_the_configuration() {
    let values = "attempts: true\nconfiguration: {sampling: {namespaces: null}, \
                  export: {otlp: {service: null, port: null, cluster: 'outbound|4317||c.x.svc.cluster.local'}}}\n";
    for install in ["WasmPlugin", "EnvoyFilter"] {
        let values = format!("{SETTINGS}install: {install}\n{values}");
        let text = shipped().helm("istio-system", &values);
        assert_fine(install, &text);
        assert!(!text.contains("null"), "{install}: {text}");
    }
}

/// Relies on `check`, which refuses a configuration that reads a variable its VM will not have.
#[test]
fn every_kind_has_the_variables_that_its_configuration_reads() {
    let values = "attempts: true\nwaypoints: {enabled: true}\n\
                  vmConfig: {env: [{name: OTLP_KEY, valueFrom: HOST}, {name: BUILD, value: '7'}]}\n\
                  configuration: {export: {otlp: {headers: {x-api-key: {environment: OTLP_KEY}}}}, \
                  spans: {attributes: [{name: build, environment: BUILD}]}}\n";
    for install in ["WasmPlugin", "TrafficExtension", "EnvoyFilter"] {
        let values = format!("{SETTINGS}install: {install}\n{values}");
        let text = shipped().helm("istio-system", &values);
        assert_fine(install, &text);
        assert_known(install, &text);
    }
}

#[test]
fn a_revision_and_what_else_only_the_chart_has_are_known_to_istio() {
    let values = format!(
        "{SETTINGS}revision: next\nselector: {{app: cart}}\nimagePullSecret: registry\nattempts: true\nwaypoints: {{enabled: true}}\n"
    );
    for install in ["WasmPlugin", "TrafficExtension"] {
        let text = shipped().helm("shop", &format!("{values}install: {install}\n"));
        assert_known(install, &text);
        for resource in resources(&text) {
            assert_eq!(resource["metadata"]["labels"]["istio.io/rev"], "next");
            assert_eq!(resource["metadata"]["namespace"], "shop");
        }
    }
}

#[test]
fn it_passes_helms_own_lint_and_refuses_what_means_nothing() {
    let shipped = shipped();
    let chart = shipped.path("chart");
    let helm = |arguments: &[&str]| {
        let mut command = Command::new(peers::helm());
        command.args(arguments).arg(&chart);
        command
    };
    output(&mut helm(&[
        "lint",
        "--strict",
        "--set",
        "image=r.example/x:1",
    ]));
    for (set, part) in [
        ("image=oci://r.example/x:1", "at '/image'"),
        (
            "sampling.percentage=101",
            "at '/sampling/percentage': maximum",
        ),
        (
            "waypoints.gatewayClass=other",
            "at '/waypoints/gatewayClass'",
        ),
        (
            "collector.service=otel-collector",
            "at '/collector/service'",
        ),
        ("istioTracing=off", "at '/istioTracing'"),
        ("images=r.example/x:1", "additional properties 'images'"),
        ("priority=1000", "image: the registry, repository and tag"),
    ] {
        let ended = helm(&["template", "sidespan", "--set", set]).output();
        let ended = ended.expect("Helm");
        assert!(!ended.status.success(), "{set}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains(part), "{set}: {said}");
    }
}
