//! All tracing settings of Istio's resources and of OpenTelemetry, as they were read.

use super::image::ImageSource;
use super::place::{Labels, Note, Place, Weight, shown};
use super::service::Service;
use crate::check::input::document::Document;

/// One Telemetry. A resource that names several gateways becomes several.
#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// Place of the resource.
    pub place: Place,
    /// Namespace of the resource; `None` where kubectl's `-n` decides, so that nothing can be worked out from it.
    pub namespace: Option<String>,
    /// Name of the resource.
    pub name: String,
    /// `creationTimestamp`, by which Istio orders Telemetries; empty in a file that was never applied.
    pub created: String,
    /// Labels of the selected workloads; `None` for the whole namespace, and in the root namespace for the whole mesh.
    pub selector: Option<Labels>,
    /// `spec.tracing`, in order.
    pub tracing: Vec<Tracing>,
}

/// One entry of `spec.tracing`; a field that is `None` leaves the earlier value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracing {
    /// Place of the entry.
    pub place: Place,
    /// `match.mode`; `None` for both sides.
    pub mode: Option<Mode>,
    /// The first of `providers`, because Istio takes no other.
    pub provider: Option<String>,
    /// `randomSamplingPercentage`
    pub percentage: Option<f64>,
    /// `disableSpanReporting`
    pub disabled: Option<bool>,
    /// `disableContextPropagation`
    pub silent: Option<bool>,
}

/// A side of a workload: Istio's `WorkloadMode`. A gateway counts as client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Requests that the workload sends.
    Client,
    /// Requests that the workload receives.
    Server,
}

impl Mode {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Client, Self::Server];

    /// Returns Istio's name of the side.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "CLIENT",
            Self::Server => "SERVER",
        }
    }
}

/// The tracing settings of a MeshConfig.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    /// Place of the MeshConfig.
    pub place: Place,
    /// `rootNamespace`
    pub root_namespace: Option<String>,
    /// `enableTracing`, true where Istio finds nothing.
    pub enable_tracing: bool,
    /// `defaultConfig.tracing`
    pub tracing: ProxyTracing,
    /// The first of `defaultProviders.tracing`.
    pub default_provider: Option<String>,
    /// `extensionProviders`, with those that every mesh has.
    pub providers: Vec<Provider>,
}

/// `tracing` of a ProxyConfig: the mesh's, or that of an annotation, which replaces the mesh's as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProxyTracing {
    /// Place of the setting.
    pub place: Place,
    /// `sampling`; never 0, because Istio takes 0 for unset.
    pub sampling: Option<f64>,
    /// True if a tracer is named with its address, which then stands in the proxy's bootstrap.
    pub has_tracer: bool,
}

/// An entry of `extensionProviders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Name of the provider.
    pub name: String,
    /// The provider's kind, the key beside the name; empty where there is none.
    pub kind: String,
    /// True if the provider has a sampler of its own.
    pub has_sampler: bool,
}

impl Provider {
    /// Returns true if Istio makes a tracer of this kind of provider.
    pub fn can_trace(&self) -> bool {
        TRACING_KINDS.contains(&self.kind.as_str())
    }
}

/// istiod's `PILOT_TRACE_SAMPLING`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pilot {
    /// Place of the variable.
    pub place: Place,
    /// Value of the variable, a percentage.
    pub percentage: f64,
}

/// A Deployment, or another resource that runs pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Place of the resource.
    pub place: Place,
    /// Namespace of the resource; `None` where kubectl's `-n` decides.
    pub namespace: Option<String>,
    /// Labels of the pods.
    pub labels: Labels,
    /// The resource's own selector: labels that no other workload has.
    pub selector: Labels,
    /// `tracing` in the annotation `proxy.istio.io/config`, which replaces the mesh's.
    pub tracing: Option<ProxyTracing>,
}

/// One sampler of an OpenTelemetry SDK, as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampler {
    /// Place of the sampler's name, or of its argument where it has no name.
    pub place: Place,
    /// Place of the argument.
    pub argument_place: Option<Place>,
    /// Namespace of the service; `None` where no file tells it.
    pub namespace: Option<String>,
    /// Labels of the service's pods, as far as they are known.
    pub labels: Labels,
    /// `OTEL_TRACES_SAMPLER`; `None` where only the argument is set.
    pub kind: Option<String>,
    /// `OTEL_TRACES_SAMPLER_ARG`
    pub argument: Option<String>,
}

/// The propagators of an OpenTelemetry SDK, as written; where nothing is written there are none here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Propagators {
    /// Place of the list.
    pub place: Place,
    /// Namespace of the service; `None` where no file tells it.
    pub namespace: Option<String>,
    /// Labels of the service's pods, as far as they are known.
    pub labels: Labels,
    /// The names of the list, in order.
    pub names: Vec<String>,
}

/// All settings of the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The root namespace, where the user names it.
    pub root: Option<String>,
    /// `global.istioNamespace` of Helm values, which the chart makes the root namespace.
    pub istio_namespace: Option<String>,
    /// Telemetry resources.
    pub telemetries: Vec<Telemetry>,
    /// MeshConfigs; there should be one.
    pub meshes: Vec<Mesh>,
    /// `PILOT_TRACE_SAMPLING`, wherever it is set.
    pub pilots: Vec<Pilot>,
    /// Resources that run pods.
    pub workloads: Vec<Workload>,
    /// The samplers of OpenTelemetry's SDKs.
    pub samplers: Vec<Sampler>,
    /// Services that clusters are made for.
    pub services: Vec<Service>,
    /// The propagators of OpenTelemetry's SDKs.
    pub propagators: Vec<Propagators>,
    /// The images of Sidespan's plugins.
    pub images: Vec<ImageSource>,
    /// Notes on settings that are wrong by themselves.
    pub notes: Vec<Note>,
    // Resources that were read, and of which nothing holds anywhere.
    pub(super) idle: usize,
}

impl Settings {
    /// Returns settings without any, of a mesh with this root namespace; `None` leaves it to the files.
    pub fn with_root(root: Option<String>) -> Self {
        Self {
            root,
            ..Self::default()
        }
    }

    /// Returns true if one of the settings is Istio's.
    pub fn has_istio(&self) -> bool {
        let is_placed = |telemetry: &Telemetry| telemetry.namespace.is_some();
        self.telemetries.iter().any(is_placed)
            || !self.meshes.is_empty()
            || !self.pilots.is_empty()
            || self
                .workloads
                .iter()
                .any(|workload| workload.tracing.is_some())
    }

    pub(super) fn count(&self) -> usize {
        self.telemetries.len()
            + self.meshes.len()
            + self.pilots.len()
            + self.workloads.len()
            + self.samplers.len()
            + self.propagators.len()
            + usize::from(self.istio_namespace.is_some())
            + self.idle
    }

    pub(super) fn note(&mut self, weight: Weight, place: Place, message: impl Into<String>) {
        self.notes.push(Note {
            weight,
            place,
            message: message.into(),
        });
    }

    /// Reads a percentage of Istio's, and adds an error where the value is none.
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
                    shown(value)
                ),
            );
        }
        found
    }
}

/// The kinds of providers that Istio makes a tracer of ([configureFromProviderConfig]); the last three only in older
/// Istios.
///
/// [configureFromProviderConfig]: https://github.com/istio/istio/blob/master/pilot/pkg/networking/core/tracing.go
const TRACING_KINDS: [&str; 7] = [
    "opentelemetry",
    "zipkin",
    "datadog",
    "skywalking",
    "lightstep",
    "opencensus",
    "stackdriver",
];
