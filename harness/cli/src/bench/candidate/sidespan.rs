//! Sidespan's filter, in the configurations that are measured.

use serde_json::json;
use sidespan_core::propagation::format::Format;

use super::description::{Build, Candidate, Group, RECEIVER, Work};
use super::least::{LEAST_KEEP, LEAST_SAMPLED, LEAST_UNSAMPLED};

/// Returns all candidates with Sidespan's filter.
pub(super) fn all() -> Vec<Candidate> {
    use Direction::{Auto, Inbound};
    use Inject::{All, B3, Default, W3c};
    use Keep::{Off, On};
    vec![
        candidate(
            "sidespan-100-w3c",
            100,
            W3c,
            On,
            Inbound,
            Some(LEAST_SAMPLED),
        ),
        candidate("sidespan-100-b3", 100, B3, On, Inbound, None),
        candidate("sidespan-100-default", 100, Default, On, Inbound, None),
        candidate("sidespan-100-all", 100, All, On, Inbound, None),
        candidate(
            "sidespan-0-w3c-no-keep",
            0,
            W3c,
            Off,
            Inbound,
            Some(LEAST_UNSAMPLED),
        ),
        candidate("sidespan-0-default-no-keep", 0, Default, Off, Inbound, None),
        candidate("sidespan-0-w3c-keep", 0, W3c, On, Inbound, Some(LEAST_KEEP)),
        candidate("sidespan-0-default-keep", 0, Default, On, Inbound, None),
        candidate(
            "sidespan-0-w3c-no-keep-auto",
            0,
            W3c,
            Off,
            Auto,
            Some(LEAST_UNSAMPLED),
        ),
        candidate(
            "sidespan-0-w3c-keep-auto",
            0,
            W3c,
            On,
            Auto,
            Some(LEAST_KEEP),
        ),
        candidate("sidespan-1-w3c-no-keep", 1, W3c, Off, Inbound, None),
        candidate("sidespan-1-w3c-keep", 1, W3c, On, Inbound, None),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum Inject {
    /// `traceparent` alone: the work of Envoy's OpenTelemetry tracer.
    W3c,
    /// `traceparent` and `x-b3-*`: the work of Envoy's Zipkin tracer.
    B3,
    /// The default: `traceparent`, `x-b3-*`, and `tracestate` for sampled requests.
    Default,
    /// Every format.
    All,
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    On,
    Off,
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    /// A direction that the configuration sets.
    Inbound,
    /// A direction that the filter reads from the proxy with every request.
    Auto,
}

/// Makes a candidate with Sidespan's filter, whose name, title and configuration say the same.
fn candidate(
    name: &str,
    percentage: u8,
    inject: Inject,
    keep: Keep,
    direction: Direction,
    floor: Option<&'static str>,
) -> Candidate {
    let mut configuration = json!({
        "sampling": {"percentage": percentage},
        "export": {"otlp": {"cluster": RECEIVER}},
    });
    let mut title = format!("{percentage} %");
    let mut as_a_tracer = |formats: &[&str]| {
        configuration["propagation"] = json!({"inject": formats, "mirror": false});
        // Envoy's own tracers write no sampling threshold.
        configuration["sampling"]["consistent"] = false.into();
    };
    match inject {
        Inject::W3c => {
            as_a_tracer(&["tracecontext"]);
            title += ", writes traceparent";
        }
        Inject::B3 => {
            as_a_tracer(&["tracecontext", "b3multi"]);
            title += ", writes traceparent and x-b3-*";
        }
        Inject::Default => title += ", writes W3C and B3",
        Inject::All => {
            let formats = Format::ALL.map(Format::name);
            configuration["propagation"] = json!({"inject": formats});
            title += ", writes all nine formats";
        }
    }
    if keep == Keep::Off {
        configuration["sampling"]["keep"] = json!({"errors": false});
        title += ", keep off";
    }
    match direction {
        Direction::Inbound => configuration["direction"] = "inbound".into(),
        Direction::Auto => title += ", direction auto",
    }
    Candidate {
        name: name.into(),
        title,
        group: Group::Sidespan,
        work: Work::Sidespan(Build::Own, configuration),
        floor,
        own: None,
    }
}
