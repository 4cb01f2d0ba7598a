//! Istio's settings in the words of the filter: one configuration for the mesh, and a WasmPlugin with a selector for each
//! group of workloads that differs from its namespace.
//!
//! A chain with two copies of the filter has the first one at work, and Istio sorts them by priority: so the plugin for a
//! selector has a higher one than the mesh's, and where selectors overlap, the plugin for both labels has the highest.
//! Where the two sides of a workload differ, `match.mode` makes two plugins of one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::resolve::{Istio, Side, fits};
use super::settings::{Labels, Mode, Settings, telemetry::GATEWAY_NAME};

/// A WasmPlugin, as far as it is about sampling.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Plugin {
    /// `metadata.name` and `spec.pluginName`; copies find each other only under different ones.
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `spec.selector.matchLabels`; empty for all.
    pub selector: Labels,
    /// `spec.match[0].mode`, where the sides differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<&'static str>,
    /// `spec.priority`
    pub priority: usize,
    /// `spec.pluginConfig.sampling`
    pub sampling: Percentages,
    /// What has to be known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// `percentage` and `namespaces`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Percentages {
    /// For all others.
    pub percentage: f64,
    /// By namespace.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, f64>,
}

impl Plugin {
    /// The gateway or waypoint that it is for, if it is for one.
    pub fn gateway(&self) -> Option<&str> {
        let name = self.selector.get(GATEWAY_NAME)?;
        (self.selector.len() == 1).then_some(name)
    }
}

/// What of Istio's settings asks for an entry of its own.
pub(super) struct Groups {
    /// Namespaces that something names.
    pub(super) namespaces: BTreeSet<String>,
    /// Selectors and their overlaps, by namespace.
    pub(super) selectors: BTreeMap<String, BTreeSet<Labels>>,
    /// There are too many overlaps to look at them all.
    pub(super) is_cut: bool,
}

impl Groups {
    pub(super) fn of(settings: &Settings) -> Self {
        let telemetries = settings
            .telemetries
            .iter()
            .map(|telemetry| &telemetry.namespace);
        let workloads = settings
            .workloads
            .iter()
            .map(|workload| &workload.namespace);
        let mut selectors = BTreeMap::<String, BTreeSet<Labels>>::new();
        let mut is_cut = false;
        let selected = settings
            .telemetries
            .iter()
            .filter_map(|telemetry| Some((&telemetry.namespace, telemetry.selector.as_ref()?)));
        let annotated = settings
            .workloads
            .iter()
            .filter(|workload| workload.sampling.is_some() && !workload.selector.is_empty())
            .map(|workload| (&workload.namespace, &workload.selector));
        for (namespace, selector) in selected.chain(annotated) {
            let known = selectors.entry(namespace.clone()).or_default();
            let unions: Vec<_> = known
                .iter()
                .filter_map(|other| union(selector, other))
                .collect();
            known.insert(selector.clone());
            if known.len() + unions.len() > MAX_GROUPS {
                is_cut = true;
            } else {
                known.extend(unions);
            }
        }
        Self {
            namespaces: telemetries.chain(workloads).cloned().collect(),
            selectors,
            is_cut,
        }
    }
}

/// The plugins that give every workload what Istio gives it.
pub fn plugins(istio: &Istio<'_>, settings: &Settings) -> Vec<Plugin> {
    let groups = Groups::of(settings);
    let none = Labels::new();
    let is_off = is_off(istio, &groups);
    let rate = |namespace: Option<&str>, labels: &Labels, mode: Mode| {
        rate(&istio.side(namespace, labels, mode), is_off)
    };
    let mut plugins = Vec::new();
    let whole = Mode::ALL.map(|mode| {
        let percentage = rate(None, &none, mode);
        let namespaces = groups.namespaces.iter().filter_map(|namespace| {
            let own = rate(Some(namespace), &none, mode);
            (!is_same(own, percentage)).then(|| (namespace.clone(), own))
        });
        Percentages {
            percentage,
            namespaces: namespaces.collect(),
        }
    });
    let mesh = Plugin {
        name: "sidespan".into(),
        namespace: istio.root().into(),
        priority: PRIORITY,
        ..Plugin::default()
    };
    sides(mesh, whole, &mut plugins);
    for (namespace, selectors) in &groups.selectors {
        let mut kept: Vec<(usize, &Labels, [f64; 2])> = Vec::new();
        let mut ranked: Vec<_> = selectors
            .iter()
            .map(|labels| (rank(selectors, labels), labels))
            .collect();
        ranked.sort();
        for (rank, labels) in ranked {
            let own = Mode::ALL.map(|mode| rate(Some(namespace), labels, mode));
            let below = kept.iter().filter(|(_, other, _)| fits(other, labels));
            let highest = below.clone().map(|(rank, ..)| *rank).max();
            let beneath: Vec<_> = match highest {
                Some(highest) => below
                    .filter(|(rank, ..)| *rank == highest)
                    .map(|(.., rates)| *rates)
                    .collect(),
                None => vec![Mode::ALL.map(|mode| rate(Some(namespace), &none, mode))],
            };
            let is_needed = beneath.iter().any(|other| {
                other
                    .iter()
                    .zip(own)
                    .any(|(other, own)| !is_same(*other, own))
            });
            if !is_needed {
                continue;
            }
            kept.push((rank, labels, own));
            let taken = plugins
                .iter()
                .filter(|plugin| plugin.namespace == *namespace)
                .count();
            let plugin = Plugin {
                name: name(labels, taken),
                namespace: namespace.clone(),
                selector: labels.clone(),
                priority: PRIORITY + rank,
                note: match namespace == istio.root() {
                    true => Some(IN_ROOT),
                    false => groups.is_cut.then_some(CUT),
                },
                ..Plugin::default()
            };
            let both = own.map(|percentage| Percentages {
                percentage,
                namespaces: BTreeMap::new(),
            });
            sides(plugin, both, &mut plugins);
        }
    }
    plugins
}

/// Where Istio traces nowhere at all, that is not a wish for 0 %: it is what has to be done for the filter.
pub(super) fn is_off(istio: &Istio<'_>, groups: &Groups) -> bool {
    let none = Labels::new();
    let namespaces = groups
        .namespaces
        .iter()
        .map(|namespace| (Some(namespace.as_str()), &none));
    let selected = groups.selectors.iter().flat_map(|(namespace, selectors)| {
        selectors
            .iter()
            .map(move |labels| (Some(namespace.as_str()), labels))
    });
    let mut all = [(None, &none)]
        .into_iter()
        .chain(namespaces)
        .chain(selected);
    all.all(|(namespace, labels)| {
        Mode::ALL
            .iter()
            .all(|mode| istio.side(namespace, labels, *mode).disabled)
    })
}

/// The percentage that is wanted of the filter.
pub(super) fn rate(side: &Side<'_>, is_off: bool) -> f64 {
    if side.disabled && !is_off {
        0.0
    } else {
        side.percentage
    }
}

/// One plugin, or one for each side.
fn sides(plugin: Plugin, [client, server]: [Percentages; 2], plugins: &mut Vec<Plugin>) {
    if client == server {
        return plugins.push(Plugin {
            sampling: client,
            ..plugin
        });
    }
    for (mode, sampling) in Mode::ALL.into_iter().zip([client, server]) {
        plugins.push(Plugin {
            name: format!("{}-{}", plugin.name, mode.name().to_ascii_lowercase()),
            mode: Some(mode.name()),
            sampling,
            ..plugin.clone()
        });
    }
}

/// How many selectors fit: of two sets of labels of which one holds the other, the larger has more.
fn rank(selectors: &BTreeSet<Labels>, labels: &Labels) -> usize {
    selectors
        .iter()
        .filter(|selector| fits(selector, labels))
        .count()
}

/// All labels of both; `None` where no workload can have them all.
fn union(one: &Labels, other: &Labels) -> Option<Labels> {
    let mut all = one.clone();
    for (name, value) in other {
        if all
            .insert(name.clone(), value.clone())
            .is_some_and(|had| had != *value)
        {
            return None;
        }
    }
    Some(all)
}

/// A name for a resource, out of the values of labels and the number of those before it, which makes it the only one.
fn name(labels: &Labels, taken: usize) -> String {
    let plain = |character: char| match character.to_ascii_lowercase() {
        character if character.is_ascii_alphanumeric() => character,
        _ => '-',
    };
    let values = labels
        .values()
        .map(|value| value.chars().map(plain).collect::<String>());
    let words = ["sidespan".to_owned()]
        .into_iter()
        .chain(values)
        .chain([(taken + 1).to_string()]);
    words.collect::<Vec<_>>().join("-")
}

fn is_same(one: f64, other: f64) -> bool {
    one.total_cmp(&other).is_eq()
}

/// What `istio/wasmplugin.yaml` has.
const PRIORITY: usize = 1000;
/// In one namespace; selectors overlap in few labels, or this is a game.
const MAX_GROUPS: usize = 256;
const CUT: &str = "more selectors overlap than were looked at; workloads that several select may get another percentage";
const IN_ROOT: &str = "in the root namespace a WasmPlugin with a selector reaches every namespace, and a Telemetry only this \
    one; take a label that no workload elsewhere has";
