//! The metrics that an expression of PromQL names.
//!
//! Written by hand, because the one parser of PromQL in Rust (promql-parser) brings a parser generator and twenty crates. Whether an expression
//! is one at all is asked of Prometheus itself (`external.rs`).

use std::collections::BTreeSet;

/// A metric's name, or a regular expression that `__name__` has to match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selected {
    Name(String),
    Pattern(String),
}

/// Words of the language that stand where a name could.
const KEYWORDS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];
/// Words of the language that a list of labels follows.
const BEFORE_LABELS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// Returns the metrics that an expression names.
pub(super) fn selected(expression: &str) -> BTreeSet<Selected> {
    let mut found = BTreeSet::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '{' => {
                let (inner, behind) = until('}', &rest[1..]);
                found.extend(of_labels(inner));
                behind
            }
            '[' => until(']', rest).1,
            // A number or a duration.
            _ if first.is_ascii_digit() => rest.trim_start_matches(is_of_name),
            _ if is_of_name(first) => {
                let behind = rest.trim_start_matches(is_of_name);
                let word = &rest[..rest.len() - behind.len()];
                let behind = behind.trim_start();
                if BEFORE_LABELS.contains(&word) && behind.starts_with('(') {
                    until(')', behind).1
                } else {
                    if !KEYWORDS.contains(&word) && !behind.starts_with('(') {
                        // An aggregation may have its labels between its name and its parenthesis.
                        let next = behind.split(|it| !is_of_name(it)).next();
                        if !next.is_some_and(|next| BEFORE_LABELS[..2].contains(&next)) {
                            found.insert(Selected::Name(word.to_owned()));
                        }
                    }
                    behind
                }
            }
            _ => &rest[first.len_utf8()..],
        }
        .trim_start();
    }
    found
}

fn is_of_name(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_' || it == ':'
}

/// Returns what `{…}` says of the name.
fn of_labels(inner: &str) -> Option<Selected> {
    let (_, behind) = inner.split_once("__name__")?;
    let (operator, behind) = behind.split_once('"')?;
    let value = behind.split('"').next()?.to_owned();
    match operator.trim() {
        "=" => Some(Selected::Name(value)),
        "=~" => Some(Selected::Pattern(value)),
        _ => None,
    }
}

/// Returns the text up to a closing sign, and the rest behind it; strings are left whole.
fn until(close: char, text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, it) in text.char_indices() {
        match it {
            '"' => quoted = !quoted,
            _ if it == close && !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

#[test]
fn names_are_told_from_functions_labels_and_keywords() {
    let name = |text: &str| Selected::Name(text.to_owned());
    let pattern = |text: &str| Selected::Pattern(text.to_owned());
    for (expression, expected) in [
        ("up == 0", vec![name("up")]),
        (
            "sum by (pod, le) (rate(a_bucket{x=\"}b\"}[5m])) / on (pod) group_left (c) d > bool 1e3",
            vec![name("a_bucket"), name("d")],
        ),
        (
            "max_over_time(sum (rate(a:b[5m] offset 1h))[1h:1m]) unless on () count(c)",
            vec![name("a:b"), name("c")],
        ),
        (
            "rate({__name__=~\"a(_total)?\", job=\"b\"}[5m]) or vector(0)",
            vec![pattern("a(_total)?")],
        ),
        ("{__name__=\"a.b\"}", vec![name("a.b")]),
    ] {
        assert_eq!(
            Vec::from_iter(selected(expression)),
            expected,
            "{expression}"
        );
    }
}
