//! Sampling settings of others: Istio's resources and OpenTelemetry's settings, collected from all files.
//!
//! | kind | part that is read |
//! |---|---|
//! | `Telemetry` | `spec.tracing` |
//! | `ConfigMap` `istio`, `IstioOperator`, `Istio`, Helm values, `MeshConfig` by itself | the mesh |
//! | `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `CronJob`, `Pod` | labels, environment, `proxy.istio.io/config` |
//! | `Instrumentation` | the OpenTelemetry Operator's sampler and propagators |
//! | lines `OTEL_…=…` | OpenTelemetry's environment variables |
//! | `WasmPlugin`, `TrafficExtension`, `EnvoyExtensionPolicy` | the image of Sidespan's plugin |

mod chart;
mod collected;
pub mod env_file;
mod image;
mod mesh;
mod pilot;
mod place;
mod propagators;
mod sdk_sampler;
mod service;
mod telemetry;
mod variables;
mod workload;

pub use collected::{
    Mesh, Mode, Pilot, Propagators, Provider, ProxyTracing, Sampler, Settings, Telemetry, Tracing,
    Workload,
};
pub use image::ImageSource;
pub use place::{GATEWAY_NAME, Labels, Note, Place, Weight};
pub(in crate::check) use place::{labels, written};
pub use service::{Port, Service};

use crate::check::envelope::foreign_group;
use crate::check::input::document::Document;

impl Settings {
    /// Reads one document and returns the number of settings in it.
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

    fn visit(&mut self, place: Place, tree: &Document) {
        let kind = tree
            .get("kind")
            .and_then(Document::text)
            .unwrap_or_default();
        if is_of_others(kind, tree) {
            return;
        }
        match kind {
            "Telemetry" if foreign_group(tree).is_none() => telemetry::read(self, place, tree),
            "ConfigMap" => {
                mesh::config_map(self, place.clone(), tree);
                sdk_sampler::config_map(self, place.clone(), tree);
                propagators::config_map(self, place, tree);
            }
            "IstioOperator" | "Istio" | "IstioRevision" => mesh::operator(self, place, tree),
            "Instrumentation" => {
                sdk_sampler::instrumentation(self, place.clone(), tree);
                propagators::instrumentation(self, place, tree);
            }
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                workload::read(self, place, kind, tree, &["spec", "template"]);
            }
            "CronJob" => {
                let template = ["spec", "jobTemplate", "spec", "template"];
                workload::read(self, place, kind, tree, &template);
            }
            "Pod" => workload::read(self, place, kind, tree, &[]),
            "Service" | "ServiceEntry" | "EnvoyFilter" => {
                self.services.extend(service::read(tree));
            }
            "WasmPlugin" | "TrafficExtension" if foreign_group(tree).is_none() => {
                self.images.extend(image::read(&place, tree));
            }
            "EnvoyExtensionPolicy" => {
                self.images.extend(image::of_envoy_gateway(&place, tree));
            }
            "" => mesh::bare(self, place, tree),
            kind if kind.ends_with("List") => {
                for (index, item) in tree.items("items").iter().enumerate() {
                    self.visit(place.at(&format!(".items[{index}]")), item);
                }
            }
            _ => {}
        }
    }
}

/// Returns true if another product has a kind of this name.
fn is_of_others(kind: &str, tree: &Document) -> bool {
    let group = match kind {
        "Telemetry" => "telemetry.istio.io",
        "Instrumentation" => "opentelemetry.io",
        _ => return false,
    };
    let version = tree.get("apiVersion").and_then(Document::text);
    version.is_some_and(|version| version.split('/').next() != Some(group))
}

#[cfg(test)]
mod tests;
