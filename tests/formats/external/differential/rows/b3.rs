//! B3: sections 2.2 and 2.4.

use sidespan_core::propagation::context::SamplingState;

use super::{bytes, is_open_but, lower, rows, text};
use crate::formats::external::differential::answer::{Case, Difference, ours};

rows! {
    Python &["b3", "b3multi"] => {
        "T-S-P: deny": |case| third(case).is_some_and(|it| it.len() == 16) && is_open_but(case, false),
        "T-S: accept": |case| is_two_ids(case) && is_open_but(case, true),
        "Sampled empty: deny": |case| sampled(case) == Some("".into()) && is_open_but(case, false),
        "multi ids only: deny": |case| sampled(case).is_none() && is_open_but(case, false),
        // Laxer: the ids are read in either case, and any third field is the state.
        "upper-case": |case| {
            let with_words = |value: &[u8]| match value {
                b"true" | b"True" => value.to_vec(),
                _ if value.eq_ignore_ascii_case(b"true") => b"0".to_vec(),
                _ => lower(value),
            };
            case.is(Difference::TheyAlone) && case.is_cured_by(with_words)
        },
        "B3-26: a state that is none, a parent that is empty": |case| {
            is_garbage(case) && case.is(Difference::TheyAlone) && case.is_cured_by(ids_of_single)
        },
        "B3-34: a Sampled that is none": |case| {
            !is_single(case) && case.is(Difference::TheyAlone) && !is_word(case)
        },
        // B3-6: OURS, case-insensitively.
        "Sampled TRUE: deny": |case| {
            let is_odd = |word: &str| !["true", "True"].contains(&word);
            case.is(Difference::Sampling)
                && case.we_say(SamplingState::Accept)
                && case.they_say(false)
                && sampled(case).is_some_and(|word| word.eq_ignore_ascii_case("true") && is_odd(&word))
        },
        // B3-27, and MF-2 for a decision alone: the other headers are read after all.
        "garbage b3 + good multi: none": |case| case.is(Difference::WeAlone) && falls_back(case),
        "garbage b3 + good multi: the garbage": |case| both(case) && falls_back(case),
    }
    JavaScript &["b3", "b3multi"] => {
        "T-S-P: deny": |case| third(case).is_some_and(|it| it.len() == 16) && is_open_but(case, false),
        "T-S: deny": |case| is_two_ids(case) && is_open_but(case, false),
        "multi ids only: deny": |case| sampled(case).is_none() && is_open_but(case, false),
        // JavaScript searches for its expression instead of matching it, so that text around is ignored.
        "B3-26: junk around ids and state": |case| {
            is_garbage(case) && case.is(Difference::TheyAlone)
        },
        "upper-case, multi": |case| {
            !is_single(case) && case.is(Difference::TheyAlone) && case.is_cured_by(lower)
        },
        "Sampled empty: none": |case| {
            case.is(Difference::WeAlone) && sampled(case) == Some("".into())
        },
        "Sampled TRUE: none": |case| {
            let is_odd = |word: &str| !["true", "True", "false", "False"].contains(&word);
            case.is(Difference::WeAlone)
                && sampled(case).is_some_and(|word| {
                    (word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false"))
                        && is_odd(&word)
                })
        },
        "garbage b3 + good multi: none": |case| case.is(Difference::WeAlone) && falls_back(case),
        "garbage b3 + good multi: the garbage": |case| both(case) && falls_back(case),
    }
}

fn is_single(case: &Case<'_>) -> bool {
    case.value("b3").is_some_and(|value| !value.is_empty())
}

/// Returns true if `b3` is no context, by the expression of the grammar in section 2.1, written a second time.
fn is_garbage(case: &Case<'_>) -> bool {
    let value = case.value("b3").map(text).unwrap_or_default();
    let fields: Vec<_> = value.trim().split('-').collect();
    let is_id = |field: &&str, digits: &[usize]| {
        let is_digit = |it: char| matches!(it, '0'..='9' | 'a'..='f');
        digits.contains(&field.len())
            && field.chars().all(is_digit)
            && field.contains(|it| it != '0')
    };
    let is_state = |field: &&str| ["0", "1", "d"].contains(field);
    let is_good = match fields.as_slice() {
        [trace_id, span_id, rest @ ..] if is_id(trace_id, &[16, 32]) && is_id(span_id, &[16]) => {
            match rest {
                [] => true,
                // No library minds a parent of zeros.
                [third] => is_state(third) || *third == "0".repeat(16) || is_id(third, &[16]),
                [state, parent] => is_state(state) && !parent.is_empty(),
                _ => false,
            }
        }
        _ => false,
    };
    is_single(case) && !is_good
}

/// Returns true if we read `x-b3-*`, because `b3` is there and no context.
fn falls_back(case: &Case<'_>) -> bool {
    is_garbage(case) && case.ours.is_some() && ours("b3 alone", case.headers).is_none()
}

fn is_two_ids(case: &Case<'_>) -> bool {
    is_single(case) && third(case).is_none()
}

fn both(case: &Case<'_>) -> bool {
    case.is(Difference::Ids) || case.is(Difference::Sampling)
}

fn third(case: &Case<'_>) -> Option<String> {
    text(case.value("b3")?.trim_ascii())
        .split('-')
        .nth(2)
        .map(Into::into)
}

fn sampled(case: &Case<'_>) -> Option<String> {
    case.value("x-b3-sampled").map(text)
}

fn is_word(case: &Case<'_>) -> bool {
    sampled(case).is_none_or(|word| {
        ["", "0", "1", "true", "false"].contains(&word.trim().to_ascii_lowercase().as_str())
    })
}

/// Returns `b3`'s two ids only, in lower case; other headers have no dash and stay.
fn ids_of_single(value: &[u8]) -> Vec<u8> {
    let value = text(&lower(value));
    let ids: Vec<_> = value.split('-').take(2).collect();
    bytes(&ids.join("-"))
}
