//! The workloads that Istio installs a plugin at, and the copy that works of several in one chain ([WasmPlugin]).
//!
//! A plugin in the root namespace is for the whole mesh, any other for its namespace; a selector and `match.mode`
//! narrow that. Of two copies in one chain the first works, and Istio puts the higher `priority` first.
//!
//! [WasmPlugin]: https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/

use super::resolve::fits;
use super::settings::{GATEWAY_NAME, Labels, Mode, written};
use crate::check::input::document::Document;

/// The workloads that a plugin is installed at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// `metadata.namespace`; `None` where the resource has none.
    pub namespace: Option<String>,
    /// `spec.selector.matchLabels`, or the label of the gateway that `targetRefs` names.
    pub selector: Labels,
    /// `spec.match[].mode`, where all entries have the same; `None` for both sides.
    pub mode: Option<Mode>,
    /// `spec.priority`; Istio takes the lowest where there is none.
    pub priority: Option<f64>,
}

/// A side of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// Namespace of the workload; `None` where it is unknown.
    pub namespace: Option<&'a str>,
    /// Labels of the workload's pods.
    pub labels: &'a Labels,
    /// Client or server side.
    pub mode: Mode,
}

impl Scope {
    /// Reads the scope of a WasmPlugin or a TrafficExtension.
    pub(in crate::check) fn of(resource: &Document) -> Self {
        let namespace = resource
            .at(&["metadata", "namespace"])
            .and_then(Document::text);
        let Some(spec) = resource.get("spec") else {
            return Self::default();
        };
        let gateway = spec.items("targetRefs").iter().find_map(|target| {
            let is_gateway = target.get("kind").and_then(Document::text) == Some("Gateway");
            target.get("name").filter(|_| is_gateway)?.text()
        });
        let selector = match (gateway, spec.at(&["selector", "matchLabels"])) {
            (Some(name), _) => Labels::from([(GATEWAY_NAME.into(), name.into())]),
            (None, Some(Document::Object(pairs))) => pairs
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.text()?.to_owned())))
                .collect(),
            _ => Labels::new(),
        };
        let modes: Vec<_> = spec
            .items("match")
            .iter()
            .map(|entry| entry.get("mode").and_then(Document::text))
            .collect();
        let only = |mode: &Mode| {
            !modes.is_empty() && modes.iter().all(|found| *found == Some(mode.name()))
        };
        Self {
            namespace: namespace.map(Into::into),
            selector,
            mode: Mode::ALL.into_iter().find(only),
            priority: spec.get("priority").and_then(Document::number),
        }
    }

    /// Returns true if the plugin is installed at the spot. An unknown namespace fits any plugin; unknown labels fit
    /// none with a selector, because a selector asks for labels.
    pub fn reaches(&self, root: &str, spot: &Spot<'_>) -> bool {
        let is_there = match (self.namespace.as_deref(), spot.namespace) {
            (None, _) | (_, None) => true,
            (Some(own), Some(there)) => own == root || own == there,
        };
        is_there
            && fits(&self.selector, spot.labels)
            && self.mode.is_none_or(|mode| mode == spot.mode)
    }

    /// Returns the scope in words.
    pub(in crate::check) fn told(&self, root: &str) -> String {
        let place = match self.namespace.as_deref() {
            Some(own) if own != root => Some(format!("namespace {own}")),
            _ => None,
        };
        let labels = (!self.selector.is_empty())
            .then(|| format!("workloads with {}", written(&self.selector)));
        let side = self.mode.map(|mode| match mode {
            Mode::Client => "what a workload sends".to_owned(),
            Mode::Server => "what a workload receives".to_owned(),
        });
        let parts: Vec<_> = place.into_iter().chain(labels).chain(side).collect();
        parts.join(", ")
    }
}

/// Returns the index of the plugin that works at the spot: of those installed there, the first with the highest
/// priority.
pub fn working<'a>(
    scopes: impl Iterator<Item = &'a Scope>,
    root: &str,
    spot: &Spot<'_>,
) -> Option<usize> {
    let rank = |scope: &Scope| scope.priority.unwrap_or(f64::MIN);
    let mut best: Option<(usize, f64)> = None;
    for (index, scope) in scopes.enumerate() {
        let is_better = best.is_none_or(|(_, highest)| rank(scope) > highest);
        if scope.reaches(root, spot) && is_better {
            best = Some((index, rank(scope)));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests;
