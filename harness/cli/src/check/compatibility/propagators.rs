//! The formats of a service's SDK beside those of its sidecar.
//!
//! An SDK reads and writes all formats of its list. The sidecar writes `propagation.inject` in front of the service, and
//! with `mirror` also what came with the request; of what the service writes it reads `propagation.extract`. A format
//! that only one of the two knows begins a new trace, or goes on out of step with the sidecar's.
//!
//! B3 has two forms: an SDK reads both, and writes the one that is named ([B3 Extract, B3 Inject]).
//!
//! [B3 Extract, B3 Inject]: https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-requirements

use sidespan_core::config::Role;
use sidespan_core::propagation::format::Format;
use sidespan_core::propagation::settings::Propagation;

use super::configuration::SidespanConfig;
use super::warning::warn;
use crate::check::istio::plugin_scope::{Spot, working};
use crate::check::istio::resolve::Istio;
use crate::check::istio::settings::{Mode, Note, Propagators, Settings};

/// Adds the notes on each list of propagators.
pub(super) fn notes(
    istio: &Istio<'_>,
    settings: &Settings,
    ours: &[SidespanConfig<'_>],
    notes: &mut Vec<Note>,
) {
    for service in &settings.propagators {
        let unknown = service.names.iter().filter_map(|name| unknown(name));
        let formats = formats(service);
        let in_front = sidecars(istio, ours, service, Mode::Server);
        let behind = sidecars(istio, ours, service, Mode::Client);
        let is_alone = in_front.is_empty() && behind.is_empty();
        let known = service.names.iter().all(|name| is_known(name));
        let mut told: Vec<_> = unknown.collect();
        if formats.is_empty() && known && !is_alone {
            told.push(format!(
                "{} is no format of trace contexts: the trace ends at this service, and what it calls begins new ones; add {}",
                service.names.join(","),
                first_of(&in_front).unwrap_or("tracecontext")
            ));
        }
        for format in &formats {
            told.extend(unwritten(*format, &formats, &in_front));
            told.extend(unread(*format, &formats, &behind));
        }
        for message in told {
            warn(notes, service.place.clone(), message);
        }
    }
}

/// Returns the propagation of the sidecars that may stand at this side of the service: of the plugins the one that works
/// there, and every configuration outside a plugin.
fn sidecars<'a>(
    istio: &Istio<'_>,
    ours: &[SidespanConfig<'a>],
    service: &Propagators,
    mode: Mode,
) -> Vec<&'a Propagation> {
    let spot = Spot {
        namespace: service.namespace.as_deref(),
        labels: &service.labels,
        mode,
    };
    let requests = ours.iter().filter(|ours| ours.config.role == Role::Request);
    let plugins = requests
        .clone()
        .filter_map(|ours| Some((ours.scope?, ours.config)));
    let scopes = plugins.clone().map(|(scope, _)| scope);
    let plugin = working(scopes, istio.root(), &spot)
        .and_then(|index| plugins.clone().nth(index))
        .map(|(_, config)| config);
    let bare = requests
        .filter(|ours| ours.scope.is_none())
        .map(|ours| ours.config);
    let all = plugin.into_iter().chain(bare);
    all.map(|config| &config.propagation).collect()
}

/// Returns the warning on a format that the service reads and no sidecar in front of it writes.
fn unwritten(format: Format, all: &[Format], sidecars: &[&Propagation]) -> Option<String> {
    let is_written = |format: Format| {
        sidecars.iter().any(|sidecar| {
            let mut forms = forms(format).iter();
            forms.any(|form| sidecar.inject.contains(form))
        })
    };
    if sidecars.is_empty() || is_written(format) {
        return None;
    }
    let name = format.name();
    let written = listed(sidecars, |sidecar| &sidecar.inject);
    let has_other = all.iter().any(|other| is_written(*other));
    let is_mirrored = sidecars.iter().any(|sidecar| {
        let mut forms = forms(format).iter();
        sidecar.mirror && forms.any(|form| sidecar.extract.contains(form))
    });
    let instead = first_of(sidecars)
        .map(|other| format!(", or {other} to OTEL_PROPAGATORS"))
        .unwrap_or_default();
    match (is_mirrored, has_other) {
        // The service follows the other format, and a mirrored one says the same.
        (true, true) => None,
        (true, false) => Some(format!(
            "this service reads {name}, and its sidecar writes it only where the caller has (propagation.mirror), else \
             {written}: traces that begin in the mesh do not reach the service; add {name} to propagation.inject{instead}"
        )),
        (false, false) => Some(format!(
            "this service reads {name}, and no sidecar here writes it, but {written} (propagation.inject): every trace breaks at \
             the service; add {name} to propagation.inject{instead}"
        )),
        (false, true) => Some(format!(
            "this service reads {name}, and no sidecar here writes it, but {written} (propagation.inject): {name} reaches the \
             service not at all, or out of step with the others; add {name} to propagation.inject, or take it out of \
             OTEL_PROPAGATORS"
        )),
    }
}

/// Returns the warning on a format that the service writes and no sidecar behind it reads.
fn unread(format: Format, all: &[Format], sidecars: &[&Propagation]) -> Option<String> {
    let is_read = |format: Format| {
        sidecars
            .iter()
            .any(|sidecar| sidecar.extract.contains(&format))
    };
    if sidecars.is_empty() || is_read(format) {
        return None;
    }
    let name = format.name();
    let read = listed(sidecars, |sidecar| &sidecar.extract);
    let has_other = all.iter().any(|other| is_read(*other));
    let is_overwritten = sidecars
        .iter()
        .all(|sidecar| sidecar.inject.contains(&format));
    match (has_other, is_overwritten) {
        // The sidecar writes it anew, from the format that it reads.
        (true, true) => None,
        (true, false) => Some(format!(
            "this service writes {name}, and no sidecar here reads it, but {read} (propagation.extract): {name} passes the \
             sidecars unchanged, out of step with what they write; add {name} to propagation.extract, or take it out of \
             OTEL_PROPAGATORS"
        )),
        (false, _) => Some(format!(
            "this service writes {name}, and no sidecar here reads it, but {read} (propagation.extract): each of its calls \
             begins a new trace; add {name} to propagation.extract"
        )),
    }
}

/// Returns the forms that an SDK reads where it is told to read this format.
fn forms(format: Format) -> &'static [Format] {
    const B3: [Format; 2] = [Format::B3, Format::B3Multi];
    match format {
        Format::B3 | Format::B3Multi => &B3,
        Format::TraceContext => &[Format::TraceContext],
        Format::Jaeger => &[Format::Jaeger],
        Format::XRay => &[Format::XRay],
        Format::Datadog => &[Format::Datadog],
        Format::OtTrace => &[Format::OtTrace],
        Format::GrpcTraceBin => &[Format::GrpcTraceBin],
        Format::Gcp => &[Format::Gcp],
    }
}

/// Returns the names of the formats of all sidecars, each once.
fn listed(sidecars: &[&Propagation], of: impl Fn(&Propagation) -> &[Format]) -> String {
    let is_in = |format: &Format| sidecars.iter().any(|sidecar| of(sidecar).contains(format));
    let names: Vec<_> = Format::ALL
        .iter()
        .filter(|format| is_in(format))
        .map(|format| format.name())
        .collect();
    match names.as_slice() {
        [] => "none".into(),
        names => names.join(", "),
    }
}

/// Returns the first written format that an SDK knows.
fn first_of(sidecars: &[&Propagation]) -> Option<&'static str> {
    let mut written = sidecars.iter().flat_map(|sidecar| &sidecar.inject);
    written.find_map(|format| {
        let name = format.name();
        KNOWN.contains(&name).then_some(name)
    })
}

fn formats(service: &Propagators) -> Vec<Format> {
    let mut formats = Vec::new();
    for name in &service.names {
        let is_it = |format: &&Format| format.name() == name && is_known(name);
        if let Some(format) = Format::ALL.iter().find(is_it)
            && !formats.contains(format)
        {
            formats.push(*format);
        }
    }
    formats
}

fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// Returns the warning on a name that no SDK knows.
fn unknown(name: &str) -> Option<String> {
    if is_known(name) {
        return None;
    }
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_', ' '], "");
    let written = plain(name);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == written);
    let near = || {
        let is_near = |known: &&&str| known.len() > 3 && is_one_edit(&written, known);
        let is_same = |known: &&&str| **known == written;
        let mut known = KNOWN.iter();
        known
            .clone()
            .find(is_same)
            .or_else(|| known.find(is_near))
            .copied()
    };
    let cure = match alias.map(|(_, known)| *known).or_else(near) {
        Some(known) => format!("did you mean {known}?"),
        None => format!("known are {}", KNOWN.join(", ")),
    };
    Some(format!(
        "{name:?} is none of OpenTelemetry's propagators, and an SDK that does not know it leaves it out or does not start; {cure}"
    ))
}

/// Returns true if one letter is added, left out, replaced, or swapped with its neighbour.
fn is_one_edit(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let shorter = one.len().min(other.len());
    let front = same(&mut one.iter().zip(other));
    let back = same(&mut one.iter().rev().zip(other.iter().rev())).min(shorter - front);
    match (
        &one[front..one.len() - back],
        &other[front..other.len() - back],
    ) {
        ([first, second], [third, fourth]) => first == fourth && second == third,
        (one, other) => one.len() <= 1 && other.len() <= 1,
    }
}

/// The names of `OTEL_PROPAGATORS` in OpenTelemetry's specification, and `datadog`, which Datadog's SDKs know there.
const KNOWN: [&str; 9] = [
    "tracecontext",
    "baggage",
    "b3",
    "b3multi",
    "jaeger",
    "xray",
    "ottrace",
    "datadog",
    "none",
];
/// Names that people write for a format, without case, dashes and underscores.
const ALIASES: [(&str, &str); 13] = [
    ("w3c", "tracecontext"),
    ("w3ctracecontext", "tracecontext"),
    ("traceparent", "tracecontext"),
    ("tracestate", "tracecontext"),
    ("w3cbaggage", "baggage"),
    ("b3single", "b3"),
    ("zipkin", "b3multi"),
    ("b3multiheader", "b3multi"),
    ("ubertraceid", "jaeger"),
    ("awsxray", "xray"),
    ("aws", "xray"),
    ("opentracing", "ottrace"),
    ("dd", "datadog"),
];

#[cfg(test)]
mod tests;
