//! Facts beside ids and decision that a caller sends, and those that are lost behind a service of another format.
//!
//! A fact is lost if the end cannot read it in the caller's own format. A fact that two sidecars carry past a service in a
//! member of `tracestate` is not lost.

use std::collections::BTreeSet;
use std::fmt::Write;

use sidespan_core::propagation::format::Format;
use sidespan_tests::dialect::{Line, State};
use sidespan_tests::readme;

use super::mesh::{Journey, Mesh};

/// A fact that only one format can express: its name, the header, and a test of the value for it.
type Fact = (&'static str, &'static str, fn(&str) -> bool);

const TRACESTATE: Fact = ("`tracestate`", "tracestate", |value| {
    value.split(',').any(|member| member == "rojo=1")
});
const RANDOM: Fact = ("the random flag", "traceparent", |value| {
    value.ends_with("-02") || value.ends_with("-03")
});
const LINEAGE: Fact = ("`Lineage`", "x-amzn-trace-id", |value| {
    value.contains(";Lineage=100:e3b0c442:11")
});
const PARTS: Fact = ("applications' own parts", "x-amzn-trace-id", |value| {
    value.ends_with(";CalledFrom=app")
});
const ORIGIN: Fact = ("the origin", "x-datadog-origin", |value| {
    value == "synthetics"
});
const TAGS: Fact = ("the tags", "x-datadog-tags", |value| {
    value.split(',').any(|tag| tag == "_dd.p.dm=-4")
});
const REFUSAL: Fact = (
    "that a user refused",
    "x-datadog-sampling-priority",
    |value| value == "-1",
);

fn facts(format: Format, state: State) -> &'static [Fact] {
    match (format, state) {
        (Format::TraceContext, _) => &[TRACESTATE, RANDOM],
        (Format::XRay, _) => &[LINEAGE, PARTS],
        (Format::Datadog, State::Unsampled) => &[ORIGIN, TAGS, REFUSAL],
        (Format::Datadog, _) => &[ORIGIN, TAGS],
        _ => &[],
    }
}

/// Adds to the caller's lines all facts that its format can express.
pub(super) fn enriched(format: Format, state: State, mut lines: Vec<Line>) -> Vec<Line> {
    let mut append = |name: &'static str, separator: &str, more: &str| match lines
        .iter_mut()
        .find(|(own, _)| *own == name)
    {
        Some((_, value)) => *value = format!("{value}{separator}{more}"),
        None => lines.push((name, more.into())),
    };
    match format {
        Format::TraceContext => {
            append("tracestate", ",", "rojo=1");
            for (_, value) in lines.iter_mut().filter(|(name, _)| *name == "traceparent") {
                let flags = if state == State::Unsampled {
                    "02"
                } else {
                    "03"
                };
                value.replace_range(53.., flags);
            }
        }
        Format::XRay => append(
            "x-amzn-trace-id",
            ";",
            "CalledFrom=app;Lineage=100:e3b0c442:11",
        ),
        Format::Datadog => {
            append("x-datadog-origin", "", "synthetics");
            append("x-datadog-tags", ",", "_dd.p.dm=-4");
            for (_, value) in lines.iter_mut().filter(|_| state == State::Unsampled) {
                if value == "0" {
                    *value = "-1".into();
                }
            }
        }
        _ => {}
    }
    lines
}

/// Returns the facts lost on the way: the rank and the name of each.
fn lost(journey: &Journey) -> impl Iterator<Item = (usize, &'static str)> {
    let at_end = journey.at_end(journey.caller).expect("a context");
    let state = match (journey.said.state, at_end.state) {
        (said, found) if said == found => None,
        // Not lost: the first sidecar has decided.
        (State::Deferred, State::Unsampled) => None,
        (State::Debug, State::Sampled) => Some("debug"),
        _ => Some("the decision"),
    };
    let facts = facts(journey.caller, journey.said.state).iter();
    let facts = facts.filter(|(_, header, is_said)| !is_said(&journey.end_header(header)));
    let is_split = journey.trace_id_behind() != journey.said.trace_id;
    let facts = facts.map(|(name, ..)| (0, *name));
    facts
        .chain(state.map(|name| (1, name)))
        .chain(is_split.then_some((2, SPLIT)))
}

const SPLIT: &str = "the left half of a trace id of 128 bits (**the trace is split**)";

/// Facts that are lost, and the services behind which they are.
type Losses = Vec<(Vec<Format>, Vec<&'static str>)>;

/// Returns the whole table, in Markdown, with one group for callers that lose the same facts, and in it one row for such
/// services.
pub(super) fn table(mesh: &Mesh) -> String {
    let mut groups: Vec<(Vec<Format>, Losses)> = Vec::new();
    for caller in Format::ALL {
        let losses = losses_of(mesh, caller);
        match groups.iter_mut().find(|(_, others)| *others == losses) {
            Some((callers, _)) => callers.push(caller),
            None => groups.push((vec![caller], losses)),
        }
    }
    let mut table = String::from(
        "| the caller speaks | it calls a service that speaks only | behind which is lost |\n|---|---|---|\n",
    );
    for (callers, losses) in groups {
        for (services, lost) in losses {
            let lost = if lost.is_empty() {
                "nothing".into()
            } else {
                lost.join(", ")
            };
            let (callers, services) = (
                readme::formats(&callers, &Format::ALL),
                readme::formats(&services, &Format::ALL),
            );
            writeln!(table, "| {callers} | {services} | {lost} |").expect("a string takes all");
        }
    }
    table
}

fn losses_of(mesh: &Mesh, caller: Format) -> Losses {
    let mut losses = Losses::new();
    for service in Format::ALL {
        let journeys = mesh.journeys.iter();
        let between = journeys.filter(|it| it.caller == caller && it.service == service);
        let ranked: BTreeSet<_> = between.flat_map(lost).collect();
        let lost: Vec<_> = ranked.into_iter().map(|(_, name)| name).collect();
        match losses.iter_mut().find(|(_, others)| *others == lost) {
            Some((services, _)) => services.push(service),
            None => losses.push((vec![service], lost)),
        }
    }
    losses
}
