//! Plugins, and the workloads that they are installed at.

use super::*;

fn scope(text: &str) -> Scope {
    Scope::of(&Document::parse("-", text).unwrap()[0])
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

#[test]
fn a_plugin_is_installed_where_istio_installs_it() {
    let cart = labels(&[("app", "cart"), ("version", "v1")]);
    let gateway = labels(&[(GATEWAY_NAME, "edge")]);
    let waypoint = labels(&[(GATEWAY_NAME, "waypoint"), (GATEWAY_CLASS, WAYPOINT)]);
    let none = Labels::new();
    for (text, namespace, labels, mode, expected) in [
        (
            "metadata: {namespace: istio-system}\nspec: {}",
            Some("shop"),
            &none,
            Mode::Server,
            true,
        ),
        (
            "metadata: {namespace: shop}\nspec: {}",
            Some("shop"),
            &none,
            Mode::Server,
            true,
        ),
        (
            "metadata: {namespace: shop}\nspec: {}",
            Some("payments"),
            &none,
            Mode::Server,
            false,
        ),
        (
            "metadata: {namespace: shop}\nspec: {}",
            None,
            &none,
            Mode::Server,
            true,
        ),
        (
            "metadata: {}\nspec: {}",
            Some("shop"),
            &none,
            Mode::Server,
            true,
        ),
        (
            "spec: {selector: {matchLabels: {app: cart}}}",
            Some("shop"),
            &cart,
            Mode::Server,
            true,
        ),
        (
            "spec: {selector: {matchLabels: {app: web}}}",
            Some("shop"),
            &cart,
            Mode::Server,
            false,
        ),
        (
            "spec: {selector: {matchLabels: {app: cart}}}",
            Some("shop"),
            &none,
            Mode::Server,
            false,
        ),
        (
            "spec: {match: [{mode: SERVER}]}",
            Some("shop"),
            &cart,
            Mode::Server,
            true,
        ),
        (
            "spec: {match: [{mode: SERVER}]}",
            Some("shop"),
            &cart,
            Mode::Client,
            false,
        ),
        (
            "spec: {match: [{mode: SERVER}, {mode: CLIENT}]}",
            Some("shop"),
            &cart,
            Mode::Client,
            true,
        ),
        (
            "spec: {match: [{ports: [{number: 80}]}]}",
            Some("shop"),
            &cart,
            Mode::Client,
            true,
        ),
        (
            "spec: {targetRefs: [{kind: Gateway, name: edge}]}",
            Some("shop"),
            &gateway,
            Mode::Client,
            true,
        ),
        (
            "spec: {targetRefs: [{kind: Gateway, name: edge}]}",
            Some("shop"),
            &cart,
            Mode::Client,
            false,
        ),
        ("kind: WasmPlugin", Some("shop"), &cart, Mode::Client, true),
        (
            "spec: {targetRefs: [{kind: Gateway, name: other}, {kind: Gateway, name: edge}]}",
            Some("shop"),
            &gateway,
            Mode::Client,
            true,
        ),
        (
            "metadata: {namespace: istio-system}\nspec: {targetRefs: [{kind: Gateway, name: edge}]}",
            Some("shop"),
            &gateway,
            Mode::Client,
            false,
        ),
        (
            "metadata: {namespace: shop}\nspec: {targetRefs: [{kind: Service, name: cart}]}",
            Some("shop"),
            &cart,
            Mode::Server,
            false,
        ),
        (
            "metadata: {namespace: istio-system}\nspec: {targetRefs: [{kind: GatewayClass, name: istio-waypoint}]}",
            Some("shop"),
            &cart,
            Mode::Server,
            false,
        ),
        (
            "metadata: {namespace: istio-system}\nspec: {targetRefs: [{kind: GatewayClass, name: istio-waypoint}]}",
            Some("shop"),
            &waypoint,
            Mode::Server,
            true,
        ),
        (
            "metadata: {namespace: shop}\nspec: {targetRefs: [{kind: GatewayClass, name: istio-waypoint}]}",
            Some("shop"),
            &waypoint,
            Mode::Server,
            false,
        ),
        (
            "metadata: {namespace: istio-system}\nspec: {}",
            Some("shop"),
            &waypoint,
            Mode::Server,
            false,
        ),
    ] {
        let spot = Spot {
            namespace,
            labels,
            mode,
        };
        assert_eq!(
            scope(text).reaches("istio-system", &spot),
            expected,
            "{text} {namespace:?} {labels:?} {mode:?}"
        );
    }
}

#[test]
fn of_several_in_one_chain_the_first_by_istios_order_works() {
    let with = |namespace: &str, spec: &str| {
        scope(&format!(
            "metadata: {{name: {spec:?}, namespace: {namespace}}}\nspec: {{{spec}}}"
        ))
    };
    let mesh = |spec: &str| with("istio-system", spec);
    let none = Labels::new();
    let spot = Spot {
        namespace: Some("shop"),
        labels: &none,
        mode: Mode::Server,
    };
    let aged = |created: &str| Scope {
        created: created.into(),
        ..with("shop", "priority: 7")
    };
    for (expected, why, list) in [
        (Some(1), "", vec![mesh(""), mesh("priority: 1")]),
        (
            Some(1),
            "priority",
            vec![mesh("priority: 1000"), mesh("priority: 1001")],
        ),
        (
            Some(0),
            "a phase counts before a priority",
            vec![
                mesh("phase: AUTHN, priority: 1000"),
                with("shop", "priority: 1001"),
            ],
        ),
        (
            Some(1),
            "phases",
            vec![mesh("phase: STATS"), mesh("phase: AUTHZ")],
        ),
        (
            Some(1),
            "its own namespace first",
            vec![mesh("priority: 10"), with("shop", "priority: 10")],
        ),
        (
            Some(1),
            "older first",
            vec![aged("2026-02-01T00:00:00Z"), aged("2026-01-01T00:00:00Z")],
        ),
        (None, "not there", vec![with("payments", "priority: 9000")]),
    ] {
        assert_eq!(
            working(list.iter(), "istio-system", &spot),
            expected,
            "{why}"
        );
    }
}

#[test]
fn a_patch_that_inserts_first_comes_before_every_plugin() {
    let resource = &Document::parse(
        "-",
        "kind: EnvoyFilter\nmetadata: {name: x, namespace: istio-system}\nspec: {workloadSelector: {labels: {app: cart}}}",
    )
    .unwrap()[0];
    let patch = |context: &str, operation: &str| {
        let text = format!("match: {{context: {context}}}\npatch: {{operation: {operation}}}");
        Scope::of_patch(resource, &Document::parse("-", &text).unwrap()[0])
    };
    let inbound = patch("SIDECAR_INBOUND", "INSERT_FIRST");
    assert_eq!(inbound.mode, Some(Mode::Server));
    assert_eq!(inbound.selector, labels(&[("app", "cart")]));
    let plugin = scope("spec: {phase: AUTHN, priority: 9000}");
    assert!(inbound.order(&plugin, Some("shop")).0.is_lt());
    let before_the_router = patch("SIDECAR_OUTBOUND", "INSERT_BEFORE");
    assert!(before_the_router.order(&plugin, Some("shop")).0.is_gt());
    assert_eq!(inbound.to_string(), "EnvoyFilter istio-system/x");
}
