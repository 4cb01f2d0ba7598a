//! All that Istio's resources and OpenTelemetry's settings say about tracing, as it was read.

use super::place::{Labels, Note, Place, Weight};
use crate::check::input::document::Document;

/// One resource. One that names several gateways is several.
#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// The resource.
    pub place: Place,
    /// Where it is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// `creationTimestamp`, by which Istio orders them; empty in a file that was never applied.
    pub created: String,
    /// The workloads that it is for; `None` for all of its namespace, and in the root namespace for all of the mesh.
    pub selector: Option<Labels>,
    /// `spec.tracing`, in order.
    pub tracing: Vec<Tracing>,
}

/// One entry of `spec.tracing`; what is `None` leaves what was there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracing {
    /// The entry.
    pub place: Place,
    /// `match.mode`; `None` for both.
    pub mode: Option<Mode>,
    /// The first of `providers`: Istio takes no other.
    pub provider: Option<String>,
    /// `randomSamplingPercentage`
    pub percentage: Option<f64>,
    /// `disableSpanReporting`
    pub disabled: Option<bool>,
    /// `disableContextPropagation`
    pub silent: Option<bool>,
}

/// Which side of a workload: Istio's `WorkloadMode`. A gateway counts as client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What the workload sends.
    Client,
    /// What it receives.
    Server,
}

impl Mode {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Client, Self::Server];

    /// Istio's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "CLIENT",
            Self::Server => "SERVER",
        }
    }
}

/// What a MeshConfig says on tracing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    /// Where it stands.
    pub place: Place,
    /// `rootNamespace`
    pub root_namespace: Option<String>,
    /// `defaultConfig.tracing.sampling`; 0 is as good as unset for Istio, so it is never in here.
    pub sampling: Option<f64>,
    /// `enableTracing`
    pub enable_tracing: Option<bool>,
    /// `defaultConfig.tracing` names a tracer, as before there were providers.
    pub has_tracer: bool,
    /// The first of `defaultProviders.tracing`.
    pub default_provider: Option<String>,
    /// `extensionProviders`, if there is such a list: their names, and whether they have a sampler of their own.
    pub providers: Option<Vec<(String, bool)>>,
}

/// `PILOT_TRACE_SAMPLING`
#[derive(Clone, Debug, PartialEq)]
pub struct Pilot {
    /// Where it is set.
    pub place: Place,
    /// Its value.
    pub percentage: f64,
}

/// A Deployment or the like.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The resource.
    pub place: Place,
    /// Where it runs.
    pub namespace: String,
    /// The labels of its pods.
    pub labels: Labels,
    /// Labels that no other workload has: its own selector.
    pub selector: Labels,
    /// `tracing.sampling` in the annotation `proxy.istio.io/config`, which replaces the mesh's.
    pub sampling: Option<f64>,
}

/// One sampler, as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampler {
    /// Where its name stands, or its argument where it has no name.
    pub place: Place,
    /// Where its argument stands.
    pub argument_place: Option<Place>,
    /// In which namespace the service is; `None` where nothing says so.
    pub namespace: Option<String>,
    /// The labels of its pods, as far as they are known.
    pub labels: Labels,
    /// `OTEL_TRACES_SAMPLER`; `None` where only the argument is set.
    pub kind: Option<String>,
    /// `OTEL_TRACES_SAMPLER_ARG`
    pub argument: Option<String>,
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
    /// Whether anything says what Istio does.
    pub fn has_istio(&self) -> bool {
        !self.telemetries.is_empty() || !self.meshes.is_empty() || !self.pilots.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.telemetries.len()
            + self.meshes.len()
            + self.pilots.len()
            + self.workloads.len()
            + self.samplers.len()
    }

    pub(super) fn note(&mut self, weight: Weight, place: Place, message: impl Into<String>) {
        self.notes.push(Note {
            weight,
            place,
            message: message.into(),
        });
    }

    /// Reads a percentage of Istio's, and notes what is none.
    pub(super) fn percentage(&mut self, place: &Place, value: Option<&Document>) -> Option<f64> {
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
