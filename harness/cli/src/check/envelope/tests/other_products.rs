//! API versions: Istio's own, and kinds of the same name of other products.

use crate::check::check_file;

use super::told;

fn resource(api_version: &str, kind: &str, spec: &str) -> String {
    format!(
        "{api_version}kind: {kind}\nmetadata: {{name: sidespan, namespace: istio-system}}\nspec: {spec}\n"
    )
}

const PLUGIN: &str = "{url: oci://a/b, phase: AUTHN, failStrategy: FAIL_OPEN}";

#[test]
fn a_wrong_version_is_answered_with_the_right_one() {
    let none = |kind: &str, expected: &str| {
        format!(
            "error: $.apiVersion: an API server has no {kind} of this version; expected {expected}"
        )
    };
    let extensions = "extensions.istio.io/v1alpha1";
    for (version, kind, spec, expected) in [
        ("extensions.istio.io/v1alpha1", "WasmPlugin", PLUGIN, vec![]),
        (
            "extensions.istio.io/v1",
            "WasmPlugin",
            PLUGIN,
            vec![none("WasmPlugin", extensions)],
        ),
        (
            "networking.istio.io/v1alpha3",
            "TrafficExtension",
            "{phase: AUTHN, wasm: {url: oci://a/b, failStrategy: FAIL_OPEN}}",
            vec![none("TrafficExtension", extensions)],
        ),
        (
            "v1",
            "WasmPlugin",
            PLUGIN,
            vec![none("WasmPlugin", extensions)],
        ),
        (
            "telemetry.istio.io/v1beta1",
            "Telemetry",
            "{}",
            vec![none(
                "Telemetry",
                "telemetry.istio.io/v1 or telemetry.istio.io/v1alpha1",
            )],
        ),
        (
            extensions,
            "Wasmplugin",
            PLUGIN,
            vec!["error: $.kind: unknown kind; did you mean `WasmPlugin`?".into()],
        ),
    ] {
        let text = resource(&format!("apiVersion: {version}\n"), kind, spec);
        assert_eq!(
            told(&text),
            (u8::from(!expected.is_empty()), expected),
            "{text}"
        );
    }
    assert_eq!(
        told(&resource("", "WasmPlugin", PLUGIN)).1,
        ["error: $.apiVersion: missing; expected extensions.istio.io/v1alpha1"]
    );
}

#[test]
fn kinds_of_other_products_are_named_and_left_alone() {
    for (version, kind, group) in [
        (
            "operator.kyma-project.io/v1beta1",
            "Telemetry",
            "operator.kyma-project.io",
        ),
        (
            "extensions.higress.io/v1alpha1",
            "WasmPlugin",
            "extensions.higress.io",
        ),
    ] {
        let spec = "{pluginConfig: {direction: up}, tracing: [{randomSamplingPercentage: 500}]}";
        let text = resource(&format!("apiVersion: {version}\n"), kind, spec);
        let report = check_file("-", text.as_bytes());
        let skipped: Vec<_> = report
            .skipped
            .iter()
            .map(|finding| (finding.path.as_str(), finding.message.clone()))
            .collect();
        assert_eq!(
            skipped,
            [(
                "$",
                format!("not Istio's {kind} but that of {group}, and left alone")
            )]
        );
        assert_eq!(
            (report.errors, report.settings, report.configurations),
            (vec![], 0, 0)
        );
    }
}

#[test]
fn what_only_names_a_kind_is_no_resource() {
    let text = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  ownerReferences: [{apiVersion: telemetry.istio.io/v9, kind: Telemetry, name: b, uid: c}]
data: {}
";
    assert_eq!(told(text).0, 0);
    let list = "apiVersion: telemetry.istio.io/v1\nkind: TelemetryList\nmetadata: {}\nitems: []\n";
    assert_eq!(told(list).0, 0);
}
