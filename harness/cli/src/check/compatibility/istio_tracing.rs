//! Istio's tracing settings that lead nowhere: a provider that the mesh does not have, a kind of provider that cannot
//! trace, and a percentage of the mesh that an annotation takes away.

use super::warning::warn;
use crate::check::explain::wording::percent;
use crate::check::istio::resolve::Istio;
use crate::check::istio::settings::{Mesh, Note, Place, Settings};

/// Adds the notes on providers and annotations; none where no file has the mesh.
pub(super) fn notes(istio: &Istio<'_>, settings: &Settings, notes: &mut Vec<Note>) {
    let Some(mesh) = istio.mesh() else {
        return;
    };
    let default = mesh.default_provider.iter();
    let default = default.map(|name| (name, mesh.place.at(".defaultProviders.tracing")));
    let named = settings
        .telemetries
        .iter()
        .flat_map(|telemetry| &telemetry.tracing)
        .filter(|entry| entry.disabled != Some(true))
        .filter_map(|entry| Some((entry.provider.as_ref()?, entry.place.at(".providers"))));
    for (name, place) in default.chain(named) {
        provider(istio, mesh, name, place, notes);
    }
    if let Some(percentage) = mesh.tracing.sampling {
        replaced(settings, percentage, notes);
    }
}

fn provider(istio: &Istio<'_>, mesh: &Mesh, name: &str, place: Place, notes: &mut Vec<Note>) {
    let found = istio.provider(name);
    if found.is_some_and(|found| found.can_trace()) {
        return;
    }
    let known: Vec<_> = mesh
        .providers
        .iter()
        .filter(|provider| provider.can_trace() && provider.kind != "stackdriver")
        .map(|provider| provider.name.as_str())
        .collect();
    let cure = match known.as_slice() {
        [] => "add one there of kind opentelemetry, zipkin, datadog or skywalking".to_owned(),
        known => format!("name {}, which can", known.join(" or ")),
    };
    let cause = match found {
        Some(found) => format!(
            "the provider {name} cannot trace, for its kind is {}",
            match found.kind.as_str() {
                "" => "not given",
                kind => kind,
            }
        ),
        None => format!("MeshConfig's extensionProviders have no provider {name}"),
    };
    warn(
        notes,
        place,
        format!("{cause}, so Istio's own tracer does not run here; {cure}"),
    );
}

/// Warns of annotations whose `tracing` has no `sampling`, so that the mesh's does not hold either.
fn replaced(settings: &Settings, percentage: f64, notes: &mut Vec<Note>) {
    for tracing in settings
        .workloads
        .iter()
        .filter_map(|workload| workload.tracing.as_ref())
        .filter(|tracing| tracing.sampling.is_none())
    {
        warn(
            notes,
            tracing.place.clone(),
            format!(
                "tracing here replaces that of MeshConfig as a whole, so its sampling of {} does not hold for these pods, and \
                 PILOT_TRACE_SAMPLING does; repeat sampling here",
                percent(percentage)
            ),
        );
    }
}
