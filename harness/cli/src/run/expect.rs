//! Comparison of a run with the scenario's expectations.
//!
//! Names that a pattern captures count from there on, in the order of the scenario: requests first, then spans. Each
//! expected span takes the first exported span that matches.
//!
//! Written here because a snapshot (`insta`) records the output of one's own program, and a scenario states its user's
//! expectations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::lines::{Lines, shown};
use super::pattern::{Known, Pattern};
use super::report::Failure;
use super::scenario::{End, Span as Expected};
use super::span::Span;
use crate::check::input::document::Document;

/// Header fields as bytes, in order.
pub(super) type Headers = Vec<(String, Vec<u8>)>;

/// Expectations that were not met.
#[derive(Debug, Default)]
pub(super) struct Failures(pub(super) Vec<Failure>);

impl Failures {
    fn add(
        &mut self,
        at: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        self.0.push(Failure {
            at: at.into(),
            expected: expected.into(),
            found: found.into(),
        });
    }

    /// Compares the named headers.
    pub(super) fn headers(
        &mut self,
        at: &str,
        expected: &BTreeMap<String, Lines>,
        found: Option<&Headers>,
        known: &mut Known,
    ) {
        let Some(found) = found else {
            if !expected.is_empty() {
                self.add(at, "headers", "none: it never came so far");
            }
            return;
        };
        for (name, Lines(lines)) in expected {
            let name = name.to_ascii_lowercase();
            let values: Vec<&[u8]> = found
                .iter()
                .filter(|(other, _)| *other == name)
                .map(|(_, value)| value.as_slice())
                .collect();
            let mut tried = known.clone();
            let is_as_expected = lines.len() == values.len()
                && lines
                    .iter()
                    .zip(&values)
                    .all(|(line, value)| line.matches(value, &mut tried));
            if is_as_expected {
                *known = tried;
            } else {
                let expected = lines.iter().map(|line| line.shown(known));
                self.add(
                    format!("{at}.{name}"),
                    list(expected),
                    list(values.into_iter().map(shown)),
                );
            }
        }
    }

    /// Compares all headers with the received ones.
    pub(super) fn unchanged(&mut self, at: &str, before: &Headers, after: Option<&Headers>) {
        let Some(after) = after else {
            return self.add(
                at,
                "the request as it came",
                "none: it did not reach the upstream",
            );
        };
        let text = |headers: &Headers, without: &Headers| {
            let lines = headers.iter().filter(|field| !without.contains(field));
            list(lines.map(|(name, value)| format!("{name}: {}", shown(value))))
        };
        if before != after {
            self.add(at, text(before, after), text(after, before));
        }
    }

    /// Compares spans, logs and counters at the end of the run.
    pub(super) fn end(
        &mut self,
        expected: &End,
        spans: &[Span],
        logs: &[String],
        counter: impl Fn(&str) -> Option<u64>,
        known: &mut Known,
    ) {
        if let Some(expected) = &expected.spans {
            self.spans(expected, spans, known);
        }
        for pattern in &expected.logs.contain {
            if !is_logged(pattern, logs, known) {
                self.add(
                    "expect.logs.contain",
                    pattern.shown(known),
                    format!("no such line in {}", logs.len()),
                );
            }
        }
        for pattern in &expected.logs.lack {
            if is_logged(pattern, logs, known) {
                self.add(
                    "expect.logs.lack",
                    format!("no line with {}", pattern.shown(known)),
                    "one",
                );
            }
        }
        for (name, value) in &expected.counters {
            let found = counter(name);
            if found.unwrap_or(0) != *value {
                let found = found.map_or("0, not defined".into(), |value| value.to_string());
                self.add(format!("expect.counters.{name}"), value.to_string(), found);
            }
        }
    }

    fn spans(&mut self, expected: &[Expected], spans: &[Span], known: &mut Known) {
        let mut left: Vec<&Span> = spans.iter().collect();
        for (index, expected) in expected.iter().enumerate() {
            let at = format!("expect.spans[{index}]");
            if let Some(found) = left
                .iter()
                .position(|span| differences(expected, span, known).is_empty())
            {
                left.remove(found);
                continue;
            }
            // The nearest span says most about the cause.
            let tried = |span: &&Span| differences(expected, span, &mut known.clone());
            match left.iter().map(tried).min_by_key(Vec::len) {
                None => self.add(at, "a span", "no more spans"),
                Some(differences) => {
                    for (field, expected, found) in differences {
                        self.add(format!("{at}.{field}"), expected, found);
                    }
                }
            }
        }
        if expected.len() < spans.len() {
            let names = left
                .iter()
                .map(|span| format!("{} {} {}", span.kind, span.name, span.span_id));
            self.add(
                "expect.spans",
                format!("{} spans", expected.len()),
                format!("also {}", list(names)),
            );
        }
    }
}

/// Returns the field, the expected and the found value of each difference. Without any, `known` gets the patterns'
/// captures.
fn differences(
    expected: &Expected,
    span: &Span,
    known: &mut Known,
) -> Vec<(String, String, String)> {
    let mut tried = known.clone();
    let mut differences = Vec::new();
    let fields = [
        ("name", &expected.name, &span.name),
        ("kind", &expected.kind, &span.kind),
        ("trace", &expected.trace, &span.trace_id),
        ("span", &expected.span, &span.span_id),
        ("service", &expected.service, &span.service),
        ("status", &expected.status, &span.status),
        ("tracestate", &expected.tracestate, &span.trace_state),
    ];
    for (field, pattern, found) in fields {
        if let Some(pattern) = pattern
            && !pattern.matches(found, &mut tried)
        {
            differences.push((field.into(), pattern.shown(&tried), found.clone()));
        }
    }
    let is_parent = match (&expected.parent, &span.parent_span_id) {
        (None, _) | (Some(None), None) => true,
        (Some(Some(pattern)), Some(found)) => pattern.matches(found, &mut tried),
        _ => false,
    };
    if !is_parent {
        let expected = expected.parent.as_ref().and_then(Option::as_ref);
        let expected = expected.map_or("none".into(), |pattern| pattern.shown(&tried));
        let found = span.parent_span_id.clone().unwrap_or("none".into());
        differences.push(("parent".into(), expected, found));
    }
    let maps = [
        ("attributes", &expected.attributes, &span.attributes),
        ("resource", &expected.resource, &span.resource),
    ];
    for (field, expected, found) in maps {
        for (key, expected) in expected {
            let found = found.get(key);
            if !is_value(expected, found, &mut tried) {
                let found = found.map_or("none".into(), Value::to_string);
                differences.push((format!("{field}.{key}"), expected.to_json(), found));
            }
        }
    }
    if differences.is_empty() {
        *known = tried;
    }
    differences
}

/// Returns true if a value is as expected: text is a pattern, `null` means none, everything else must be equal.
fn is_value(expected: &Document, found: Option<&Value>, known: &mut Known) -> bool {
    match (expected, found) {
        (Document::Null, found) => found.is_none(),
        (_, None) => false,
        (Document::String(text), Some(Value::String(found))) => {
            Pattern::parse(text).map_or(text == found, |pattern| pattern.matches(found, known))
        }
        (expected, Some(found)) => {
            serde_json::to_value(expected).is_ok_and(|expected| expected == *found)
        }
    }
}

fn is_logged(pattern: &Pattern, logs: &[String], known: &Known) -> bool {
    logs.iter().any(|line| pattern.is_in(line, known))
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        "none".into()
    } else {
        items.join(" | ")
    }
}

#[cfg(test)]
mod tests;
