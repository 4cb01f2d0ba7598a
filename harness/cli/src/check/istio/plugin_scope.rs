//! The workloads that a plugin is installed at, and its place in their chains ([WasmPlugin]).
//!
//! A plugin in the root namespace is for the whole mesh, any other for its namespace; a selector, `targetRefs` and
//! `match` narrow that. The order of a chain is istiod's (`TrafficExtensionsByListenerInfo`, `sortByPriority` and
//! `ShouldAttachPolicy` of its `pilot/pkg/model`): by phase, then the higher priority, then the workload's own namespace
//! before the root's, then the older. Filters that an EnvoyFilter inserts first come before all of them. Of two copies of
//! the filter the first works.
//!
//! [WasmPlugin]: https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/

use std::cmp::Ordering;
use std::fmt;

use super::resolve::fits;
use super::settings::{GATEWAY_NAME, Labels, Mode, labels, written};
use crate::check::input::document::Document;

/// The workloads that a plugin is installed at, and its place in their chains.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// The kind of the resource.
    pub kind: Installer,
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`; `None` where the resource has none.
    pub namespace: Option<String>,
    /// `metadata.creationTimestamp`; empty in a file that was never applied.
    pub created: String,
    /// `spec.selector.matchLabels`, of an EnvoyFilter `spec.workloadSelector.labels`.
    pub selector: Labels,
    /// `spec.targetRefs`
    pub targets: Vec<Target>,
    /// `spec.match[].mode`, where all entries have the same; `None` for both sides.
    pub mode: Option<Mode>,
    /// True if `spec.match[].ports` narrows it to some ports.
    pub has_ports: bool,
    /// `spec.phase`
    pub phase: Phase,
    /// `spec.priority`; Istio takes the lowest where there is none.
    pub priority: Option<f64>,
}

/// The kinds of resources that install a plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Installer {
    /// `extensions.istio.io` WasmPlugin
    #[default]
    WasmPlugin,
    /// `extensions.istio.io` TrafficExtension
    TrafficExtension,
    /// `networking.istio.io` EnvoyFilter
    EnvoyFilter,
}

impl Installer {
    /// Returns the kind as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::WasmPlugin => "WasmPlugin",
            Self::TrafficExtension => "TrafficExtension",
            Self::EnvoyFilter => "EnvoyFilter",
        }
    }
}

/// One of `spec.targetRefs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `Gateway`, `GatewayClass`, `Service` or `ServiceEntry`.
    pub kind: String,
    /// Name of the target.
    pub name: String,
}

/// The place of a plugin in a chain, first ones first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Inserted in front of all others, by an EnvoyFilter.
    First,
    /// `AUTHN`, before authentication.
    Authn,
    /// `AUTHZ`, before authorization.
    Authz,
    /// `STATS`, before Istio's statistics.
    Stats,
    /// `UNSPECIFIED_PHASE`, behind all of these.
    #[default]
    Unspecified,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::First => "INSERT_FIRST",
            Self::Authn => "AUTHN",
            Self::Authz => "AUTHZ",
            Self::Stats => "STATS",
            Self::Unspecified => "none",
        }
    }
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
        let empty = Document::Null;
        let spec = resource.get("spec").unwrap_or(&empty);
        let text = |value: Option<&Document>| value.and_then(Document::text).map(str::to_owned);
        let modes: Vec<_> = spec
            .items("match")
            .iter()
            .map(|entry| entry.get("mode").and_then(Document::text))
            .collect();
        let only = |mode: &Mode| {
            !modes.is_empty() && modes.iter().all(|found| *found == Some(mode.name()))
        };
        let ports = |entry: &Document| !entry.items("ports").is_empty();
        Self {
            kind: match resource.get("kind").and_then(Document::text) {
                Some("TrafficExtension") => Installer::TrafficExtension,
                _ => Installer::WasmPlugin,
            },
            selector: labels(spec.at(&["selector", "matchLabels"])),
            mode: Mode::ALL.into_iter().find(only),
            has_ports: !modes.is_empty() && spec.items("match").iter().all(ports),
            phase: match spec.get("phase").and_then(Document::text) {
                Some("AUTHN") => Phase::Authn,
                Some("AUTHZ") => Phase::Authz,
                Some("STATS") => Phase::Stats,
                _ => Phase::Unspecified,
            },
            priority: spec.get("priority").and_then(Document::number),
            name: text(resource.at(&["metadata", "name"])).unwrap_or_default(),
            namespace: text(resource.at(&["metadata", "namespace"])),
            created: text(resource.at(&["metadata", "creationTimestamp"])).unwrap_or_default(),
            targets: targets(spec),
        }
    }

    /// Reads the scope of one patch of an EnvoyFilter.
    pub(in crate::check) fn of_patch(resource: &Document, patch: &Document) -> Self {
        let spec = resource.get("spec");
        let context = patch.at(&["match", "context"]).and_then(Document::text);
        let operation = patch.at(&["patch", "operation"]).and_then(Document::text);
        Self {
            kind: Installer::EnvoyFilter,
            selector: labels(spec.and_then(|spec| spec.at(&["workloadSelector", "labels"]))),
            mode: match context {
                Some("SIDECAR_INBOUND") => Some(Mode::Server),
                Some("SIDECAR_OUTBOUND" | "GATEWAY") => Some(Mode::Client),
                _ => None,
            },
            phase: match operation {
                Some("INSERT_FIRST") => Phase::First,
                _ => Phase::Unspecified,
            },
            priority: spec
                .and_then(|spec| spec.get("priority"))
                .and_then(Document::number),
            has_ports: false,
            targets: spec.map(targets).unwrap_or_default(),
            ..Self::of(resource)
        }
    }

    /// Returns true if the plugin is for some workloads of its namespace only.
    pub fn is_narrowed(&self) -> bool {
        !self.selector.is_empty() || !self.targets.is_empty() || self.has_ports
    }

    /// Returns true if the plugin is installed at the spot. An unknown namespace fits any plugin; unknown labels fit
    /// none with a selector, because a selector asks for labels.
    pub fn reaches(&self, root: &str, spot: &Spot<'_>) -> bool {
        let is_own = match (self.namespace.as_deref(), spot.namespace) {
            (None, _) | (_, None) => true,
            (Some(own), Some(there)) => own == there,
        };
        let is_root = self.namespace.as_deref() == Some(root);
        let is_waypoint = spot
            .labels
            .get(GATEWAY_CLASS)
            .is_some_and(|class| class == WAYPOINT);
        let is_target = |target: &Target| match target.kind.as_str() {
            "Gateway" => is_own && spot.labels.get(GATEWAY_NAME) == Some(&target.name),
            "GatewayClass" => is_root && is_waypoint && target.name == WAYPOINT,
            // Which waypoint serves a service cannot be seen from a workload.
            _ => false,
        };
        let is_there = match self.targets.as_slice() {
            [] => (is_own || is_root) && !is_waypoint && fits(&self.selector, spot.labels),
            targets => targets.iter().any(is_target),
        };
        is_there && self.mode.is_none_or(|mode| mode == spot.mode)
    }

    /// Returns the order of two plugins in a chain of a workload in this namespace, and the reason.
    pub fn order(&self, other: &Self, namespace: Option<&str>) -> (Ordering, &'static str) {
        let priority = |scope: &Self| scope.priority.unwrap_or(f64::MIN);
        let is_elsewhere = |scope: &Self| scope.namespace.as_deref() != namespace;
        let age = |scope: &Self| (scope.created.clone(), scope.name.clone());
        let steps = [
            (self.phase.cmp(&other.phase), "phase"),
            (priority(other).total_cmp(&priority(self)), "priority"),
            (is_elsewhere(self).cmp(&is_elsewhere(other)), "namespace"),
            (age(self).cmp(&age(other)), "age"),
        ];
        let deciding = steps.into_iter().find(|(order, _)| order.is_ne());
        deciding.unwrap_or((Ordering::Equal, "age"))
    }

    /// Returns the reason in words why this plugin comes before another in a chain.
    pub(in crate::check) fn precedes(&self, other: &Self, namespace: Option<&str>) -> String {
        match self.order(other, namespace).1 {
            "phase" if self.phase == Phase::First => {
                "an EnvoyFilter inserts it in front of all plugins".into()
            }
            "phase" => format!(
                "its phase is {}, and here {}",
                self.phase.name(),
                other.phase.name()
            ),
            "priority" => format!(
                "its priority is {}, and here {}",
                number(self),
                number(other)
            ),
            "namespace" => {
                "of equal priority, that of the workload's own namespace comes first".into()
            }
            _ => "of equal priority, the older comes first, or the first by name".into(),
        }
    }

    /// Returns the scope in words.
    pub(in crate::check) fn told(&self, root: &str) -> String {
        let place = match self.namespace.as_deref() {
            Some(own) if own != root => Some(format!("namespace {own}")),
            _ => None,
        };
        let labels = (!self.selector.is_empty())
            .then(|| format!("workloads with {}", written(&self.selector)));
        let targets: Vec<_> = self
            .targets
            .iter()
            .map(|target| format!("{} {}", target.kind, target.name))
            .collect();
        let targets = (!targets.is_empty()).then(|| targets.join(" and "));
        let side = self.mode.map(|mode| match mode {
            Mode::Client => "what a workload sends".to_owned(),
            Mode::Server => "what a workload receives".to_owned(),
        });
        let parts = [place, labels, targets, side];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        match parts.as_slice() {
            [] => "workloads, and no waypoint is one".into(),
            parts => parts.join(", "),
        }
    }
}

impl fmt::Display for Scope {
    /// Writes the resource as `kubectl` names it: kind, namespace and name.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.name())?;
        match (&self.namespace, self.name.as_str()) {
            (_, "") => Ok(()),
            (None, name) => write!(formatter, " {name}"),
            (Some(namespace), name) => write!(formatter, " {namespace}/{name}"),
        }
    }
}

/// Returns the index of the plugin that works at the spot: of those installed there, the first in the chain.
pub fn working<'a>(
    scopes: impl Iterator<Item = &'a Scope>,
    root: &str,
    spot: &Spot<'_>,
) -> Option<usize> {
    scopes
        .enumerate()
        .filter(|(_, scope)| scope.reaches(root, spot))
        .min_by(|(_, one), (_, other)| one.order(other, spot.namespace).0)
        .map(|(index, _)| index)
}

fn targets(spec: &Document) -> Vec<Target> {
    let text = |target: &Document, key| target.get(key).and_then(Document::text).map(str::to_owned);
    spec.get("targetRef")
        .into_iter()
        .chain(spec.items("targetRefs"))
        .map(|target| Target {
            kind: text(target, "kind").unwrap_or_default(),
            name: text(target, "name").unwrap_or_default(),
        })
        .collect()
}

fn number(scope: &Scope) -> String {
    scope
        .priority
        .map_or_else(|| "none".into(), |priority| priority.to_string())
}

/// The label of the pods of a gateway that the Gateway API made, with the name of its class.
const GATEWAY_CLASS: &str = "gateway.networking.k8s.io/gateway-class-name";
/// The class of Istio's waypoints.
pub(in crate::check) const WAYPOINT: &str = "istio-waypoint";

#[cfg(test)]
mod tests;
