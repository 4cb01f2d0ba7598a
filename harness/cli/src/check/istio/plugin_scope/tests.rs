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
fn of_several_in_one_chain_the_highest_priority_works() {
    let with = |priority: &str| scope(&format!("spec: {{{priority}}}"));
    let elsewhere = scope("metadata: {namespace: payments}\nspec: {priority: 9000}");
    let list = [
        with("priority: 1000"),
        with(""),
        with("priority: 1001"),
        with("priority: 1001"),
        elsewhere,
    ];
    let none = Labels::new();
    let spot = Spot {
        namespace: Some("shop"),
        labels: &none,
        mode: Mode::Server,
    };
    assert_eq!(working(list.iter(), "istio-system", &spot), Some(2));
    assert_eq!(working(list[1..2].iter(), "istio-system", &spot), Some(0));
    assert_eq!(working(list[4..].iter(), "istio-system", &spot), None);
}
