//! The comparison of exported spans: each expected one takes the first that matches.

use serde_json::Value;

use super::failures::{Failures, list};
use crate::check::input::document::Document;
use crate::run::pattern::{Known, Pattern};
use crate::run::scenario::Span as Expected;
use crate::run::span::Span;

impl Failures {
    pub(super) fn spans(&mut self, expected: &[Expected], spans: &[Span], known: &mut Known) {
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
