//! The resources that a real API server was asked about.

use super::manifests::{place, read};

/// A resource by its manifest and a change: the name of the row, the manifest, a part, its replacement, and the beginning
/// of the first error; none where the resource works.
pub(crate) type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const NAME: &str = "  pluginName: sidespan\n";

/// The resources that an API server of Kubernetes 1.36.1 was asked about, with Istio's definitions and its webhook. All that
/// it refuses or prunes under strict validation must be refused. What it takes and `check` refuses nevertheless is marked.
pub(crate) const ASKED: [Row; 42] = [
    ("as shipped", "wasmplugin", "", "", None),
    (
        "pluginconfig for pluginConfig",
        "wasmplugin",
        "pluginConfig:",
        "pluginconfig:",
        Some("$.spec.pluginconfig: unknown key; did you mean `pluginConfig`?"),
    ),
    (
        "sampling under spec",
        "wasmplugin",
        NAME,
        "  sampling: {percentage: 5}\n",
        Some("$.spec.sampling: unknown key; it belongs into `spec.pluginConfig`"),
    ),
    (
        "selector: {app: cart}",
        "wasmplugin",
        NAME,
        "  selector: {app: cart}\n",
        Some("$.spec.selector.app: unknown key; a label belongs into matchLabels"),
    ),
    (
        "workloadSelector",
        "wasmplugin",
        NAME,
        "  workloadSelector: {labels: {app: cart}}\n",
        Some("$.spec.workloadSelector: unknown key; write `selector: {matchLabels: {…}}`"),
    ),
    (
        "selector and targetRefs",
        "wasmplugin",
        NAME,
        "  selector: {matchLabels: {app: cart}}\n  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]\n",
        Some("$.spec.targetRefs: not beside `selector`"),
    ),
    (
        "no url",
        "wasmplugin",
        "  url: oci://REGISTRY/sidespan-filter:0.1.0\n",
        "",
        Some("$.spec.url: missing"),
    ),
    (
        "url docker://",
        "wasmplugin",
        "oci://",
        "docker://",
        Some("$.spec.url: expected one of the schemes oci, http, https and file"),
    ),
    (
        // Taken by the API server, and dropped by istiod.
        "url without scheme, with a port",
        "wasmplugin",
        "oci://REGISTRY/",
        "127.0.0.1:5000/",
        Some("$.spec.url: without a scheme a host with a port is no URL"),
    ),
    (
        "sha256 with sha256:",
        "wasmplugin",
        NAME,
        "  sha256: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'\n",
        Some("$.spec.sha256: expected 64 hexadecimal digits alone"),
    ),
    (
        "sha256 short",
        "wasmplugin",
        NAME,
        "  sha256: abcdef\n",
        Some("$.spec.sha256: expected 64 hexadecimal digits"),
    ),
    (
        "phase authn",
        "wasmplugin",
        "AUTHN\n",
        "authn\n",
        Some("$.spec.phase: expected AUTHN, AUTHZ or STATS"),
    ),
    (
        "priority '1000'",
        "wasmplugin",
        "priority: 1000",
        "priority: '1000'",
        Some("$.spec.priority: expected an integer, found a string"),
    ),
    (
        "match mode INBOUND",
        "wasmplugin",
        NAME,
        "  match: [{mode: INBOUND}]\n",
        Some(
            "$.spec.match[0].mode: expected CLIENT, SERVER or CLIENT_AND_SERVER; did you mean `SERVER`?",
        ),
    ),
    (
        "match ports [8080]",
        "wasmplugin",
        NAME,
        "  match: [{ports: [8080]}]\n",
        Some("$.spec.match[0].ports[0]: expected an object, found a number; write `{number: …}`"),
    ),
    (
        "imagePullPolicy Never",
        "wasmplugin",
        "imagePullPolicy: IfNotPresent",
        "imagePullPolicy: Never",
        Some("$.spec.imagePullPolicy: expected IfNotPresent or Always"),
    ),
    (
        "failStrategy fail_open",
        "wasmplugin",
        "failStrategy: FAIL_OPEN",
        "failStrategy: fail_open",
        Some(
            "$.spec.failStrategy: expected FAIL_CLOSE, FAIL_OPEN or FAIL_RELOAD; did you mean `FAIL_OPEN`?",
        ),
    ),
    (
        "failureStrategy",
        "wasmplugin",
        "failStrategy: FAIL_OPEN",
        "failureStrategy: FAIL_OPEN",
        Some("$.spec.failureStrategy: unknown key; did you mean `failStrategy`?"),
    ),
    (
        "env valueFrom secretKeyRef",
        "wasmplugin",
        NAME,
        "  vmConfig: {env: [{name: K, valueFrom: {secretKeyRef: {name: s, key: k}}}]}\n",
        Some("$.spec.vmConfig.env[0].valueFrom: expected INLINE or HOST, found an object"),
    ),
    (
        "env HOST with value",
        "wasmplugin",
        NAME,
        "  vmConfig: {env: [{name: K, valueFrom: HOST, value: x}]}\n",
        Some("$.spec.vmConfig.env[0].value: not beside valueFrom: HOST"),
    ),
    (
        "imagePullSecrets",
        "wasmplugin",
        NAME,
        "  imagePullSecrets: [{name: regcred}]\n",
        Some("$.spec.imagePullSecrets: unknown key; write `imagePullSecret: NAME`"),
    ),
    (
        "apiVersion extensions.istio.io/v1",
        "wasmplugin",
        "v1alpha1",
        "v1",
        Some(
            "$.apiVersion: an API server has no WasmPlugin of this version; expected extensions.istio.io/v1alpha1",
        ),
    ),
    (
        // Taken by the API server; the filter traps.
        "type NETWORK",
        "wasmplugin",
        NAME,
        "  pluginName: sidespan\n  type: NETWORK\n",
        Some("$.spec.type: as a network filter the module traps"),
    ),
    (
        // Taken by the API server; the filter refuses it.
        "percentage 500",
        "wasmplugin",
        "percentage: 1\n",
        "percentage: 500\n",
        Some("$.spec.pluginConfig.sampling.percentage: expected a percentage"),
    ),
    (
        // Taken by the API server; the filter refuses it.
        "percentage 'many'",
        "wasmplugin",
        "percentage: 1\n",
        "percentage: many\n",
        Some("$.spec.pluginConfig.sampling.percentage: expected a percentage"),
    ),
    (
        // Taken by the API server; the filter refuses it.
        "unknown key in pluginConfig",
        "wasmplugin",
        "percentage: 1\n",
        "percent: 1\n",
        Some("$.spec.pluginConfig.sampling.percent: unknown key"),
    ),
    (
        "pluginConfig a string",
        "wasmplugin",
        "pluginConfig:\n",
        "pluginConfig: '{}'\n  unused:\n",
        Some("$.spec.pluginConfig: expected an object, found a string"),
    ),
    (
        // Taken by the API server; no proxy has the cluster.
        "service without its suffix",
        "wasmplugin",
        ".svc.cluster.local",
        "",
        Some("$.spec.pluginConfig.export.otlp.service: no proxy has a cluster of this name"),
    ),
    ("REGISTRY left", "wasmplugin", "", "", None),
    (
        "TrafficExtension as shipped",
        "trafficextension",
        "",
        "",
        None,
    ),
    (
        "TrafficExtension, flat",
        "wasmplugin",
        "kind: WasmPlugin",
        "kind: TrafficExtension",
        Some("$.spec.url: unknown key; it belongs into `spec.wasm`"),
    ),
    (
        "TrafficExtension, phase in wasm",
        "trafficextension",
        "    pluginName: sidespan\n",
        "    phase: AUTHN\n",
        Some("$.spec.wasm.phase: unknown key; it belongs into `spec`"),
    ),
    (
        "TrafficExtension, wasm and lua",
        "trafficextension",
        "  wasm:\n",
        "  lua: {inlineCode: x}\n  wasm:\n",
        Some("$.spec.lua: not beside `wasm`"),
    ),
    ("EnvoyFilter as shipped", "envoyfilter", "", "", None),
    (
        "EnvoyFilter, selector",
        "envoyfilter",
        "  workloadSelector:\n    labels:\n",
        "  selector:\n    matchLabels:\n",
        Some("$.spec.selector: unknown key; write `workloadSelector: {labels: {…}}`"),
    ),
    (
        "EnvoyFilter, context ANY_INBOUND",
        "envoyfilter",
        "context: SIDECAR_INBOUND",
        "context: ANY_INBOUND",
        Some("$.spec.configPatches[0].match.context: expected ANY, SIDECAR_INBOUND"),
    ),
    (
        "EnvoyFilter, unknown field in the filter",
        "envoyfilter",
        "root_id: sidespan\n",
        "root_id: sidespan\n              colour: blue\n",
        None,
    ),
    ("Telemetry as shipped", "telemetry", "", "", None),
    (
        "Telemetry, disableSpanReporting a string",
        "telemetry",
        "disableSpanReporting: true",
        "disableSpanReporting: 'true'",
        Some("$.spec.tracing[0].disableSpanReporting: expected true or false, found a string"),
    ),
    (
        "Telemetry, tracing a map",
        "telemetry",
        "    - disableSpanReporting",
        "    disableSpanReporting",
        Some("$.spec.tracing: expected a list, found an object"),
    ),
    (
        "Telemetry, percentage 500",
        "telemetry",
        "disableSpanReporting: true",
        "randomSamplingPercentage: 500",
        Some("$.spec.tracing[0].randomSamplingPercentage: "),
    ),
    (
        "Telemetry, mode server",
        "telemetry",
        "disableSpanReporting: true",
        "match: {mode: server}",
        Some(
            "$.spec.tracing[0].match.mode: expected CLIENT_AND_SERVER, CLIENT or SERVER; did you mean `SERVER`?",
        ),
    ),
];

/// Returns the text of a row's resource.
pub(crate) fn text((name, manifest, from, to, _): Row) -> String {
    let shipped = read(place(manifest));
    // Comments name keys, too.
    let lines = shipped
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let bare = lines.collect::<Vec<_>>().join("\n") + "\n";
    assert!(bare.contains(from), "{name}: {from}");
    bare.replacen(from, to, 1)
}
