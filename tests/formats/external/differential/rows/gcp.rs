//! Google Cloud: section 4.5 and appendix B.

use sidespan_core::propagation::context::SamplingState;

use super::{bytes, is_open_but, rows, text};
use crate::formats::external::differential::answer::{Case, Difference};

rows! {
    Python &["gcp"] => {
        "GCP missing o: deny": |case| !case.text().contains("o=") && is_open_but(case, false),
        "GCP o=2: the number as flags": |case| {
            // The decisions are equal; we do not read the bit that they take for W3C's random flag.
            case.is(Difference::Sampling) && case.they_say(case.we_say(SamplingState::Accept))
        },
        "GC-2: no span: none": has_no_span,
        "GC-3: upper-case: none": |case| {
            case.is(Difference::WeAlone) && case.text().contains(|it: char| it.is_ascii_uppercase())
        },
        // As in App Engine's own reader, an empty option is absent.
        "GC-1: o= empty: none": |case| case.is(Difference::WeAlone) && case.text().ends_with(";o="),
        "more than 20 digits, of which zeros": |case| {
            let text = case.text();
            let span_id = text.split(['/', ';']).nth(1).unwrap_or_default();
            case.is(Difference::WeAlone) && span_id.len() > 20 && span_id.starts_with('0')
        },
    }
    JavaScript &["gcp"] => {
        "GCP missing o: deny": |case| !case.text().contains("o=") && is_open_but(case, false),
        "GC-2: no span: none": has_no_span,
        "GCP o=2: accept": |case| {
            let text = case.text();
            let options = text.split(";o=").nth(1).unwrap_or_default();
            let is_odd = options.ends_with(['1', '3', '5', '7', '9']);
            case.is(Difference::Sampling) && case.they_say(true) && options != "0" && !is_odd
        },
        // JavaScript's expression ends before the value does, and reads an option that is no number as unsampled.
        "junk behind the ids": |case| {
            let value = bytes(&case.text());
            let behind = value.get(without_options(&value).len()..).unwrap_or_default();
            let is_number = |options: &[u8]| options.iter().all(u8::is_ascii_digit);
            case.is(Difference::TheyAlone)
                && !behind.strip_prefix(b";o=").is_some_and(is_number)
                && case.is_cured_by(without_options)
        },
    }
}

fn has_no_span(case: &Case<'_>) -> bool {
    let text = case.text();
    let span_id = text.split(['/', ';']).nth(1).filter(|_| text.contains('/'));
    let ours = case.ours.as_ref();
    case.is(Difference::WeAlone)
        && span_id.is_none_or(|digits| digits.bytes().all(|digit| digit == b'0'))
        && ours.is_some_and(|ours| ours.context.span_id.is_none())
}

/// Returns the two ids without the rest from the first other byte on.
fn without_options(value: &[u8]) -> Vec<u8> {
    let value = text(value);
    let (trace_id, rest) = value.split_once('/').unwrap_or((&value, ""));
    let end = rest
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(rest.len());
    bytes(&format!("{trace_id}/{}", &rest[..end]))
}
