//! The comparison of traces with expectations.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use sidespan_sink::{Resource, StatusCode, StoredSpan, Value};

use super::file::{Expectations, Hop, Span, Trace};
use super::values::{Count, Wanted, shown};
use crate::verify::report::Outcome;

/// The spans of a trace, with what is above each.
struct Tree<'a> {
    spans: &'a [StoredSpan],
    by_id: HashMap<&'a str, &'a StoredSpan>,
}

impl<'a> Tree<'a> {
    fn of(spans: &'a [StoredSpan]) -> Self {
        // The first of two spans with one id, as a tree has one place for each.
        let by_id = spans.iter().rev().map(|span| (span.span_id.as_str(), span));
        Self {
            spans,
            by_id: by_id.collect(),
        }
    }

    fn parent(&self, span: &StoredSpan) -> Option<&'a StoredSpan> {
        let id = span.parent_span_id.as_deref()?;
        self.by_id.get(id).copied()
    }

    /// Returns the fields in which a span is not as it must be.
    fn differences(&self, wanted: &Span, span: &StoredSpan) -> Vec<String> {
        let mut found = Vec::new();
        let mut differs = |field: &str, is: bool, value: &dyn Display, wanted: &dyn Display| {
            if !is {
                found.push(format!("{field} {value} instead of {wanted}"));
            }
        };
        let texts = [
            ("service", &wanted.service, span.service()),
            ("name", &wanted.name, span.name.as_str()),
            ("trace", &wanted.trace, span.trace_id.as_str()),
            ("scope", &wanted.scope, span.scope.name.as_str()),
        ];
        for (field, wanted, value) in texts {
            if let Some(wanted) = wanted {
                differs(field, wanted.matches(value), &value, &wanted.0);
            }
        }
        if let Some(wanted) = wanted.kind {
            differs("kind", wanted == span.kind, &span.kind, &wanted);
        }
        if let Some(wanted) = wanted.status {
            let (value, name) = (named(span.status.code), named(wanted));
            differs("status", wanted == span.status.code, &value, &name);
        }
        let nanos = u128::from(span.duration_nanos());
        let millis = format!("{:.1} ms", span.duration_nanos() as f64 / 1e6);
        if let Some(least) = wanted.min_duration {
            differs(
                "duration",
                nanos >= least.as_nanos(),
                &millis,
                &format!("at least {least:?}"),
            );
        }
        if let Some(most) = wanted.max_duration {
            differs(
                "duration",
                nanos <= most.as_nanos(),
                &millis,
                &format!("at most {most:?}"),
            );
        }
        let of_span = |key: &str| span.attribute(key);
        attributes(&mut differs, &wanted.attributes, of_span);
        let resource: &Resource = &span.resource;
        attributes(&mut differs, &wanted.resource, |key| {
            resource.attribute(key)
        });
        self.relations(wanted, span, &mut found);
        found
    }

    fn relations(&self, wanted: &Span, span: &StoredSpan, found: &mut Vec<String>) {
        let parent = self.parent(span);
        match &wanted.parent {
            None => {}
            Some(None) => {
                if let Some(id) = &span.parent_span_id {
                    found.push(format!("parent {id} instead of none"));
                }
            }
            Some(Some(wanted)) => match parent {
                None => found.push(format!("no parent instead of {}", words(wanted))),
                Some(parent) => {
                    let differences = self.differences(wanted, parent);
                    if !differences.is_empty() {
                        found.push(format!("parent with {}", differences.join(", ")));
                    }
                }
            },
        }
        if let Some(wanted) = &wanted.below {
            let mut above = std::iter::successors(parent, |span| self.parent(span)).take(DEEPEST);
            if !above.any(|span| self.differences(wanted, span).is_empty()) {
                found.push(format!("nothing above it is {}", words(wanted)));
            }
        }
    }

    fn count(&self, wanted: &Span) -> usize {
        let all = self.spans.iter();
        all.filter(|span| self.differences(wanted, span).is_empty())
            .count()
    }

    fn hops(&self, wanted: &Hop) -> usize {
        let calls = self
            .spans
            .iter()
            .filter_map(|span| Some((self.parent(span)?, span)));
        let calls = calls.map(|(from, to)| (from.service(), to.service()));
        calls
            .filter(|(from, to)| from != to && wanted.from.matches(from) && wanted.to.matches(to))
            .count()
    }

    /// Returns what of a trace is missing or too much.
    fn lacks(&self, wanted: &Trace) -> Vec<String> {
        let mut lacks = Vec::new();
        if let Some(size) = wanted.size.filter(|size| !size.holds(self.spans.len())) {
            lacks.push(format!("{} spans instead of {size}", self.spans.len()));
        }
        for span in &wanted.spans {
            let (count, found) = (span.count.unwrap_or(Count::SOME), self.count(span));
            if !count.holds(found) {
                lacks.push(format!("{found} of {count} {}", words(span)));
            }
        }
        for hop in &wanted.hops {
            let (count, found) = (hop.count.unwrap_or(Count::SOME), self.hops(hop));
            if !count.holds(found) {
                lacks.push(format!("{found} of {count} {} -> {}", hop.from.0, hop.to.0));
            }
        }
        for span in &wanted.absent {
            let found = self.count(span);
            if found > 0 {
                lacks.push(format!("{found} of no {}", words(span)));
            }
        }
        lacks
    }
}

impl Expectations {
    /// Compares traces, each with its spans.
    pub(in crate::verify) fn compare(&self, traces: &[Vec<StoredSpan>]) -> Vec<Outcome> {
        let trees: Vec<Tree<'_>> = traces.iter().map(|spans| Tree::of(spans)).collect();
        let traces = self
            .traces
            .iter()
            .enumerate()
            .map(|(at, it)| trace(at, it, &trees));
        let spans = self.spans.iter().enumerate();
        let spans = spans.map(|(at, it)| span(&format!("spans[{at}]"), it, it.count, &trees));
        let none = Some(Count { min: 0, max: 0 });
        let absent = self.absent.iter().enumerate();
        let absent = absent.map(|(at, it)| span(&format!("absent[{at}]"), it, none, &trees));
        let hops = self
            .hops
            .iter()
            .enumerate()
            .map(|(at, it)| hop(at, it, &trees));
        traces.chain(spans).chain(hops).chain(absent).collect()
    }
}

fn trace(at: usize, wanted: &Trace, trees: &[Tree<'_>]) -> Outcome {
    let count = wanted.count.unwrap_or(Count::SOME);
    let lacks: Vec<Vec<String>> = trees.iter().map(|tree| tree.lacks(wanted)).collect();
    let found = lacks.iter().filter(|lacks| lacks.is_empty()).count();
    let nearest = lacks
        .iter()
        .filter(|lacks| !lacks.is_empty())
        .min_by_key(|lacks| lacks.len());
    let nearest = nearest.filter(|_| found < count.min);
    let inner = wanted.spans.iter().filter_map(|span| span.count);
    let inner = inner
        .chain(wanted.hops.iter().filter_map(|hop| hop.count))
        .chain(wanted.size);
    Outcome {
        at: match wanted.name.as_str() {
            "" => format!("traces[{at}]"),
            name => format!("traces[{at}] ({name})"),
        },
        holds: count.holds(found),
        expected: format!("{count} traces with all of it"),
        found: match nearest {
            Some(lacks) => format!("{found}; the nearest has {}", lacks.join(", ")),
            None => format!("{found} among {} traces", trees.len()),
        },
        can_break: count.can_break()
            || !wanted.absent.is_empty()
            || inner.into_iter().any(Count::can_break),
    }
}

fn span(at: &str, wanted: &Span, count: Option<Count>, trees: &[Tree<'_>]) -> Outcome {
    let count = count.unwrap_or(Count::SOME);
    let found: usize = trees.iter().map(|tree| tree.count(wanted)).sum();
    let nearest = || {
        let all = trees
            .iter()
            .flat_map(|tree| tree.spans.iter().map(move |span| (tree, span)));
        let all = all.map(|(tree, span)| (span, tree.differences(wanted, span)));
        all.filter(|(_, differences)| !differences.is_empty())
            .min_by_key(|(_, differences)| differences.len())
    };
    let nearest = (found < count.min).then(nearest).flatten();
    Outcome {
        at: at.to_owned(),
        holds: count.holds(found),
        expected: format!("{count} {}", words(wanted)),
        found: match nearest {
            Some((span, differences)) => format!(
                "{found}; the nearest, {} {} {}, has {}",
                span.service(),
                span.kind,
                span.name,
                differences.join(", ")
            ),
            None => found.to_string(),
        },
        can_break: count.can_break(),
    }
}

fn hop(at: usize, wanted: &Hop, trees: &[Tree<'_>]) -> Outcome {
    let count = wanted.count.unwrap_or(Count::SOME);
    let found: usize = trees.iter().map(|tree| tree.hops(wanted)).sum();
    Outcome {
        at: format!("hops[{at}]"),
        holds: count.holds(found),
        expected: format!("{count} {} -> {}", wanted.from.0, wanted.to.0),
        found: found.to_string(),
        can_break: count.can_break(),
    }
}

fn attributes<'v>(
    differs: &mut impl FnMut(&str, bool, &dyn Display, &dyn Display),
    wanted: &BTreeMap<String, Wanted>,
    value: impl Fn(&str) -> Option<&'v Value>,
) {
    for (key, wanted) in wanted {
        let found = value(key);
        let text = found.map_or("none".to_owned(), shown);
        differs(key, wanted.matches(found), &text, wanted);
    }
}

/// Returns a span that is wanted in words.
fn words(wanted: &Span) -> String {
    let mut words = Vec::new();
    let mut add = |field: &str, value: String| words.push(format!("{field} {value}"));
    let texts = [
        ("service", &wanted.service),
        ("name", &wanted.name),
        ("trace", &wanted.trace),
        ("scope", &wanted.scope),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            add(field, text.0.clone());
        }
    }
    if let Some(kind) = wanted.kind {
        add("kind", kind.to_string());
    }
    if let Some(status) = wanted.status {
        add("status", named(status).to_owned());
    }
    for (key, value) in wanted.attributes.iter().chain(&wanted.resource) {
        add(key, value.to_string());
    }
    if let Some(least) = wanted.min_duration {
        add("at least", format!("{least:?}"));
    }
    if let Some(most) = wanted.max_duration {
        add("at most", format!("{most:?}"));
    }
    match &wanted.parent {
        None => {}
        Some(None) => add("without", "a parent".into()),
        Some(Some(parent)) => add("under", self::words(parent)),
    }
    if let Some(above) = &wanted.below {
        add("below", self::words(above));
    }
    match words.is_empty() {
        true => "span".to_owned(),
        false => format!("({})", words.join(", ")),
    }
}

fn named(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Unset => "unset",
        StatusCode::Ok => "ok",
        StatusCode::Error => "error",
        StatusCode::Unknown(_) => "unknown",
    }
}

/// The spans above one that are looked at; a circle ends nowhere.
const DEEPEST: usize = 10_000;
