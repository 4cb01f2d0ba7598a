//! OpenTracing: section 4.3 and appendix B.

use sidespan_core::propagation::context::SamplingState;

use super::{is_open_but, rows, text};
use crate::formats::external::differential::answer::{Case, Difference};

rows! {
    Python &["ottrace"] => {
        // OT-4: the decision is open where `ot-tracer-sampled` is no boolean.
        "OT sampled missing or none: deny": |case| is_no_word(case) && is_open_but(case, false),
        "1 as sampled, TRUE: deny": is_other_word,
        // OT-2 accepts either case for ids, as Java and Go do for booleans.
        "OT-2: upper-case ids: none": |case| {
            let is_upper = |value: &[u8]| value.iter().any(|byte| matches!(byte, b'A'..=b'F'));
            case.is(Difference::WeAlone) && ids(case).any(is_upper)
        },
    }
    JavaScript &["ottrace"] => {
        "OT sampled missing or none: deny": |case| is_no_word(case) && is_open_but(case, false),
        "1 as sampled, TRUE: deny": is_other_word,
        "OT short ids: none": |case| {
            case.is(Difference::WeAlone) && ids(case).any(|id| !matches!(id.len(), 16 | 32))
        },
    }
}

fn ids<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a [u8]> {
    let names = ["ot-tracer-traceid", "ot-tracer-spanid"];
    names.into_iter().filter_map(|name| case.value(name))
}

fn is_no_word(case: &Case<'_>) -> bool {
    let word = case
        .value("ot-tracer-sampled")
        .map(text)
        .unwrap_or_default();
    let word = word.trim().to_ascii_lowercase();
    !["true", "false", "1", "0"].contains(&word.as_str())
}

fn is_other_word(case: &Case<'_>) -> bool {
    let word = case
        .value("ot-tracer-sampled")
        .map(text)
        .unwrap_or_default();
    case.is(Difference::Sampling)
        && case.we_say(SamplingState::Accept)
        && case.they_say(false)
        && word != "true"
}
