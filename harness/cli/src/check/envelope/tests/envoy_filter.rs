//! EnvoyFilter, and the plugin inside of it or of an Envoy's own configuration.

use super::{says, told};

pub(super) const FILTER: &str = r#"
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: sidespan, namespace: istio-system}
spec:
  workloadSelector: {labels: {app: cart}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
    patch:
      operation: INSERT_FIRST
      value:
        name: sidespan
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
          config:
            name: sidespan
            root_id: sidespan
            fail_open: true
            vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: /sidespan.wasm}}}
            configuration:
              "@type": type.googleapis.com/google.protobuf.StringValue
              value: '{"direction": "auto"}'
"#;
const IN_ENVOY_FILTER: &str = "$.spec.configPatches[0].patch.value.typed_config.config";

#[test]
fn keys_types_and_words() {
    let at = "$.spec.configPatches[0]";
    let row = |from: &'static str, to: &'static str, expected: String| (from, to, expected);
    let rows = [
        row(
            "workloadSelector: {labels:",
            "selector: {matchLabels:",
            "error: $.spec.selector: unknown key; write `workloadSelector: {labels: {…}}`, for without it every pod gets the patches"
                .into(),
        ),
        row(
            "{labels: {app: cart}}",
            "{matchLabels: {app: cart}}",
            "error: $.spec.workloadSelector.matchLabels: unknown key; did you mean `labels`?".into(),
        ),
        row(
            "{labels: {app: cart}}",
            "{app: cart}",
            "error: $.spec.workloadSelector.app: unknown key; a label belongs into labels: `workloadSelector: {labels: {app: …}}`"
                .into(),
        ),
        row(
            "{app: cart}",
            "{app: 1}",
            "error: $.spec.workloadSelector.labels.app: expected a string, found a number; quote it".into(),
        ),
        row(
            "SIDECAR_INBOUND",
            "ANY_INBOUND",
            format!(
                "error: {at}.match.context: expected ANY, SIDECAR_INBOUND, SIDECAR_OUTBOUND, GATEWAY or WAYPOINT; \
                 did you mean `SIDECAR_INBOUND`?"
            ),
        ),
        row(
            "SIDECAR_INBOUND",
            "WAYPOINT",
            format!("error: {at}.match.waypoint: missing; with context WAYPOINT it is the match"),
        ),
        row(
            "HTTP_FILTER",
            "HTTP_FILTERS",
            format!(
                "error: {at}.applyTo: expected LISTENER, FILTER_CHAIN, NETWORK_FILTER, HTTP_FILTER, ROUTE_CONFIGURATION, \
                 VIRTUAL_HOST, HTTP_ROUTE, CLUSTER, EXTENSION_CONFIG, BOOTSTRAP or LISTENER_FILTER; did you mean `HTTP_FILTER`?"
            ),
        ),
        row(
            "INSERT_FIRST",
            "insert_first",
            format!(
                "error: {at}.patch.operation: expected MERGE, ADD, REMOVE, INSERT_BEFORE, INSERT_AFTER, INSERT_FIRST, REPLACE or \
                 MERGE_AND_REPLACE_LIST; did you mean `INSERT_FIRST`?"
            ),
        ),
        row(
            "- applyTo: HTTP_FILTER\n    match",
            "- match",
            format!("error: {at}.applyTo: missing; Istio refuses a patch without it; a filter is put in with HTTP_FILTER"),
        ),
        row(
            "operation: INSERT_FIRST",
            "filterClass: AUTHN",
            format!(
                "error: {at}.patch.operation: missing; Istio refuses a patch without it; INSERT_FIRST puts a filter in front"
            ),
        ),
        row(
            "- applyTo: HTTP_FILTER",
            "- applyto: HTTP_FILTER",
            format!(
                "error: {at}.applyto: unknown key; did you mean `applyTo`?\n\
                 error: {at}.applyTo: missing; Istio refuses a patch without it; a filter is put in with HTTP_FILTER"
            ),
        ),
        row(
            "  configPatches:",
            "  configPatchs:",
            "error: $.spec.configPatchs: unknown key; did you mean `configPatches`?".into(),
        ),
        row(
            "listener: {filterChain",
            "cluster: {service: a}\n      listener: {filterChain",
            format!(
                "error: {at}.match.cluster: not beside `listener`; give one of listener, routeConfiguration, cluster or waypoint"
            ),
        ),
        row(
            "  configPatches:",
            "  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]\n  configPatches:",
            "error: $.spec.targetRefs: not beside `workloadSelector`, for a resource has one of the two: labels choose sidecars and \
             gateways, `targetRefs` waypoints and gateways of the Gateway API"
                .into(),
        ),
        row(
            "v1alpha3",
            "v1",
            "error: $.apiVersion: an API server has no EnvoyFilter of this version; expected networking.istio.io/v1alpha3".into(),
        ),
    ];
    for (from, to, expected) in rows {
        let lines: Vec<_> = expected.split('\n').collect();
        says(FILTER, &[(from, to, &lines)]);
    }
}

#[test]
fn a_patch_that_puts_the_filter_nowhere() {
    let chain = "{filter: {name: envoy.filters.network.http_connection_manager}}";
    let beside = |name: &str| {
        chain.replace(
            "manager}",
            &format!("manager, subFilter: {{name: {name}}}}}"),
        )
    };
    let (router, other) = (
        beside("envoy.filters.http.router"),
        beside("envoy.filters.http.cors"),
    );
    let behind =
        "puts the filter behind the router, and Envoy refuses a listener whose router is not last";
    let merged = "changes a filter that is there, and installs none";
    for (operation, chain, problem) in [
        ("ADD", chain, Some(behind)),
        ("ADD", &other, Some(behind)),
        ("INSERT_AFTER", chain, Some(behind)),
        ("INSERT_AFTER", &router, Some(behind)),
        ("INSERT_AFTER", &other, None),
        ("INSERT_BEFORE", chain, None),
        ("INSERT_BEFORE", &router, None),
        (
            "REPLACE",
            chain,
            Some("replaces nothing without a `subFilter`, and so installs nothing"),
        ),
        (
            "REPLACE",
            &router,
            Some("takes the router out, and Envoy refuses a listener without one"),
        ),
        ("REPLACE", &other, None),
        ("MERGE", chain, Some(merged)),
        ("MERGE", &other, Some(merged)),
        ("MERGE_AND_REPLACE_LIST", chain, Some(merged)),
        // Another EnvoyFilter has put it there.
        ("MERGE", &beside("sidespan"), None),
        (
            "REMOVE",
            &other,
            Some("takes a filter out, and installs none"),
        ),
    ] {
        let text = FILTER
            .replace(
                "{filter: {name: envoy.filters.network.http_connection_manager}}",
                chain,
            )
            .replace("INSERT_FIRST", operation);
        let expected = problem.map(|problem| {
            format!(
                "error: $.spec.configPatches[0].patch.operation: {problem}; write INSERT_FIRST, or INSERT_BEFORE with \
                 subFilter: {{name: envoy.filters.http.router}}"
            )
        });
        let (code, lines) = told(&text);
        assert_eq!(
            (code, lines),
            (u8::from(problem.is_some()), Vec::from_iter(expected)),
            "{text}"
        );
    }
}

#[test]
fn a_failure_policy_is_said_once() {
    let row = "fail_open: true";
    let closed = |key: &str, cure: &str| {
        format!(
            "warning: {IN_ENVOY_FILTER}.{key}: a filter that traps takes the traffic down; {cure}"
        )
    };
    says(
        FILTER,
        &[
            (row, "failOpen: true", &[]),
            (
                row,
                "failure_policy: FAIL_OPEN",
                &[&format!(
                    "warning: {IN_ENVOY_FILTER}.failure_policy: Istio before 1.25 drops this key, and the filter then fails closed; \
                     write fail_open: true in its place"
                )],
            ),
            (
                row,
                "failure_policy: FAIL_OPEN\n            fail_open: true",
                &[&format!(
                    "error: {IN_ENVOY_FILTER}.failure_policy: not beside fail_open: true, with which Envoy refuses it; leave it out"
                )],
            ),
            (
                row,
                "failure_policy: UNSPECIFIED\n            fail_open: true",
                &[],
            ),
            (
                row,
                "failure_policy: FAIL_CLOSED",
                &[&closed(
                    "failure_policy",
                    "write fail_open: true in its place",
                )],
            ),
            (
                row,
                "fail_open: false",
                &[&closed("fail_open", "set fail_open: true")],
            ),
            (
                row,
                "failure_policy: fail_open",
                &[&format!(
                    "error: {IN_ENVOY_FILTER}.failure_policy: expected FAIL_RELOAD, FAIL_CLOSED or FAIL_OPEN; did you mean `FAIL_OPEN`?"
                )],
            ),
            (
                row,
                "fail_open: 'true'",
                &[&format!(
                    "error: {IN_ENVOY_FILTER}.fail_open: expected true or false, found a string; leave the quotes out"
                )],
            ),
            (
                "root_id: sidespan",
                "root_ids: sidespan",
                &[&format!(
                    "warning: {IN_ENVOY_FILTER}.root_ids: unknown key, which Istio drops and Envoy refuses in its own files; \
                     did you mean `root_id`?"
                )],
            ),
        ],
    );
    // Envoy 1.33 and later know the newer key, and no Istio stands between.
    let (_, envoy) = FILTER.split_once("      value:\n").unwrap();
    let envoy = format!(
        "static_resources:\n{}",
        envoy.replace(row, "failure_policy: FAIL_OPEN")
    );
    assert_eq!(told(&envoy), (0, vec![]));
}

#[test]
fn a_protobuf_struct_is_refused_with_the_cure() {
    const SENTENCE: &str = "as google.protobuf.Struct it reaches the filter as bytes of protobuf, whatever Envoy's documentation says; \
        give it as google.protobuf.StringValue, with the JSON as text in value";
    let from = "google.protobuf.StringValue\n              value: '{\"direction\": \"auto\"}'";
    let of = |direction: &str| {
        format!("google.protobuf.Struct\n              value: {{direction: {direction}}}")
    };
    let refused = format!("error: {IN_ENVOY_FILTER}.configuration: {SENTENCE}");
    let inside = format!(
        "error: {IN_ENVOY_FILTER}.configuration.value.direction: expected auto, inbound, outbound or edge, found \"up\""
    );
    says(
        FILTER,
        &[
            (from, &of("auto"), &[&refused]),
            // Nothing else that is wrong is hidden.
            (from, &of("up"), &[&refused, &inside]),
        ],
    );
    let (_, envoy) = FILTER.split_once("      value:\n").unwrap();
    let envoy = format!("static_resources:\n{}", envoy.replace(from, &of("auto")));
    assert_eq!(
        told(&envoy),
        (
            1,
            vec![format!(
                "error: $.static_resources.typed_config.config.configuration: {SENTENCE}"
            )]
        )
    );
}

#[test]
fn an_envoy_filter_of_others_is_left_alone() {
    let other = "\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: lua}
spec: {selector: {app: cart}, configPatches: [{applyTo: http}]}
";
    assert_eq!(told(other), (0, vec![]));
    let (code, lines) = told(&other.replace("name: lua", "name: sidespan"));
    assert_eq!((code, lines.len()), (1, 3), "{lines:?}");
}
