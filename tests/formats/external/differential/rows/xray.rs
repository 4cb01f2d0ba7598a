//! AWS X-Ray: section 4.2 and appendix B.

use sidespan_core::propagation::context::SamplingState;

use super::{bytes, is_open_but, python_digits, rows, text};
use crate::formats::external::differential::answer::{Case, Difference, ours};

rows! {
    Python &["xray"] => {
        "Sampled=?: none": |case| case.is(Difference::WeAlone) && case.text().contains("Sampled=?"),
        "missing Sampled: deny": |case| has_no(case, "Sampled=") && is_open_but(case, false),
        "without Parent: none": has_no_parent,
        "trailing ; and parts without =: none": |case| {
            let is_pair = |part: &str| part.matches('=').count() == 1;
            case.is(Difference::WeAlone) && !case.text().split(';').all(is_pair)
        },
        "XR-6: a short epoch": |case| case.is(Difference::WeAlone) && epoch(case) < Some(8),
        // B3-40 for all formats: the first line counts.
        "two lines: none": |case| case.is(Difference::WeAlone) && case.lines("x-amzn-trace-id") > 1,
        "XR-2: of equal keys the last": |case| {
            let from_the_right = |value: &[u8]| {
                let parts: Vec<_> = value.rsplit(|byte| *byte == b';').collect();
                canonical(&parts.join(&b';'))
            };
            // Each of the equal keys must be valid.
            has_equal_keys(case)
                && (case.is(Difference::WeAlone)
                    || case.is_cured_by(from_the_right)
                    || is_incomplete(&from_the_right(&bytes(&case.text()))))
        },
        "white space around =, digits as int() reads them": |case| {
            !case.is(Difference::WeAlone) && case.is_cured_by(canonical)
        },
    }
    JavaScript &["xray"] => {
        "missing Sampled or ?: none": |case| {
            (has_no(case, "Sampled=") || case.text().contains("Sampled=?"))
                && case.is(Difference::WeAlone)
                && case.we_say(SamplingState::Deferred)
        },
        "without Parent: none": has_no_parent,
        "XR-6: a short epoch": |case| case.is(Difference::WeAlone) && epoch(case) < Some(8),
        "XR-2: of equal keys the last": |case| {
            has_equal_keys(case)
                && (case.is_cured_by(by_beginning)
                    || is_incomplete(&by_beginning(&bytes(&case.text()))))
        },
        "XR-2: keys by how they begin": |case| {
            let is_other = |part: String| {
                let mut keys = ["Root", "Parent", "Sampled"].iter();
                keys.any(|key| part.strip_prefix(key).is_some_and(|rest| !rest.starts_with('=')))
            };
            parts(case).any(is_other)
                && (case.is_cured_by(by_beginning)
                    || is_incomplete(&by_beginning(&bytes(&case.text()))))
        },
    }
}

fn parts(case: &Case<'_>) -> impl Iterator<Item = String> {
    let parts: Vec<_> = case
        .text()
        .split(';')
        .map(|part| part.trim().to_owned())
        .collect();
    parts.into_iter()
}

fn has_no_parent(case: &Case<'_>) -> bool {
    let ours = case.ours.as_ref();
    case.is(Difference::WeAlone)
        && has_no(case, "Parent=")
        && ours.is_some_and(|ours| ours.context.span_id.is_none())
}

fn has_no(case: &Case<'_>, key: &str) -> bool {
    !parts(case).any(|part| part.starts_with(key))
}

fn has_equal_keys(case: &Case<'_>) -> bool {
    let has_two = |key: &str| {
        let keys = parts(case).filter(|part| part.split('=').next().map(str::trim) == Some(key));
        keys.count() > 1
    };
    ["Root", "Parent", "Sampled"].into_iter().any(has_two)
}

fn epoch(case: &Case<'_>) -> Option<usize> {
    let root = parts(case).find_map(|part| Some(part.strip_prefix("Root=")?.to_owned()))?;
    root.split('-').nth(1).map(str::len)
}

/// Returns the value with keys as JavaScript sees them (by prefix), values after the first `=` (or whole parts without
/// one), and the parts reversed, because the last of equal keys counts there.
fn by_beginning(value: &[u8]) -> Vec<u8> {
    let parts: Vec<_> = text(value)
        .rsplit(';')
        .map(|part| {
            let part = part.trim();
            let value = part.split_once('=').map_or(part, |(_, value)| value);
            let mut keys = ["Root", "Parent", "Sampled"].into_iter();
            match keys.find(|key| part.starts_with(key)) {
                Some(key) => format!("{key}={value}"),
                None => part.to_owned(),
            }
        })
        .collect();
    bytes(&parts.join(";"))
}

/// Returns true for a context of ours that is none for the libraries, because it has no decision or no span.
fn is_incomplete(value: &[u8]) -> bool {
    let headers = vec![("x-amzn-trace-id", value.to_vec())];
    ours("xray", &headers).is_some_and(|ours| {
        let context = ours.context;
        context.span_id.is_none() || context.sampling == SamplingState::Deferred
    })
}

/// Returns the value as Python reads it: keys and values trimmed, ids as numbers of the right length.
fn canonical(value: &[u8]) -> Vec<u8> {
    let parts: Vec<_> = text(value)
        .split(';')
        .map(|part| {
            let Some((key, value)) = part.split_once('=') else {
                return part.to_owned();
            };
            let (key, value) = (key.trim(), value.trim());
            let canonical = match key {
                "Root" => root(value),
                "Parent" if value.chars().count() == 16 => {
                    python_digits(value).map(|digits| format!("{digits:0>16}"))
                }
                _ => None,
            };
            format!("{key}={}", canonical.as_deref().unwrap_or(value))
        })
        .collect();
    bytes(&parts.join(";"))
}

fn root(value: &str) -> Option<String> {
    let characters: Vec<_> = value.chars().collect();
    let (epoch, unique) = (characters.get(2..10)?, characters.get(11..35)?);
    if characters.len() != 35 || !value.starts_with("1-") || characters.get(10) != Some(&'-') {
        return None;
    }
    let digits = python_digits(&epoch.iter().chain(unique).collect::<String>())?;
    let digits = format!("{digits:0>32}");
    let (epoch, unique) = digits.split_at_checked(8)?;
    Some(format!("1-{epoch}-{unique}"))
}
