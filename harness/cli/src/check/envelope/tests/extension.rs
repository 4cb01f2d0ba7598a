//! WasmPlugin and TrafficExtension.

use super::{says, told};

pub(super) const PLUGIN: &str = "\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: sidespan, namespace: shop, labels: {team: mesh}}
spec:
  selector: {matchLabels: {app: cart}}
  url: oci://here/filter:1
  phase: AUTHN
  priority: 1000
  failStrategy: FAIL_OPEN
  pluginConfig: {direction: auto}
";

pub(super) const EXTENSION: &str = "\
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: {name: sidespan, namespace: shop}
spec:
  phase: AUTHN
  priority: 1000
  wasm:
    url: oci://here/filter:1
    failStrategy: FAIL_OPEN
    pluginConfig: {direction: auto}
";

const CLOSED: &str = "warning: $.spec.failStrategy: with FAIL_CLOSE a registry that is down takes the traffic down; set FAIL_OPEN";
const NO_PHASE: &str = "warning: $.spec.phase: without a phase the filter runs behind Istio's authentication, authorization \
    and statistics, whatever its priority, and sees no request that is refused there; set phase: AUTHN";

#[test]
fn unknown_and_misplaced_keys() {
    says(
        PLUGIN,
        &[
            (
                "pluginConfig:",
                "pluginconfig:",
                &["error: $.spec.pluginconfig: unknown key; did you mean `pluginConfig`?"],
            ),
            (
                "pluginConfig:",
                "config:",
                &["error: $.spec.config: unknown key; did you mean `pluginConfig`?"],
            ),
            (
                "pluginConfig: {direction: auto}",
                "sampling: {percentage: 5}\n  export: {otlp: {cluster: c}}",
                &[
                    "error: $.spec.sampling: unknown key; it belongs into `spec.pluginConfig`",
                    "error: $.spec.export: unknown key; it belongs into `spec.pluginConfig`",
                ],
            ),
            (
                "spec:\n",
                "sampling: {percentage: 5}\nspec:\n",
                &["error: $.sampling: unknown key; it belongs into `spec.pluginConfig`"],
            ),
            (
                "spec:\n",
                "url: oci://here/other:1\nspec:\n",
                &["error: $.url: unknown key; it belongs into `spec`"],
            ),
            (
                "{matchLabels: {app: cart}}",
                "{app: cart}",
                &[
                    "error: $.spec.selector.app: unknown key; a label belongs into matchLabels: `selector: {matchLabels: {app: …}}`",
                ],
            ),
            (
                "matchLabels",
                "labels",
                &["error: $.spec.selector.labels: unknown key; did you mean `matchLabels`?"],
            ),
            (
                "{matchLabels: {app: cart}}",
                "{matchExpressions: [{key: app, operator: Exists}]}",
                &[
                    "error: $.spec.selector.matchExpressions: unknown key; Istio's selector takes `matchLabels` alone",
                ],
            ),
            (
                "selector: {matchLabels: {app: cart}}",
                "workloadSelector: {labels: {app: cart}}",
                &[
                    "error: $.spec.workloadSelector: unknown key; write `selector: {matchLabels: {…}}`, for without it every workload is meant",
                ],
            ),
            (
                "failStrategy",
                "failureStrategy",
                &[
                    "error: $.spec.failureStrategy: unknown key; did you mean `failStrategy`?",
                    CLOSED,
                ],
            ),
            (
                "failStrategy: FAIL_OPEN",
                "fail_open: true",
                &[
                    "error: $.spec.fail_open: unknown key; write `failStrategy: FAIL_OPEN`",
                    CLOSED,
                ],
            ),
            (
                "priority:",
                "imagePullSecrets: [{name: regcred}]\n  priority:",
                &[
                    "error: $.spec.imagePullSecrets: unknown key; write `imagePullSecret: NAME`, one name and no list",
                ],
            ),
            (
                "priority:",
                "env: [{name: A, value: b}]\n  priority:",
                &["error: $.spec.env: unknown key; it belongs into `spec.vmConfig`"],
            ),
            (
                "priority:",
                "mode: SERVER\n  priority:",
                &["error: $.spec.mode: unknown key; it belongs into `spec.match[]`"],
            ),
            (
                "priority:",
                "targetRefes: [{kind: Gateway}]\n  priority:",
                &["error: $.spec.targetRefes: unknown key; did you mean `targetRefs`?"],
            ),
            (
                "priority:",
                "wasm: {url: oci://a/b}\n  priority:",
                &[
                    "error: $.spec.wasm: unknown key; in a WasmPlugin its keys stand directly under `spec`",
                ],
            ),
            (
                "priority:",
                "nonsense: 1\n  priority:",
                &[
                    "error: $.spec.nonsense: unknown key; known here: failStrategy, imagePullPolicy, imagePullSecret, match, phase, \
                     pluginConfig, pluginName, priority, selector, sha256, targetRef, targetRefs, type, url, verificationKey, vmConfig",
                ],
            ),
            (
                "priority:",
                "match: [{ports: [{number: 80, name: http}]}]\n  priority:",
                &["error: $.spec.match[0].ports[0].name: unknown key; known here: number"],
            ),
            (
                "team: mesh}",
                "team: mesh}, label: {a: b}",
                &["error: $.metadata.label: unknown key; did you mean `labels`?"],
            ),
        ],
    );
}

#[test]
fn values_of_another_type_or_none_of_the_words() {
    says(
        PLUGIN,
        &[
            (
                "priority: 1000",
                "priority: '1000'",
                &[
                    "error: $.spec.priority: expected an integer, found a string; leave the quotes out",
                ],
            ),
            ("priority: 1000", "priority: 1000.0", &[]),
            ("priority: 1000", "priority: null", &[]),
            ("priority: 1000", "type: null", &[]),
            (
                "priority: 1000",
                "priority: 1.5",
                &["error: $.spec.priority: expected an integer from -2147483648 to 2147483647"],
            ),
            (
                "priority: 1000",
                "priority: 3000000000",
                &["error: $.spec.priority: expected an integer from -2147483648 to 2147483647"],
            ),
            (
                "app: cart",
                "app: cart, version: 1",
                &[
                    "error: $.spec.selector.matchLabels.version: expected a string, found a number; quote it",
                ],
            ),
            (
                "app: cart",
                "app.kubernetes.io/managed: true",
                &[
                    "error: $.spec.selector.matchLabels[\"app.kubernetes.io/managed\"]: expected a string, found a boolean; quote it",
                ],
            ),
            (
                "team: mesh",
                "team: 7",
                &["error: $.metadata.labels.team: expected a string, found a number; quote it"],
            ),
            (
                "name: sidespan,",
                "name: Sidespan,",
                &[
                    "error: $.metadata.name: expected lower-case letters, digits, - and ., as in sidespan-edge",
                ],
            ),
            (
                "{name: sidespan, namespace: shop, labels: {team: mesh}}\nspec:",
                "{namespace: shop}\nspec:\n  pluginName: sidespan",
                &[
                    "error: $.metadata.name: missing, and no API server takes a resource without a name; write metadata.name",
                ],
            ),
            (
                "namespace: shop",
                "namespace: Shop",
                &[
                    "error: $.metadata.namespace: expected lower-case letters, digits and -, as in istio-system",
                ],
            ),
            (
                "team: mesh",
                "team: the mesh",
                &[
                    "error: $.metadata.labels.team: a label that Kubernetes refuses; expected letters, digits, -, _ and ., the first and the last a letter or a digit",
                ],
            ),
            (
                "{matchLabels: {app: cart}}",
                "app=cart",
                &[
                    "error: $.spec.selector: expected an object, found a string; write `{matchLabels: …}`",
                ],
            ),
            (
                "priority: 1000",
                "match: [{ports: [8080]}]",
                &[
                    "error: $.spec.match[0].ports[0]: expected an object, found a number; write `{number: …}`",
                ],
            ),
            (
                "priority: 1000",
                "match: [{ports: 8080}]",
                &[
                    "error: $.spec.match[0].ports: expected a list, found a number; write `[{number: …}]`",
                ],
            ),
            (
                "priority: 1000",
                "match: [{ports: [{number: 0}, {number: 70000}, {}, {number: 9}, {number: 9}]}]",
                &[
                    "error: $.spec.match[0].ports[0].number: expected an integer from 1 to 65535",
                    "error: $.spec.match[0].ports[1].number: expected an integer from 1 to 65535",
                    "error: $.spec.match[0].ports[2].number: missing; an API server refuses the resource without it",
                    "error: $.spec.match[0].ports[4].number: repeats the number of an entry before; each may stand once",
                ],
            ),
            (
                "priority: 1000",
                "match: {mode: SERVER}",
                &[
                    "error: $.spec.match: expected a list, found an object; put `- ` in front of its first key",
                ],
            ),
            (
                "priority: 1000",
                "match: [{mode: INBOUND}, {mode: server}, {mode: CLIENT_AND_SERVER}]",
                &[
                    "error: $.spec.match[0].mode: expected CLIENT, SERVER or CLIENT_AND_SERVER; did you mean `SERVER`?",
                    "error: $.spec.match[1].mode: expected CLIENT, SERVER or CLIENT_AND_SERVER; did you mean `SERVER`?",
                ],
            ),
            (
                "priority: 1000",
                "match: [{mode: SERVER, ports: [{number: 8080}]}]",
                &[],
            ),
            (
                "phase: AUTHN",
                "phase: authn",
                &["error: $.spec.phase: expected AUTHN, AUTHZ or STATS; did you mean `AUTHN`?"],
            ),
            (
                "phase: AUTHN",
                "phase: FIRST",
                &["error: $.spec.phase: expected AUTHN, AUTHZ or STATS"],
            ),
            ("phase: AUTHN", "phase: STATS", &[]),
            (
                "priority: 1000",
                "type: http",
                &["error: $.spec.type: expected HTTP or NETWORK; did you mean `HTTP`?"],
            ),
            ("priority: 1000", "type: HTTP", &[]),
            (
                "priority: 1000",
                "imagePullPolicy: Never",
                &[
                    "error: $.spec.imagePullPolicy: expected IfNotPresent or Always; did you mean `IfNotPresent`?",
                ],
            ),
            ("priority: 1000", "imagePullPolicy: Always", &[]),
            (
                "FAIL_OPEN",
                "fail_open",
                &[
                    "error: $.spec.failStrategy: expected FAIL_CLOSE, FAIL_OPEN or FAIL_RELOAD; did you mean `FAIL_OPEN`?",
                ],
            ),
            (
                "FAIL_OPEN",
                "true",
                &[
                    "error: $.spec.failStrategy: expected FAIL_CLOSE, FAIL_OPEN or FAIL_RELOAD, found a boolean; quote it",
                ],
            ),
            (
                "{direction: auto}",
                "'{\"direction\": \"auto\"}'",
                &[
                    "error: $.spec.pluginConfig: expected an object, found a string; write its keys below it, without quotes and without |",
                ],
            ),
            (
                "priority: 1000",
                "imagePullSecret: ''",
                &["error: $.spec.imagePullSecret: expected text, found an empty one"],
            ),
            (
                "app: cart",
                "app: 'cart*'",
                &[
                    "error: $.spec.selector.matchLabels.app: expected no *, for a selector compares whole values",
                ],
            ),
            (
                "app: cart",
                "'app*': cart",
                &["error: $.spec.selector.matchLabels: expected no * in the name of a label"],
            ),
            (
                "app: cart",
                "'': cart",
                &["error: $.spec.selector.matchLabels: expected no empty name of a label"],
            ),
        ],
    );
    let long = PLUGIN.replace("app: cart", &format!("app: {}", "a".repeat(64)));
    assert_eq!(
        told(&long).1,
        ["error: $.spec.selector.matchLabels.app: expected at most 63 characters, found 64"]
    );
}

#[test]
fn the_url_and_its_pin() {
    const SCHEMES: &str = "error: $.spec.url: expected one of the schemes oci, http, https and file; an image of a registry is oci://…";
    const PORT: &str = "error: $.spec.url: without a scheme a host with a port is no URL, and the API server refuses the resource or \
        istiod drops it in silence; write oci:// in front";
    const NO_SCHEME: &str = "warning: $.spec.url: without a scheme Istio takes an image of a registry, and none at all where the host \
        has a port; write oci:// in front";
    const DIGITS: &str = "error: $.spec.sha256: expected 64 hexadecimal digits in lower case";
    let digest = "0123456789abcdef".repeat(4);
    let pinned = |prefix: &str, digest: &str| format!("sha256: '{prefix}{digest}'");
    let url = "url: oci://here/filter:1";
    says(
        PLUGIN,
        &[
            (
                "url: oci://here/filter:1\n  ",
                "",
                &[
                    "error: $.spec.url: missing; write the image's place, as `url: oci://registry.example.com/sidespan-filter:1`",
                ],
            ),
            (
                url,
                "url: ''",
                &["error: $.spec.url: expected text, found an empty one"],
            ),
            (
                url,
                "url: null",
                &[
                    "error: $.spec.url: missing; write the image's place, as `url: oci://registry.example.com/sidespan-filter:1`",
                ],
            ),
            (url, "url: docker://here/filter:1", &[SCHEMES]),
            (url, "url: 10.0.0.1:5000/filter:1", &[PORT]),
            (url, "url: localhost:5000/filter:1", &[PORT]),
            (url, "url: ghcr.io/team/filter:1", &[NO_SCHEME]),
            (url, "url: ghcr.io/team/filter", &[NO_SCHEME]),
            (
                url,
                "url: 'oci://'",
                &["error: $.spec.url: expected a place behind the scheme"],
            ),
            (
                url,
                "url: 'oci://here/my filter:1'",
                &["error: $.spec.url: expected a URL without spaces"],
            ),
            (
                url,
                "url: '${IMAGE}'",
                &[
                    "error: $.spec.url: expected the place of an image, such as oci://registry.example.com/sidespan-filter:1",
                ],
            ),
            (url, "url: OCI://here/filter:1", &[]),
            (url, "url: https://here/filter.wasm", &[]),
            (url, "url: http://here/filter.wasm", &[]),
            (url, "url: file:///opt/filter.wasm", &[]),
            (url, "url: oci://here:5000/filter:1", &[]),
            ("priority: 1000", &pinned("", &digest), &[]),
            ("priority: 1000", "sha256: ''", &[]),
            (
                "priority: 1000",
                &pinned("sha256:", &digest),
                &[
                    "error: $.spec.sha256: expected 64 hexadecimal digits alone; leave `sha256:` out",
                ],
            ),
            ("priority: 1000", &pinned("", "abc"), &[DIGITS]),
            (
                "priority: 1000",
                &pinned("", &digest.to_uppercase()),
                &[DIGITS],
            ),
        ],
    );
}

#[test]
fn the_environment_of_the_vm() {
    let row = "priority: 1000";
    says(
        PLUGIN,
        &[
            (
                row,
                "vmConfig: {env: [{name: A, value: b}, {name: B, valueFrom: HOST}, {name: C, valueFrom: INLINE, value: ''}]}",
                &[],
            ),
            (
                row,
                "vmConfig: {env: [{name: A, valueFrom: HOST, value: x}]}",
                &[
                    "error: $.spec.vmConfig.env[0].value: not beside valueFrom: HOST, which takes the proxy's own; leave one of the two out",
                ],
            ),
            (
                row,
                "vmConfig: {env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
                &[
                    "error: $.spec.vmConfig.env[0].valueFrom: expected INLINE or HOST, found an object; Istio reads no Secret here, \
                     and HOST takes the variable from the proxy's own environment",
                ],
            ),
            (
                row,
                "vmConfig: {env: [{name: A, value: x}, {name: A, value: z}]}",
                &[
                    "error: $.spec.vmConfig.env[1].name: repeats the name of an entry before; each may stand once",
                ],
            ),
            (
                row,
                "vmConfig: {env: {A: x}}",
                &[
                    "error: $.spec.vmConfig.env: expected a list, found an object; write `[{name: …}]`",
                ],
            ),
            (
                row,
                "vmConfig: {env: [{name: A, value: 1}, {value: b}]}",
                &[
                    "error: $.spec.vmConfig.env[0].value: expected a string, found a number; quote it",
                    "error: $.spec.vmConfig.env[1].name: missing; an API server refuses the resource without it",
                ],
            ),
        ],
    );
}

#[test]
fn the_workloads_that_are_chosen() {
    const GATEWAY: &str = "group: gateway.networking.k8s.io, kind: Gateway, name: edge";
    let selector = "selector: {matchLabels: {app: cart}}";
    let both = format!("{selector}\n  targetRefs: [{{{GATEWAY}}}]");
    let beside = |key: &str, first: &str| {
        format!(
            "error: $.spec.{key}: not beside `{first}`, for a resource has one of the two: labels choose sidecars and gateways, \
             `targetRefs` waypoints and gateways of the Gateway API"
        )
    };
    let many = format!(
        "targetRefs: [{}]",
        vec![format!("{{{GATEWAY}}}"); 17].join(", ")
    );
    let namespaced = format!("targetRefs: [{{{GATEWAY}, namespace: other}}]");
    let refs = |inner: &str| format!("targetRefs: [{{{inner}}}]");
    says(
        PLUGIN,
        &[
            (selector, &both, &[&beside("targetRefs", "selector")]),
            (selector, &refs(GATEWAY), &[]),
            (selector, &format!("targetRef: {{{GATEWAY}}}"), &[]),
            (
                selector,
                &format!("targetRef: {{{GATEWAY}}}\n  targetRefs: [{{{GATEWAY}}}]"),
                &[&beside("targetRefs", "targetRef")],
            ),
            (
                selector,
                &many,
                &["error: $.spec.targetRefs: expected at most 16 entries, found 17"],
            ),
            (
                selector,
                &namespaced,
                &[
                    "error: $.spec.targetRefs[0].namespace: leave it out, for Istio attaches only what is in the same namespace",
                ],
            ),
            (selector, &refs("kind: Service, name: cart"), &[]),
            (
                selector,
                &refs("kind: Service, group: core, name: cart"),
                &[],
            ),
            (
                selector,
                &refs("kind: Service, group: v1, name: cart"),
                &["error: $.spec.targetRefs[0].group: leave it out, for a Service has no group"],
            ),
            (
                selector,
                &refs("kind: Gateway, name: edge"),
                &[
                    "error: $.spec.targetRefs[0].group: expected gateway.networking.k8s.io, the group of Gateway",
                ],
            ),
            (
                selector,
                &refs("kind: Deployment, group: apps, name: cart"),
                &[
                    "error: $.spec.targetRefs[0].kind: expected Gateway, GatewayClass, Service or ServiceEntry",
                ],
            ),
            (
                selector,
                &refs("group: 'Gateway!', name: a"),
                &[
                    "error: $.spec.targetRefs[0].group: expected an API group, such as gateway.networking.k8s.io",
                    "error: $.spec.targetRefs[0].kind: missing; an API server refuses the resource without it",
                ],
            ),
        ],
    );
}

#[test]
fn a_phase_is_set() {
    for to in ["", "phase: UNSPECIFIED_PHASE\n  ", "phase: null\n  "] {
        says(PLUGIN, &[("phase: AUTHN\n  ", to, &[NO_PHASE])]);
    }
    says(
        EXTENSION,
        &[
            ("phase: AUTHN\n  ", "", &[NO_PHASE]),
            ("phase: AUTHN", "phase: UNSPECIFIED", &[NO_PHASE]),
        ],
    );
}

#[test]
fn a_traffic_extension_has_its_module_in_wasm() {
    let flat = "\
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: {name: sidespan}
spec:
  phase: AUTHN
  url: oci://here/filter:1
  failStrategy: FAIL_OPEN
  pluginConfig: {direction: up}
";
    assert_eq!(
        told(flat),
        (
            1,
            [
                "error: $.spec.url: unknown key; it belongs into `spec.wasm`",
                "error: $.spec.failStrategy: unknown key; it belongs into `spec.wasm`",
                "error: $.spec.pluginConfig: unknown key; it belongs into `spec.wasm`",
                "error: $.spec.wasm: missing; `url`, `pluginConfig` and all else of the module belong into it",
                "error: $.spec.pluginConfig.direction: expected auto, inbound, outbound or edge, found \"up\"",
            ]
            .map(str::to_owned)
            .into()
        )
    );
    says(
        EXTENSION,
        &[
            (
                "    url:",
                "    phase: AUTHN\n    priority: 5\n    url:",
                &[
                    "error: $.spec.wasm.phase: unknown key; it belongs into `spec`",
                    "error: $.spec.wasm.priority: unknown key; it belongs into `spec`",
                ],
            ),
            (
                "  wasm:",
                "  lua: {inlineCode: 'x'}\n  wasm:",
                &["error: $.spec.lua: not beside `wasm`; give one of wasm or lua"],
            ),
            (
                "  wasm:",
                "  sampling: {percentage: 5}\n  wasm:",
                &["error: $.spec.sampling: unknown key; it belongs into `spec.wasm.pluginConfig`"],
            ),
            (
                "phase: AUTHN",
                "phase: AUTHN\n  targetRef: {kind: Service, name: cart}",
                &["error: $.spec.targetRef: unknown key; did you mean `targetRefs`?"],
            ),
            (
                "phase: AUTHN",
                "phase: UNSPECIFIED_PHASE",
                &[
                    "error: $.spec.phase: expected AUTHN, AUTHZ or STATS; did you mean `UNSPECIFIED`?",
                    NO_PHASE,
                ],
            ),
        ],
    );
}

#[test]
fn a_misspelt_resource_of_sidespan_is_known_to_be_its() {
    let named = PLUGIN.replace("name: sidespan,", "name: tracing,");
    for (from, to, path) in [
        (
            "url: oci://here/filter:1",
            "URL: oci://here/sidespan:1",
            "$.spec.URL",
        ),
        (
            "priority: 1000",
            "pluginname: sidespan",
            "$.spec.pluginname",
        ),
        ("priority: 1000", "root_id: sidespan", "$.spec.root_id"),
        (
            "url: oci://here/filter:1",
            "wasm: {url: oci://here/sidespan:1}",
            "$.spec.wasm",
        ),
    ] {
        let (code, lines) = told(&named.replace(from, to));
        let expected = format!("error: {path}: unknown key");
        assert!(
            code == 1 && lines.iter().any(|line| line.starts_with(&expected)),
            "{to}: {lines:?}"
        );
    }
}
