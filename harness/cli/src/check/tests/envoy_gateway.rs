//! Envoy Gateway's policy: its configuration, its image, and the clusters that its EnvoyProxy adds.

use std::fs;

use super::{check, told};

fn shipped() -> String {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../istio/without-istio/envoy-gateway.yaml"
    );
    fs::read_to_string(file).expect("a file")
}

#[test]
fn the_policy_that_is_shipped_is_a_configuration() {
    let report = check("-", &shipped());
    assert_eq!(report.configurations, 1);
    assert_eq!(report.errors, []);
    let [warning] = &*report.warnings else {
        panic!("{:?}", report.warnings);
    };
    assert_eq!(warning.path, "$.spec.wasm[0].code.image.url");
    assert!(
        warning
            .message
            .starts_with("REGISTRY stands for a registry of yours")
    );
    assert!(warning.line.is_some());
}

#[test]
fn a_policy_that_cannot_work_is_told_of() {
    const CLUSTER: &str = "cluster: sidespan-collector, protocol: grpc";
    for (from, to, path, part) in [
        (
            "percentage: 1",
            "percentage: 101",
            ".config.sampling.percentage",
            "expected a percentage",
        ),
        (
            "failOpen: true",
            "failOpen: false",
            ".failOpen",
            "set failOpen: true",
        ),
        (
            "      config:",
            "      confg:",
            "[\"confg\"]",
            "did you mean `config`?",
        ),
        (
            "serviceName: eg",
            "serviceName: eg, attributes: [{name: b, environment: BUILD}]",
            ".env.hostKeys",
            "variable BUILD",
        ),
        (
            CLUSTER,
            "cluster: collector",
            ".config.export.otlp.cluster",
            "this Envoy has no cluster \"collector\"",
        ),
        (
            CLUSTER,
            "service: otel.obs.svc.cluster.local, port: 4317",
            ".config.export.otlp.service",
            "Envoy Gateway makes no cluster of a service",
        ),
        (
            "explicit_http_config: {http2_protocol_options: {}}",
            "explicit_http_config: {http_protocol_options: {}}",
            ".config.export.otlp.cluster",
            "gRPC needs HTTP/2",
        ),
    ] {
        let text = shipped().replace("REGISTRY/", "here/");
        assert!(text.contains(from), "{from}");
        let told = told("-", &text.replace(from, to));
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        let expected = format!(": $.spec.wasm[0]{path}: ");
        assert!(
            told[0].contains(&expected) && told[0].contains(part),
            "{told:?}"
        );
    }
}

#[test]
fn plugins_of_others_and_clusters_that_come_otherwise_are_left_alone() {
    let text = shipped().replace("REGISTRY/", "here/");
    let patched = text.replace(
        "cluster: sidespan-collector, protocol",
        "cluster: other, protocol",
    ) + "---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyPatchPolicy\nmetadata: {name: a}\n";
    let of_a_route = text.replace(
        "cluster: sidespan-collector, protocol",
        "cluster: grpcroute/obs/otel/rule/0, protocol",
    );
    for text in [text.clone(), patched, of_a_route] {
        assert_eq!(told("-", &text), [""; 0]);
    }
    let others = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nmetadata: {name: auth}\nspec: {wasm: [{name: auth}]}\n";
    let report = check("-", others);
    assert_eq!(report.configurations, 0);
    assert!(
        report.skipped[0]
            .message
            .starts_with("not Sidespan's (auth)"),
        "{report:?}"
    );
}
