//! The plugins that give the filter Istio's percentages: their notes, their number and their names.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Plugin;
use crate::check::input::document::Document;
use crate::check::istio::settings::Settings;
use crate::check::istio::summary::Summary;

fn plugins_of(text: &str) -> Vec<Plugin> {
    let mut settings = Settings::default();
    for (index, tree) in Document::parse("-", text).unwrap().iter().enumerate() {
        settings.read(0, index + 1, tree);
    }
    Summary::of(&settings).unwrap().plugins
}

fn selecting(namespace: &str, name: &str, labels: &Value, percentage: f64) -> String {
    let resource = json!({
        "kind": "Telemetry",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "tracing": [{"randomSamplingPercentage": percentage}]}
    });
    format!("---\n{resource}\n")
}

#[test]
fn what_a_plugin_can_not_say_stands_in_its_note() {
    let in_root = plugins_of(&selecting(
        "istio-system",
        "a",
        &json!({"app": "cart"}),
        5.0,
    ));
    assert!(
        in_root[1]
            .note
            .is_some_and(|note| note.contains("reaches every namespace")),
        "{in_root:?}"
    );
    let mut text = String::new();
    for index in 0..300 {
        let resource = json!({
            "kind": "Telemetry",
            "metadata": {"name": "t", "namespace": format!("n{index}")},
            "spec": {"tracing": [{"randomSamplingPercentage": 5}]}
        });
        writeln!(text, "---\n{resource}").unwrap();
    }
    assert!(
        plugins_of(&text)[0]
            .note
            .is_some_and(|note| note.contains("at most 256 namespaces"))
    );
}

#[test]
fn selectors_that_all_overlap_end_and_say_so() {
    let mut text = String::new();
    for index in 0..24_u32 {
        let labels = json!({ format!("label-{index}"): "yes" });
        text += &selecting(
            "shop",
            &format!("t{index:02}"),
            &labels,
            f64::from(index + 2),
        );
    }
    let plugins = plugins_of(&text);
    assert!(plugins.len() < 300, "{}", plugins.len());
    assert!(
        plugins[1]
            .note
            .is_some_and(|note| note.contains("more selectors overlap"))
    );
}

#[test]
fn selectors_that_do_not_overlap_may_be_many() {
    let text: String = (0..400)
        .map(|index| {
            selecting(
                "shop",
                &format!("t{index:03}"),
                &json!({"app": format!("a{index}")}),
                50.0,
            )
        })
        .collect();
    let plugins = plugins_of(&text);
    assert_eq!(plugins.len(), 401);
    assert!(plugins.iter().all(|plugin| plugin.note.is_none()));
}

#[test]
fn every_plugin_has_a_name_of_its_own_that_kubernetes_takes() {
    let text = [
        selecting("shop", "a", &json!({"app": "Cart.v1"}), 5.0),
        selecting("shop", "b", &json!({"tier": "cart-v1"}), 6.0),
        selecting("shop", "c", &json!({"empty": ""}), 7.0),
    ]
    .concat();
    let names: Vec<_> = plugins_of(&text)
        .into_iter()
        .map(|plugin| plugin.name)
        .collect();
    let mut unique = names.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    for name in &names {
        let is_plain = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        };
        assert!(name.chars().all(is_plain) && !name.ends_with('-'), "{name}");
    }
}

#[test]
fn a_gateway_is_named_and_not_selected() {
    let plugins = plugins_of(
        "kind: Telemetry\nmetadata: {name: t, namespace: shop}\nspec:\n  targetRefs: [{group: gateway.networking.k8s.io, \
         kind: Gateway, name: waypoint}]\n  tracing: [{randomSamplingPercentage: 5}]\n",
    );
    assert_eq!(plugins[1].gateway(), Some("waypoint"));
    assert_eq!(plugins[0].gateway(), None);
}
