//! The interplay of an SDK's sampler and the sidecar in front of its service.
//!
//! The sidecar decides before the service sees the request, and writes its decision into the headers. A `parentbased_…`
//! sampler follows that decision. Any other sampler decides once more, on its own: a trace that only one of the two
//! records has holes, and the service's own calls carry the service's decision, which the sidecars behind it follow.

use super::configuration::SidespanConfig;
use super::warning::{ratio, round, warn};
use crate::check::explain::wording::percent;
use crate::check::istio::plugin_scope::{Scope, Spot, working};
use crate::check::istio::resolve::Istio;
use crate::check::istio::settings::{Mode, Note, Sampler, Settings};

/// Adds the notes on each sampler.
pub(super) fn notes(
    istio: &Istio<'_>,
    settings: &Settings,
    ours: &[SidespanConfig<'_>],
    notes: &mut Vec<Note>,
) {
    for sampler in &settings.samplers {
        let sidecar = sidecar(istio, settings, ours, sampler);
        let is_alone = !ours.is_empty() && ours.iter().all(|ours| ours.config.sampling.is_none());
        let verdict = match is_alone && again(sampler) {
            true => Some(alone(sampler)),
            false => verdict(sampler, sidecar),
        };
        for message in [argument(sampler), verdict].into_iter().flatten() {
            warn(notes, sampler.place.clone(), message);
        }
    }
}

/// Returns a sentence on the sampler's effect beside the sidecar, also where nothing is wrong with it.
pub fn meaning(sampler: &Sampler) -> String {
    let kind = kind(sampler);
    let ratio =
        used_ratio(sampler).map_or_else(|| "all".into(), |ratio| percent(round(ratio * 100.0)));
    match kind {
        "parentbased_always_on" => "follows the sidecar; of traces that the service begins itself, it records all".into(),
        "parentbased_always_off" => "follows the sidecar; of traces that the service begins itself, it records none".into(),
        "parentbased_traceidratio" => {
            format!("follows the sidecar; of traces that the service begins itself, it records {ratio}")
        }
        "parentbased_jaeger_remote" => {
            "follows the sidecar; traces that the service begins itself are decided by Jaeger's answer".into()
        }
        "always_on" => "records every request, whatever the sidecar decided".into(),
        "always_off" => "records nothing, whatever the sidecar decided".into(),
        "traceidratio" => format!("records {ratio} of the traces, whatever the sidecar decided"),
        "jaeger_remote" => "asks Jaeger for a percentage, whatever the sidecar decided".into(),
        "xray" => "asks AWS X-Ray for its rules; whether it follows the sidecar is up to the SDK".into(),
        _ => "not one of OpenTelemetry's; an SDK that does not know it takes parentbased_always_on".into(),
    }
}

/// Returns the name of the sampler that an SDK takes.
pub fn kind(sampler: &Sampler) -> &str {
    let named = sampler.kind.as_deref().map(str::trim);
    named
        .filter(|kind| !kind.is_empty())
        .unwrap_or("parentbased_always_on")
}

/// Returns the sidecar's percentage in front of this service; `None` where no configuration or setting has one.
fn sidecar(
    istio: &Istio<'_>,
    settings: &Settings,
    ours: &[SidespanConfig<'_>],
    sampler: &Sampler,
) -> Option<f64> {
    let namespace = sampler.namespace.as_deref();
    let spot = Spot {
        namespace,
        labels: &sampler.labels,
        mode: Mode::Server,
    };
    // A configuration outside a plugin may be for any workload.
    let anywhere = Scope::default();
    let deciding = ours.iter().filter(|ours| ours.config.sampling.is_some());
    let scopes = deciding.clone().map(|ours| ours.scope.unwrap_or(&anywhere));
    let configured =
        working(scopes, istio.root(), &spot).and_then(|index| deciding.clone().nth(index));
    if let Some(sampling) = configured.and_then(|ours| ours.config.sampling.as_ref()) {
        return Some(sampling.percentage_for(namespace));
    }
    let side = || istio.side(namespace, &sampler.labels, Mode::Server);
    settings.has_istio().then(side).map(|side| side.percentage)
}

/// Returns a warning on an argument without the effect that it seems to have.
fn argument(sampler: &Sampler) -> Option<String> {
    let argument = sampler.argument.as_deref()?;
    let kind = kind(sampler);
    if sampler.kind.is_none() {
        return Some(format!(
            "OTEL_TRACES_SAMPLER_ARG={argument} does nothing without OTEL_TRACES_SAMPLER, whose default is parentbased_always_on"
        ));
    }
    if kind.ends_with("always_on") || kind.ends_with("always_off") {
        return Some(format!(
            "OTEL_TRACES_SAMPLER_ARG={argument} does nothing, for {kind} takes no argument"
        ));
    }
    if !kind.ends_with("traceidratio") {
        return None;
    }
    match ratio(sampler) {
        Some(ratio) if (0.0..=1.0).contains(&ratio) => None,
        Some(ratio) if (0.0..=100.0).contains(&ratio) => Some(format!(
            "OTEL_TRACES_SAMPLER_ARG={argument} is no ratio from 0 to 1, and SDKs keep every trace or do not start; for {} write {}",
            percent(ratio),
            round(ratio / 100.0)
        )),
        _ => Some(format!(
            "OTEL_TRACES_SAMPLER_ARG={argument:?}: expected a ratio from 0 to 1; SDKs keep every trace or do not start"
        )),
    }
}

/// Returns true if the sampler decides once more.
fn again(sampler: &Sampler) -> bool {
    ["always_on", "always_off", "traceidratio", "jaeger_remote"].contains(&kind(sampler))
}

/// Returns the warning on a sampler that decides behind a sidecar that only translates.
fn alone(sampler: &Sampler) -> String {
    let kind = kind(sampler);
    format!(
        "{kind} decides again, whatever the caller decided, and the sidecar, which only translates here, decides nothing; take \
         parentbased_{kind}, so that a trace is whole or not there"
    )
}

/// Returns the warning on two deciders, the sampler and the sidecar.
fn verdict(sampler: &Sampler, sidecar: Option<f64>) -> Option<String> {
    let kind = kind(sampler);
    let behind = "the sidecars behind it follow the service";
    match kind {
        "always_on" => Some(format!(
            "always_on decides again: this service records every request, also those that its sidecar drops{}, so traces begin \
             in the middle, and {behind}; take parentbased_always_on",
            sidecar
                .map(|kept| format!(" ({} of new traces)", percent(round(100.0 - kept))))
                .unwrap_or_default()
        )),
        "always_off" => Some(format!(
            "always_off decides again: this service records nothing and says so to whom it calls, so every trace ends here, for \
             {behind}; take parentbased_always_off, or leave the service without an SDK"
        )),
        "traceidratio" => Some(product(used_ratio(sampler)?, sidecar)),
        "jaeger_remote" => Some(format!(
            "jaeger_remote decides again, by Jaeger's percentages: what only one of it and the sidecar keeps is a trace with \
             holes, and {behind}; take parentbased_jaeger_remote{}",
            match sampler.place.path.ends_with(".sampler.type") {
                true => ", in spec.env, for the Operator does not know it as a sampler.type",
                false => "",
            }
        )),
        "xray" => Some(format!(
            "xray asks AWS X-Ray for its rules; where the SDK does not wrap it into a parent-based sampler, it decides again and \
             {behind}, so traces have holes"
        )),
        kind if KNOWN.contains(&kind) => None,
        kind => {
            let near = kind.to_ascii_lowercase().replace(['-', ' '], "_");
            let cure = match KNOWN.contains(&near.as_str()) {
                true => format!("; did you mean {near}?"),
                false => format!("; known are {}", KNOWN.join(", ")),
            };
            Some(format!(
                "{kind:?} is none of OpenTelemetry's samplers, and an SDK that does not know it takes parentbased_always_on{cure}"
            ))
        }
    }
}

fn product(ratio: f64, sidecar: Option<f64>) -> String {
    let again = "traceidratio decides again, whatever the sidecar decided";
    let cure = "the sidecars behind it follow the service; take parentbased_traceidratio, whose ratio is only for traces that the \
                service begins itself";
    let Some(kept) = sidecar else {
        return format!(
            "{again}: what only one of the two keeps is a trace with holes, and {cure}"
        );
    };
    let share = kept / 100.0;
    // Classic ratios record small numbers in the trace id's right half, OpenTelemetry's threshold large ones.
    if ratio > 0.0 && share > 0.0 && 256.0 * ratio + share <= 1.0 {
        return format!(
            "{again}: no trace is whole with the SDKs of Go, Rust and Python, which at so small a ratio keep the lowest trace ids \
             alone, and the sidecar keeps the highest; {cure}"
        );
    }
    format!(
        "{again}: {} x {} = {} of the traces are whole, and {} have holes, kept by one of the two; {cure}",
        percent(kept),
        percent(round(ratio * 100.0)),
        percent(round(kept * ratio)),
        percent(round(
            (share * (1.0 - ratio) + ratio * (1.0 - share)) * 100.0
        ))
    )
}

/// Returns the ratio that the SDK takes: 1 where no argument is set, or one that is no ratio.
fn used_ratio(sampler: &Sampler) -> Option<f64> {
    if !kind(sampler).ends_with("traceidratio") {
        return None;
    }
    Some(
        ratio(sampler)
            .filter(|ratio| (0.0..=1.0).contains(ratio))
            .unwrap_or(1.0),
    )
}

/// OpenTelemetry's names of samplers.
const KNOWN: [&str; 9] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
    "jaeger_remote",
    "parentbased_jaeger_remote",
    "xray",
];
