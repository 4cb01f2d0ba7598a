//! Istio's kinds that are judged, with their versions and schemas.
//!
//! The facts are those of the definitions of Istio 1.31 (istio/api, `kubernetes/customresourcedefinitions.gen.yaml`).

use super::schema::Schema;
use sidespan_core::config::suggest::nearest;

mod common;
mod envoy_filter;
mod extension;
mod telemetry;

use crate::check::input::document::Document;

/// A kind of Istio's resources.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The kind.
    pub name: &'static str,
    /// The API group.
    pub group: &'static str,
    /// The versions that an API server takes.
    pub versions: &'static [&'static str],
    /// Schema of the whole resource.
    pub resource: Schema,
}

/// All kinds that are judged.
pub static KINDS: [Kind; 4] = [
    Kind {
        name: "WasmPlugin",
        group: "extensions.istio.io",
        versions: &["v1alpha1"],
        resource: extension::WASM_PLUGIN,
    },
    Kind {
        name: "TrafficExtension",
        group: "extensions.istio.io",
        versions: &["v1alpha1"],
        resource: extension::TRAFFIC_EXTENSION,
    },
    Kind {
        name: "EnvoyFilter",
        group: "networking.istio.io",
        versions: &["v1alpha3"],
        resource: envoy_filter::ENVOY_FILTER,
    },
    Kind {
        name: "Telemetry",
        group: "telemetry.istio.io",
        versions: &["v1", "v1alpha1"],
        resource: telemetry::TELEMETRY,
    },
];

impl Kind {
    /// Returns the kind of a resource: of its name, or, in Istio's group, of a name that is nearly the same.
    pub(in crate::check) fn of(resource: &Document) -> Option<&'static Self> {
        let name = resource.get("kind")?.text()?;
        // Others name a resource by its kind, such as `ownerReferences`, and are none.
        resource.get("spec").or_else(|| resource.get("metadata"))?;
        if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
            return Some(kind);
        }
        // A list of a kind holds resources and is none itself.
        let group = group(resource).filter(|_| !name.ends_with("List"))?;
        let mut own = KINDS.iter().filter(|kind| kind.group == group);
        own.find(|kind| nearest(name, &[kind.name]).is_some())
    }

    /// Returns the API versions that an API server takes, in words.
    pub(super) fn api_versions(&self) -> String {
        let versions: Vec<_> = self
            .versions
            .iter()
            .map(|version| format!("{}/{version}", self.group))
            .collect();
        versions.join(" or ")
    }
}

/// Returns the API group of a resource that has one.
fn group(resource: &Document) -> Option<&str> {
    let (group, _) = resource.get("apiVersion")?.text()?.split_once('/')?;
    Some(group)
}

/// Returns the API group of another product, whose resource has the name of a kind of Istio's.
pub(in crate::check) fn foreign_group(resource: &Document) -> Option<&str> {
    group(resource).filter(|group| !group.to_ascii_lowercase().contains("istio"))
}
