//! The sections `$.propagation`, `$.trust` and `$.gateway.trust`.

use sidespan_core::config::sections::propagation::{BAGGAGE_BYTES, BAGGAGE_SOURCES, MAX_DENIED};
use sidespan_core::config::sections::trust::{CONTEXT_TRUSTS, DECISION_TRUSTS};
use sidespan_core::propagation::format::Format;
use sidespan_core::propagation::settings::{Propagation, Trust};

use super::value::{Schema, boolean, list, non_empty, object, one_of, size, words};

pub(super) fn propagation() -> Schema {
    let defaults = Propagation::default();
    object([
        (
            "extract",
            formats().default(names(&defaults.extract)).says(
                "The formats that are read, in order; the first valid one wins. b3 stands before b3multi.",
            ),
        ),
        (
            "inject",
            formats().default(names(&defaults.inject)).says(
                "The formats that are always written: all that a service of the mesh reads, and no more, because each header \
                 costs about 0.5 µs. baggage is no format and passes by itself.",
            ),
        ),
        (
            "mirror",
            boolean()
                .default(defaults.mirror)
                .says("Write the formats that a request came in as well."),
        ),
        (
            "keep64bit",
            boolean().default(defaults.keep64bit).says(
                "An id that came with 16 digits leaves with 16 in b3 and b3multi, for readers that know no longer ones.",
            ),
        ),
        (
            "restoreTracestate",
            boolean().default(defaults.restore_tracestate).says(
                "Put a tracestate back that a service drops between its inbound and its outbound side, by the trace's id, for \
                 traces that were sampled at less than 100 %: without it rates of the spans behind are too low.",
            ),
        ),
        ("baggage", baggage()),
    ])
    .says("The trace-context formats that are read and written, and baggage.")
}

fn baggage() -> Schema {
    object([
        (
            "deny",
            list(non_empty(), MAX_DENIED).example(vec!["internal.*"]).says(
                "Patterns of keys whose members are removed; * is any run of characters, and \"*\" removes all.",
            ),
        ),
        (
            "maxBytes",
            size(&BAGGAGE_BYTES).example("8KiB").says(
                "The size beyond which members are removed from the right: bytes, or a whole number and B, KiB or MiB. Without \
                 it nothing is removed.",
            ),
        ),
        (
            "from",
            list(words(&BAGGAGE_SOURCES), BAGGAGE_SOURCES.len()).says(
                "Other forms that are copied into W3C's: jaeger is uberctx-*, ottrace is ot-baggage-*.",
            ),
        ),
    ])
    .says("Changes of W3C Baggage, which passes byte for byte without them.")
}

/// Returns the schema of what is believed of a context.
pub(super) fn trust(meaning: &str) -> Schema {
    let defaults = Trust::default();
    object([
        (
            "context",
            words(&CONTEXT_TRUSTS)
                .default(word(&CONTEXT_TRUSTS, defaults.context))
                .says(
                    "accept continues the trace; restart begins a new one with a span link to the old; ignore begins one without \
                     a link.",
                ),
        ),
        (
            "decision",
            words(&DECISION_TRUSTS)
                .default(word(&DECISION_TRUSTS, defaults.decision))
                .says("accept follows the caller's sampling decision; ignore keeps the ids and decides here."),
        ),
        (
            "debug",
            boolean()
                .default(defaults.debug)
                .says("Believe that a caller asks for debugging; false takes it for plain sampled."),
        ),
        (
            "jaegerDebug",
            boolean().default(defaults.jaeger_debug).says(
                "Believe Jaeger's debug bit, which OpenTelemetry's Python propagator sets on every sampled span.",
            ),
        ),
    ])
    .says(meaning)
}

fn formats() -> Schema {
    list(one_of(Format::ALL.map(Format::name)), Format::ALL.len())
}

fn names(formats: &[Format]) -> Vec<&'static str> {
    formats.iter().map(|format| format.name()).collect()
}

/// Returns the word for a value.
fn word<T: PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    let found = words.iter().find(|(_, meaning)| *meaning == value);
    found.map_or("", |(word, _)| word)
}
