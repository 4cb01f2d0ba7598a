//! What else says how much is traced: Istio's resources and OpenTelemetry's settings, collected from all files.
//!
//! | kind | what is read |
//! |---|---|
//! | `Telemetry` | `spec.tracing` |
//! | `ConfigMap` `istio`, `IstioOperator`, `Istio`, Helm values, `MeshConfig` by itself | the mesh |
//! | `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `CronJob`, `Pod` | labels, environment, `proxy.istio.io/config` |
//! | `Instrumentation` | the OpenTelemetry Operator's sampler |
//! | lines `OTEL_…=…` | OpenTelemetry's environment variables |

use std::collections::BTreeMap;

use super::document::Document;

pub mod mesh;
pub mod sampler;
pub mod telemetry;
pub mod variables;
pub mod workload;

pub use mesh::{Mesh, Pilot};
pub use sampler::Sampler;
pub use telemetry::{Mode, Telemetry, Tracing};
pub use workload::Workload;

/// Labels of a workload, or those that a selector asks for.
pub type Labels = BTreeMap<String, String>;

/// Where something stands, and what people call it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which file, counted from 0.
    pub file: usize,
    /// Which document of the file, counted from 1.
    pub document: usize,
    /// JSON path in that document.
    pub path: String,
    /// `Telemetry shop/cart`
    pub name: String,
}

impl Place {
    /// The same thing, at a key below.
    pub fn at(&self, below: &str) -> Self {
        Self {
            path: format!("{}{below}", self.path),
            ..self.clone()
        }
    }

    fn named(self, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            name: format!("{kind} {namespace}/{name}"),
            ..self
        }
    }
}

/// How much a sentence weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It will be refused.
    Error,
    /// It works, but hardly as meant.
    Warning,
    /// It was not read.
    Skipped,
}

/// One sentence about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether it is an error.
    pub weight: Weight,
    /// What it is about.
    pub place: Place,
    /// The sentence.
    pub message: String,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Telemetry resources.
    pub telemetries: Vec<Telemetry>,
    /// Meshes; there should be one.
    pub meshes: Vec<Mesh>,
    /// `PILOT_TRACE_SAMPLING`, wherever it is set.
    pub pilots: Vec<Pilot>,
    /// What runs.
    pub workloads: Vec<Workload>,
    /// The samplers of OpenTelemetry's SDKs.
    pub samplers: Vec<Sampler>,
    /// What is wrong with them by themselves.
    pub notes: Vec<Note>,
}

impl Settings {
    /// Reads one document, and tells how many settings are in it.
    pub fn read(&mut self, file: usize, document: usize, tree: &Document) -> usize {
        let before = self.count();
        self.visit(
            Place {
                file,
                document,
                path: "$".into(),
                name: String::new(),
            },
            tree,
        );
        self.count() - before
    }

    /// Whether anything says what Istio does.
    pub fn has_istio(&self) -> bool {
        !self.telemetries.is_empty() || !self.meshes.is_empty() || !self.pilots.is_empty()
    }

    fn count(&self) -> usize {
        self.telemetries.len()
            + self.meshes.len()
            + self.pilots.len()
            + self.workloads.len()
            + self.samplers.len()
    }

    fn visit(&mut self, place: Place, tree: &Document) {
        let kind = tree
            .get("kind")
            .and_then(Document::text)
            .unwrap_or_default();
        match kind {
            "Telemetry" => telemetry::read(self, place, tree),
            "ConfigMap" => {
                mesh::config_map(self, place.clone(), tree);
                sampler::config_map(self, place, tree);
            }
            "IstioOperator" | "Istio" | "IstioRevision" => mesh::operator(self, place, tree),
            "Instrumentation" => sampler::instrumentation(self, place, tree),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                workload::read(self, place, kind, tree, &["spec", "template"]);
            }
            "CronJob" => {
                let template = ["spec", "jobTemplate", "spec", "template"];
                workload::read(self, place, kind, tree, &template);
            }
            "Pod" => workload::read(self, place, kind, tree, &[]),
            "" => mesh::bare(self, place, tree),
            kind if kind.ends_with("List") => {
                for (index, item) in tree.items("items").iter().enumerate() {
                    self.visit(place.at(&format!(".items[{index}]")), item);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, weight: Weight, place: Place, message: impl Into<String>) {
        self.notes.push(Note {
            weight,
            place,
            message: message.into(),
        });
    }

    /// Reads a percentage of Istio's, and notes what is none.
    fn percentage(&mut self, place: &Place, value: Option<&Document>) -> Option<f64> {
        let value = value.filter(|value| **value != Document::Null)?;
        let number = value.number();
        let found = number.filter(|percentage| (0.0..=100.0).contains(percentage));
        if found.is_none() {
            self.note(
                Weight::Error,
                place.clone(),
                format!(
                    "expected a percentage from 0 to 100, found {}; Istio refuses it",
                    value.to_json()
                ),
            );
        }
        found
    }
}

/// A document's name and namespace; what says no namespace goes into the one of whoever applies it.
fn identity(tree: &Document) -> (String, String) {
    let of = |key: &str, other: &str| {
        let text = tree.at(&["metadata", key]).and_then(Document::text);
        text.unwrap_or(other).to_owned()
    };
    (of("namespace", "default"), of("name", "(unnamed)"))
}

/// An object of texts.
fn labels(tree: Option<&Document>) -> Labels {
    let Some(Document::Object(pairs)) = tree else {
        return Labels::new();
    };
    pairs
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.text()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests;
