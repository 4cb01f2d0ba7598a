//! Mismatches between settings and configurations: warnings that need more than one file.
//!
//! - a ratio where a percentage is meant, and the other way round
//! - Istio's own tracer, which still runs beside the filter
//! - Istio's settings without the effect that they seem to have
//! - formats that a service reads and no sidecar writes, and the other way round

use sidespan_core::config::Role;

use super::explain::wording::percent;
use super::istio::resolve::{Istio, fits};
use super::istio::settings::{Labels, Mode, Note, Place, Settings, written};

mod configuration;
mod istio_tracing;
mod plugin_settings;
mod propagators;
pub mod sdk;
mod warning;

pub use configuration::SidespanConfig;
use warning::{ratio, round, warn};

/// Returns all notes on settings and configurations together.
pub fn notes(settings: &Settings, ours: &[SidespanConfig<'_>]) -> Vec<Note> {
    let istio = Istio::new(settings);
    let mut notes = settings.notes.clone();
    shares(settings, ours, &mut notes);
    native(&istio, settings, ours, &mut notes);
    without_effect(&istio, settings, &mut notes);
    istio_tracing::notes(&istio, settings, &mut notes);
    sdk::notes(&istio, settings, ours, &mut notes);
    propagators::notes(&istio, settings, ours, &mut notes);
    plugin_settings::notes(istio.root(), ours, &mut notes);
    notes
}

/// Warns of ratios in place of percentages: OpenTelemetry counts from 0 to 1, Istio and the filter from 0 to 100.
fn shares(settings: &Settings, ours: &[SidespanConfig<'_>], notes: &mut Vec<Note>) {
    for ours in ours {
        let Some(sampling) = &ours.config.sampling else {
            continue;
        };
        let place = |below: String| Place {
            file: ours.file,
            document: ours.document,
            path: format!("{}.sampling.{below}", ours.path),
            name: String::new(),
        };
        share(
            settings,
            place("percentage".into()),
            sampling.percentage,
            notes,
        );
        for (index, rule) in sampling.rules.iter().enumerate() {
            let at = place(format!("rules[{index}].percentage"));
            share(settings, at, rule.percentage, notes);
        }
        for (pattern, percentage) in &sampling.namespaces {
            share(
                settings,
                place(format!("namespaces[{pattern:?}]")),
                *percentage,
                notes,
            );
        }
    }
    for telemetry in &settings.telemetries {
        for entry in &telemetry.tracing {
            let place = entry.place.at(".randomSamplingPercentage");
            if let Some(percentage) = entry.percentage {
                share(settings, place, percentage, notes);
            }
        }
    }
}

fn share(settings: &Settings, place: Place, percentage: f64, notes: &mut Vec<Note>) {
    if !(percentage > 0.0 && percentage < 1.0) {
        return;
    }
    let same = settings
        .samplers
        .iter()
        .find(|sampler| ratio(sampler) == Some(percentage));
    // The product is rounded for people, because 0.07 times 100 is 7.000000000000001 in binary.
    let meant = round(percentage * 100.0);
    let like = match same.and_then(|sampler| sampler.argument_place.as_ref()) {
        Some(argument) => format!(
            "the same number in OTEL_TRACES_SAMPLER_ARG of {} is {}",
            argument.name,
            percent(meant)
        ),
        None => format!(
            "OTEL_TRACES_SAMPLER_ARG={percentage} would be {}",
            percent(meant)
        ),
    };
    let one_in = round(100.0 / percentage).round();
    warn(
        notes,
        place,
        format!(
            "{} is one trace in {one_in}, for percentages go from 0 to 100; {like}: if that is meant, write {meant}",
            percent(percentage)
        ),
    );
}

/// Warns of Istio's own tracer, which writes its headers after all filters.
fn native(
    istio: &Istio<'_>,
    settings: &Settings,
    ours: &[SidespanConfig<'_>],
    notes: &mut Vec<Note>,
) {
    let is_here = ours.iter().any(|ours| ours.config.role == Role::Request);
    let has_attempt = ours.iter().any(|ours| ours.config.role == Role::Attempt);
    let none = Labels::new();
    let sides = Mode::ALL.into_iter().flat_map(|mode| {
        let whole = istio.side(None, &none, mode);
        let selected = settings.telemetries.iter().map(move |telemetry| {
            let labels = telemetry.selector.clone().unwrap_or_default();
            istio.side(telemetry.namespace.as_deref(), &labels, mode)
        });
        let workloads = settings
            .workloads
            .iter()
            .map(move |workload| istio.side_of(workload, mode));
        [whole].into_iter().chain(selected).chain(workloads)
    });
    for side in sides {
        let Some(native) = &side.native else {
            continue;
        };
        if let Some((provider, place)) = side.provider
            && istio.has_own_sampler(provider)
        {
            warn(
                notes,
                place.clone(),
                format!(
                    "the provider {provider} samples by itself, and no percentage here says how much; Sidespan has no such \
                     sampler: decide on a percentage"
                ),
            );
        }
        if is_here && !has_attempt && !side.silent {
            warn(
                notes,
                native.place.at(native.key),
                "Istio's own tracer stays on beside Sidespan and overwrites the headers that it writes; set \
                 disableSpanReporting: true in the Telemetry (istio/components/telemetry has it for the mesh), or \
                 disableContextPropagation: true from Istio 1.30 on, or install the filter with role attempt as well"
                    .into(),
            );
        }
    }
}

/// Warns of settings that Istio ignores in silence.
fn without_effect(istio: &Istio<'_>, settings: &Settings, notes: &mut Vec<Note>) {
    for (first, other) in istio.without_effect() {
        warn(
            notes,
            other.place.clone(),
            format!(
                "without effect: of several Telemetries without a selector in one namespace Istio takes the oldest, here {}{}",
                first.place.name,
                if first.created.is_empty() {
                    " by its name, for no file says when it was made"
                } else {
                    ""
                }
            ),
        );
    }
    for workload in &settings.workloads {
        let selecting: Vec<_> = istio
            .selecting(
                workload.namespace.as_deref().unwrap_or_default(),
                &workload.labels,
            )
            .collect();
        if let [.., last] = selecting.as_slice()
            && selecting.len() > 1
        {
            let names: Vec<_> = selecting
                .iter()
                .map(|telemetry| telemetry.place.name.as_str())
                .collect();
            warn(
                notes,
                last.place.at(".spec.selector"),
                format!(
                    "{} is selected by {}: newer Istios lay them over each other by age, older ones take the first alone; \
                     let one select it",
                    workload.place.name,
                    names.join(" and ")
                ),
            );
        }
    }
    for mesh in settings.meshes.iter().skip(1) {
        warn(
            notes,
            mesh.place.clone(),
            "a second MeshConfig among these files, not looked at; check the files of one mesh at a time".into(),
        );
    }
    let first = settings.pilots.first();
    for pilot in &settings.pilots {
        if first.is_some_and(|first| first.percentage.total_cmp(&pilot.percentage).is_ne()) {
            warn(
                notes,
                pilot.place.clone(),
                "another PILOT_TRACE_SAMPLING than the first of these files, and not looked at"
                    .into(),
            );
        }
    }
    // A selector in the root namespace looks like one for the whole mesh, and reaches the root namespace alone.
    let root = istio.root();
    for telemetry in &settings.telemetries {
        if telemetry.namespace.as_deref() == Some(root)
            && let Some(selector) = &telemetry.selector
        {
            let elsewhere = settings.workloads.iter().find(|workload| {
                let namespace = workload.namespace.as_deref();
                namespace.is_some_and(|namespace| namespace != root)
                    && fits(selector, &workload.labels)
            });
            if let Some(workload) = elsewhere {
                warn(
                    notes,
                    telemetry.place.at(".spec.selector"),
                    format!(
                        "{} does not get this: for Telemetry a selector ({}) in the root namespace reaches the root namespace alone",
                        workload.place.name,
                        written(selector)
                    ),
                );
            }
        }
    }
}
