//! The filter's percentages against a second resolution of Istio's settings, written from Istio's documentation.
//!
//! The second resolution goes the other way round: for each field it looks for the most specific place that sets it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};
use sidespan_core::config::Config;

use super::Plugin;
use crate::check::input::document::Document;
use crate::check::istio::settings::{Mode, Settings};
use crate::check::istio::summary::Summary;

const ROOT: &str = "mesh-root";
const NAMESPACES: [&str; 3] = [ROOT, "payments", "shop"];

/// A generator of random settings: the linear congruential generator of Knuth's books is good enough for that.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    fn labels(&mut self) -> Value {
        let mut labels = json!({});
        for (name, values) in [
            ("app", ["cart", "web"]),
            ("tier", ["1", "2"]),
            ("canary", ["yes", "no"]),
        ] {
            if self.below(3) == 0 {
                labels[name] = self.one_of(&values).into();
            }
        }
        labels
    }

    fn telemetry(&mut self, index: usize) -> Value {
        let entries: Vec<_> = (0..self.below(3)).map(|_| self.entry()).collect();
        let mut resource = json!({
            "kind": "Telemetry",
            "metadata": {"name": format!("t{index}"), "namespace": self.one_of(&NAMESPACES)},
            "spec": {"tracing": entries, "selector": {"matchLabels": self.labels()}}
        });
        if self.below(2) == 0 {
            resource["metadata"]["creationTimestamp"] =
                format!("2026-01-0{}T00:00:00Z", 1 + self.below(9)).into();
        }
        resource
    }

    fn entry(&mut self) -> Value {
        let mut entry = json!({});
        if let Some(mode) = self.one_of(&[
            None,
            None,
            Some("CLIENT"),
            Some("SERVER"),
            Some("CLIENT_AND_SERVER"),
        ]) {
            entry["match"] = json!({ "mode": mode });
        }
        if self.below(3) > 0 {
            entry["randomSamplingPercentage"] =
                self.one_of(&[0.0, 0.01, 1.0, 12.5, 50.0, 100.0]).into();
        }
        if self.below(5) == 0 {
            entry["disableSpanReporting"] = (self.below(3) > 0).into();
        }
        entry
    }
}

/// Istio's settings, resolved as Istio's documentation says.
struct Documented<'a> {
    telemetries: Vec<&'a Value>,
    sampling: Option<f64>,
    pilot: Option<f64>,
    // The namespace of the Deployment below, and what the annotation of its pods says.
    annotated: Option<(&'static str, f64)>,
}

/// Labels of the pods of the only Deployment.
const ONLY: [(&str, &str); 3] = [("app", "cart"), ("tier", "2"), ("canary", "no")];

impl Documented<'_> {
    /// Returns all entries for this side, the most specific first.
    fn places(&self, namespace: &str, labels: &Value, side: &str) -> Vec<&Value> {
        let selector = |resource: &Value| {
            resource["spec"]["selector"]["matchLabels"]
                .as_object()
                .unwrap()
                .clone()
        };
        let of = |wanted: &str| {
            let mut list: Vec<_> = self
                .telemetries
                .iter()
                .copied()
                .filter(|resource| resource["metadata"]["namespace"] == wanted)
                .collect();
            let age = |resource: &Value| {
                let of = |key: &str| resource["metadata"][key].as_str().unwrap_or("").to_owned();
                (of("creationTimestamp"), of("name"))
            };
            list.sort_by_key(|resource| age(resource));
            list
        };
        let mut places = Vec::new();
        let picked = |resource: &&Value| {
            let asked = selector(resource);
            !asked.is_empty()
                && asked
                    .iter()
                    .all(|(name, value)| labels.get(name) == Some(value))
        };
        places.extend(of(namespace).into_iter().filter(picked).rev());
        places.extend(
            of(namespace)
                .into_iter()
                .find(|resource| selector(resource).is_empty()),
        );
        if namespace != ROOT {
            places.extend(
                of(ROOT)
                    .into_iter()
                    .find(|resource| selector(resource).is_empty()),
            );
        }
        let entries = places
            .into_iter()
            .flat_map(|resource| resource["spec"]["tracing"].as_array().unwrap().iter().rev());
        entries
            .filter(|entry| {
                let mode = entry["match"]["mode"]
                    .as_str()
                    .unwrap_or("CLIENT_AND_SERVER");
                mode == "CLIENT_AND_SERVER" || mode == side
            })
            .collect()
    }

    fn is_disabled(&self, namespace: &str, labels: &Value, side: &str) -> bool {
        let mut places = self.places(namespace, labels, side).into_iter();
        places
            .find_map(|entry| entry["disableSpanReporting"].as_bool())
            .unwrap_or(false)
    }

    fn percentage(&self, namespace: &str, labels: &Value, side: &str) -> f64 {
        let mut places = self.places(namespace, labels, side).into_iter();
        let set = places.find_map(|entry| entry["randomSamplingPercentage"].as_f64());
        let is_its_pod = ONLY.iter().all(|(name, value)| labels[name] == *value);
        let own = self
            .annotated
            .filter(|(there, _)| is_its_pod && *there == namespace)
            .map(|(_, sampling)| sampling);
        set.or(own)
            .or(self.sampling.filter(|sampling| *sampling != 0.0))
            .or(self.pilot)
            .unwrap_or(1.0)
    }
}

/// Returns the filter's percentage with the plugins that Istio installs into one chain: the first copy works.
fn given(plugins: &[Plugin], namespace: &str, labels: &Value, side: Mode) -> f64 {
    let in_chain = plugins.iter().filter(|plugin| {
        let is_here = plugin.namespace == namespace
            || (plugin.namespace == ROOT && plugin.selector.is_empty());
        let is_picked = plugin
            .selector
            .iter()
            .all(|(name, value)| labels[name] == value.as_str());
        is_here && is_picked && plugin.mode.is_none_or(|mode| mode == side.name())
    });
    let highest = in_chain
        .clone()
        .map(|plugin| plugin.priority)
        .max()
        .expect("a plugin everywhere");
    let mut percentages: Vec<_> = in_chain
        .filter(|plugin| plugin.priority == highest)
        .map(|plugin| {
            let text = json!({ "sampling": plugin.sampling }).to_string();
            let config = Config::parse(text.as_bytes()).expect("a valid configuration");
            let sampling = config.sampling.expect("percentages");
            sampling
                .entry_for(Some(namespace))
                .map_or(sampling.percentage, |(_, percentage)| *percentage)
        })
        .collect();
    percentages.dedup();
    assert_eq!(percentages.len(), 1, "two plugins of one priority disagree");
    percentages[0]
}

fn workloads() -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for namespace in NAMESPACES.into_iter().chain(["nobody-names-it"]) {
        for app in [None, Some("cart"), Some("web")] {
            for tier in [None, Some("1"), Some("2")] {
                for canary in [None, Some("yes"), Some("no")] {
                    let mut labels = json!({"other": "label"});
                    for (name, value) in [("app", app), ("tier", tier), ("canary", canary)] {
                        if let Some(value) = value {
                            labels[name] = value.into();
                        }
                    }
                    all.push((namespace, labels));
                }
            }
        }
    }
    all
}

#[test]
fn every_workload_gets_the_percentage_that_istio_gives_it() {
    let workloads = workloads();
    let (mut with_sides, mut with_overlaps, mut with_off) = (0, 0, 0);
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let count = dice.below(9);
        let telemetries: Vec<_> = (0..count).map(|index| dice.telemetry(index)).collect();
        let sampling = dice.one_of(&[None, Some(0.0), Some(5.0)]);
        let pilot = dice.one_of(&[None, Some(2.0)]);
        let mut mesh = json!({"rootNamespace": ROOT});
        if let Some(sampling) = sampling {
            mesh["defaultConfig"]["tracing"]["sampling"] = sampling.into();
        }
        let mut text = format!("{mesh}\n");
        for telemetry in &telemetries {
            writeln!(text, "---\n{telemetry}").unwrap();
        }
        if let Some(pilot) = pilot {
            writeln!(text, "---\n{}", json!({"pilot": {"traceSampling": pilot}})).unwrap();
        }
        let annotated = dice.one_of(&[
            None,
            Some((NAMESPACES[1], 33.0)),
            Some((NAMESPACES[2], 5.0)),
        ]);
        if let Some((namespace, sampling)) = annotated {
            let deployment = json!({
                "kind": "Deployment",
                "metadata": {"name": "only", "namespace": namespace},
                "spec": {
                    "selector": {"matchLabels": ONLY.iter().copied().collect::<BTreeMap<_, _>>()},
                    "template": {"metadata": {"annotations": {
                        "proxy.istio.io/config": format!("tracing:\n  sampling: {sampling}\n")
                    }}}
                }
            });
            writeln!(text, "---\n{deployment}").unwrap();
        }
        let mut settings = Settings::default();
        for (index, tree) in Document::parse("generated.yaml", &text)
            .expect("YAML")
            .iter()
            .enumerate()
        {
            settings.read(0, index + 1, tree);
        }
        let summary = Summary::of(&settings).expect("Istio's settings");
        let documented = Documented {
            telemetries: telemetries.iter().collect(),
            sampling,
            pilot,
            annotated,
        };
        // Off everywhere is no wish for 0 %.
        let none_runs = workloads.iter().all(|(namespace, labels)| {
            ["CLIENT", "SERVER"]
                .iter()
                .all(|side| documented.is_disabled(namespace, labels, side))
        });
        with_off += usize::from(none_runs);
        with_sides += usize::from(summary.plugins.iter().any(|plugin| plugin.mode.is_some()));
        with_overlaps += usize::from(
            summary
                .plugins
                .iter()
                .any(|plugin| plugin.selector.len() > 2),
        );
        for (namespace, labels) in &workloads {
            for mode in Mode::ALL {
                let side = mode.name();
                let expected = match documented.is_disabled(namespace, labels, side) && !none_runs {
                    true => 0.0,
                    false => documented.percentage(namespace, labels, side),
                };
                let given = given(&summary.plugins, namespace, labels, mode);
                assert!(
                    given.total_cmp(&expected).is_eq(),
                    "{given} and not {expected}: seed {seed}, {side} of {labels} in {namespace}\n{text}\n{:#?}",
                    summary.plugins
                );
            }
        }
    }
    assert!(
        with_sides > 50 && with_overlaps > 20 && with_off > 2,
        "{with_sides} {with_overlaps} {with_off}"
    );
}

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
