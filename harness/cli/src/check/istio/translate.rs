//! Istio's settings as configurations of the filter: one for the mesh, and a WasmPlugin with a selector for each group
//! of workloads that differs from its namespace.
//!
//! The first of two copies of the filter in one chain works, and Istio sorts the copies of one phase by priority. The
//! plugin for a selector therefore has a higher priority than the mesh's, and where selectors overlap, the plugin for
//! both labels has the highest. Where the two sides of a workload differ, `match.mode` makes two plugins of one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::resolve::{Istio, Side};
use super::settings::{GATEWAY_NAME, Labels, Mode, Settings};

mod groups;

pub(super) use groups::Groups;

use groups::{differing, is_same};

/// The sampling part of a WasmPlugin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plugin {
    /// `metadata.name` and `spec.pluginName`; the names differ because copies find each other only under different
    /// ones.
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `spec.selector.matchLabels`; empty for all.
    pub selector: Labels,
    /// `spec.match[0].mode`, where the sides differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<&'static str>,
    /// `spec.phase`, without which the filter would stand behind authentication, authorization and statistics.
    pub phase: &'static str,
    /// `spec.priority`
    pub priority: usize,
    /// `spec.failStrategy`, without which a registry that is down takes the traffic down.
    #[serde(rename = "failStrategy")]
    pub fail_strategy: &'static str,
    /// `spec.pluginConfig.sampling`
    pub sampling: Percentages,
    /// A remark for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// `sampling.percentage` and `sampling.namespaces`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Percentages {
    /// Percentage of all other namespaces.
    pub percentage: f64,
    /// Percentages by namespace.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, f64>,
}

impl Percentages {
    fn all(percentage: f64) -> Self {
        Self {
            percentage,
            namespaces: BTreeMap::new(),
        }
    }
}

impl Default for Plugin {
    fn default() -> Self {
        Self {
            name: String::new(),
            namespace: String::new(),
            selector: Labels::new(),
            mode: None,
            phase: "AUTHN",
            priority: PRIORITY,
            fail_strategy: "FAIL_OPEN",
            sampling: Percentages::default(),
            note: None,
        }
    }
}

impl Plugin {
    /// Returns the gateway or waypoint that the plugin is for, if there is one.
    pub fn gateway(&self) -> Option<&str> {
        let name = self.selector.get(GATEWAY_NAME)?;
        (self.selector.len() == 1).then_some(name)
    }
}

/// Returns the plugins that give every workload Istio's percentage.
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
        note: whole
            .iter()
            .any(|side| side.namespaces.len() > MAX_NAMESPACES)
            .then_some(MANY),
        ..Plugin::default()
    };
    let [client, server] = whole;
    if client == server {
        plugins.push(of_side(&mesh, None, client));
    } else {
        plugins.push(of_side(&mesh, Some(Mode::Client), client));
        plugins.push(of_side(&mesh, Some(Mode::Server), server));
    }
    for (namespace, selectors) in &groups.selectors {
        for (rank, labels, own) in differing(selectors, |labels, mode| {
            rate(Some(namespace), labels, mode)
        }) {
            let plugin = Plugin {
                name: name(labels, namespace, &plugins),
                namespace: namespace.clone(),
                selector: labels.clone(),
                priority: PRIORITY + rank,
                note: match namespace == istio.root() {
                    true => Some(IN_ROOT),
                    false => groups.is_cut.then_some(CUT),
                },
                ..Plugin::default()
            };
            for (mode, percentage) in own {
                plugins.push(of_side(&plugin, mode, Percentages::all(percentage)));
            }
        }
    }
    plugins
}

/// Returns true if Istio traces nowhere at all. That is no wish for 0 %, because installing the filter means to turn
/// Istio's tracer off.
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

/// Returns the percentage for the filter.
pub(super) fn rate(side: &Side<'_>, is_off: bool) -> f64 {
    if side.disabled && !is_off {
        0.0
    } else {
        side.percentage
    }
}

/// Returns the plugin for one side, or for both.
fn of_side(plugin: &Plugin, mode: Option<Mode>, sampling: Percentages) -> Plugin {
    let name = match mode {
        Some(mode) => format!("{}-{}", plugin.name, mode.name().to_ascii_lowercase()),
        None => plugin.name.clone(),
    };
    Plugin {
        name,
        mode: mode.map(Mode::name),
        sampling,
        ..plugin.clone()
    }
}

/// Returns a name for a resource, made of the values of labels, that no other plugin of the namespace has.
fn name(labels: &Labels, namespace: &str, plugins: &[Plugin]) -> String {
    let plain = |character: char| match character.to_ascii_lowercase() {
        character if character.is_ascii_alphanumeric() => character,
        _ => '-',
    };
    let values = labels
        .values()
        .map(|value| value.chars().map(plain).collect());
    let words: Vec<String> = ["sidespan".to_owned()].into_iter().chain(values).collect();
    let name = words.join("-").trim_end_matches('-').to_owned();
    // The prefix also covers the names of plugins for one side.
    let is_taken = plugins
        .iter()
        .any(|plugin| plugin.namespace == namespace && plugin.name.starts_with(&name));
    match is_taken {
        true => format!("{name}-{}", plugins.len()),
        false => name,
    }
}

/// The priority in `istio/base/wasmplugin.yaml`.
const PRIORITY: usize = 1000;
const CUT: &str = "more selectors overlap than were looked at; workloads that several select may get another percentage";
/// The filter's limit of namespaces in a configuration.
const MAX_NAMESPACES: usize = 256;
const MANY: &str =
    "the filter takes at most 256 namespaces; join some of them by a pattern such as \"team-*\"";
const IN_ROOT: &str = "in the root namespace a WasmPlugin with a selector reaches every namespace, and a Telemetry only this \
    one; take a label that no workload elsewhere has";

#[cfg(test)]
mod tests;
