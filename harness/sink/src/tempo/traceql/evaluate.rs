//! The evaluation of a condition on one span.

use std::borrow::Cow;
use std::collections::HashMap;

use super::expression::{Expression, Operand};
use super::field::{Field, Intrinsic};
use super::term::{Comparison, Term, elements};
use crate::store::{StoredSpan, TagScope, TraceSummary, Value};

/// The facts of a trace that its spans share.
#[derive(Debug, Default)]
pub(in crate::tempo) struct Facts {
    /// The trace.
    pub(in crate::tempo) summary: Option<TraceSummary>,
    /// The number of children of each span that has some, by its id.
    pub(in crate::tempo) children: HashMap<String, i64>,
}

/// Returns true if a span meets a condition.
pub(in crate::tempo) fn holds(expression: &Expression, span: &StoredSpan, facts: &Facts) -> bool {
    match expression {
        Expression::And(left, right) => holds(left, span, facts) && holds(right, span, facts),
        Expression::Or(left, right) => holds(left, span, facts) || holds(right, span, facts),
        Expression::Not(inner) => !holds(inner, span, facts),
        Expression::Compare(left, comparison, right) => {
            compare(left, *comparison, right, span, facts)
        }
        Expression::Matches {
            field,
            pattern,
            is_wanted,
        } => {
            let matches = |term: &Term<'_>| match term {
                Term::Text(text) => Some(pattern.is_match(text)),
                _ => None,
            };
            values(field, span, facts)
                .iter()
                .any(|value| match is_wanted {
                    true => value.iter().any(|term| matches(term) == Some(true)),
                    false => all(value, |term| matches(term) == Some(false)),
                })
        }
        Expression::Exists { field, is_wanted } => {
            values(field, span, facts).is_empty() != *is_wanted
        }
        Expression::Holds(Operand::Literal(term)) => *term == Term::Bool(true),
        Expression::Holds(Operand::Field(field)) => values(field, span, facts)
            .iter()
            .any(|value| value.contains(&Term::Bool(true))),
        Expression::Contains { field, lower } => values(field, span, facts)
            .iter()
            .flatten()
            .any(|term| term.text().to_lowercase().contains(lower)),
    }
}

fn compare(
    left: &Operand,
    comparison: Comparison,
    right: &Operand,
    span: &StoredSpan,
    facts: &Facts,
) -> bool {
    let ids = [left, right].into_iter().any(is_id);
    let (left, right) = (side(left, span, facts, ids), side(right, span, facts, ids));
    // Of events and links any will do; of an array any element, but for "not equal", which no element may be.
    left.iter().any(|left| {
        right.iter().any(|right| {
            let pair = |a: &Term<'_>| right.iter().any(|b| comparison.holds(a, b));
            match comparison {
                Comparison::NotEqual => all(left, |a| all(right, |b| comparison.holds(a, b))),
                _ => left.iter().any(pair),
            }
        })
    })
}

fn all(value: &[Term<'_>], holds: impl Fn(&Term<'_>) -> bool) -> bool {
    !value.is_empty() && value.iter().all(holds)
}

fn is_id(operand: &Operand) -> bool {
    use Intrinsic::{LinkSpanId, LinkTraceId, ParentId, SpanId, TraceId};
    matches!(
        operand,
        Operand::Field(Field::Intrinsic(
            SpanId | ParentId | TraceId | LinkTraceId | LinkSpanId
        ))
    )
}

fn side<'a>(
    operand: &'a Operand,
    span: &'a StoredSpan,
    facts: &'a Facts,
    ids: bool,
) -> Vec<Vec<Term<'a>>> {
    let mut values = match operand {
        Operand::Literal(term) => vec![vec![term.clone()]],
        Operand::Field(field) => values(field, span, facts),
    };
    if ids {
        // Tempo shows ids without the zeros in front, and takes them so.
        for term in values.iter_mut().flatten() {
            if let Term::Text(text) = term {
                let short = text.trim_start_matches('0').to_ascii_lowercase();
                *text = Cow::Owned(short);
            }
        }
    }
    values
}

/// Returns the values of a field: none if the span lacks it, several for events and links, and each as its elements.
pub(in crate::tempo) fn values<'a>(
    field: &Field,
    span: &'a StoredSpan,
    facts: &'a Facts,
) -> Vec<Vec<Term<'a>>> {
    match field {
        Field::Attribute(None, name) => {
            let own = span
                .attribute(name)
                .or_else(|| span.resource.attribute(name));
            own.into_iter().filter_map(present).collect()
        }
        Field::Attribute(Some(scope), name) => scope
            .attributes(span)
            .into_iter()
            .filter_map(|list| list.iter().find(|it| it.key == *name))
            .filter_map(|it| present(&it.value))
            .collect(),
        Field::Intrinsic(intrinsic) => {
            let terms = intrinsic_values(*intrinsic, span, facts);
            terms.into_iter().map(|term| vec![term]).collect()
        }
    }
}

fn present(value: &Value) -> Option<Vec<Term<'_>>> {
    (*value != Value::Empty).then(|| elements(value))
}

fn intrinsic_values<'a>(
    intrinsic: Intrinsic,
    span: &'a StoredSpan,
    facts: &'a Facts,
) -> Vec<Term<'a>> {
    let text = |text: &'a str| Term::Text(Cow::Borrowed(text));
    let summary = facts.summary.as_ref();
    let root = summary.and_then(|summary| summary.root.as_ref());
    match intrinsic {
        Intrinsic::Name => vec![text(&span.name)],
        Intrinsic::Duration => vec![nanos(span.duration_nanos())],
        Intrinsic::Status => vec![Term::Status(span.status.code)],
        Intrinsic::StatusMessage => vec![text(&span.status.message)],
        Intrinsic::Kind => vec![Term::Kind(span.kind)],
        Intrinsic::SpanId => vec![text(&span.span_id)],
        Intrinsic::ParentId => vec![text(span.parent_span_id.as_deref().unwrap_or_default())],
        Intrinsic::ChildCount => {
            vec![Term::Int(
                facts
                    .children
                    .get(&span.span_id)
                    .copied()
                    .unwrap_or_default(),
            )]
        }
        Intrinsic::TraceId => vec![text(&span.trace_id)],
        Intrinsic::TraceDuration => summary
            .map(|it| nanos(it.end_unix_nanos.saturating_sub(it.start_unix_nanos)))
            .into_iter()
            .collect(),
        Intrinsic::RootName => root.map(|root| text(&root.name)).into_iter().collect(),
        Intrinsic::RootService => root.map(|root| text(&root.service)).into_iter().collect(),
        Intrinsic::EventName => span.events.iter().map(|it| text(&it.name)).collect(),
        Intrinsic::EventTime => {
            let since = |at: u64| i128::from(at) - i128::from(span.start_unix_nanos);
            let times = span.events.iter().map(|it| since(it.unix_nanos));
            times
                .map(|time| Term::Duration(i64::try_from(time).unwrap_or(i64::MAX)))
                .collect()
        }
        Intrinsic::LinkTraceId => span.links.iter().map(|it| text(&it.trace_id)).collect(),
        Intrinsic::LinkSpanId => span.links.iter().map(|it| text(&it.span_id)).collect(),
        Intrinsic::ScopeName => vec![text(&span.scope.name)],
        Intrinsic::ScopeVersion => vec![text(&span.scope.version)],
    }
}

fn nanos(nanos: u64) -> Term<'static> {
    Term::Duration(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// Returns what an answer shows of a span for a query: the attributes and fields that the query names.
pub(in crate::tempo) fn shown(
    expression: &Expression,
    span: &StoredSpan,
    facts: &Facts,
) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = Vec::new();
    expression.each_field(&mut |field| {
        let (name, value) = match field {
            Field::Attribute(scope, name) => (name.as_str(), first(*scope, name, span).cloned()),
            Field::Intrinsic(intrinsic) => {
                let Some(name) = intrinsic.shown_name() else {
                    return;
                };
                let terms = intrinsic_values(*intrinsic, span, facts);
                (name, terms.into_iter().next().map(|term| value_of(&term)))
            }
        };
        if found.iter().all(|(known, _)| known != name) {
            found.extend(value.map(|value| (name.to_owned(), value)));
        }
    });
    found
}

fn first<'a>(scope: Option<TagScope>, name: &str, span: &'a StoredSpan) -> Option<&'a Value> {
    match scope {
        None => span
            .attribute(name)
            .or_else(|| span.resource.attribute(name)),
        Some(scope) => {
            let lists = scope.attributes(span).into_iter().flatten();
            let mut named = lists.filter(|it| it.key == name);
            named.next().map(|it| &it.value)
        }
    }
}

fn value_of(term: &Term<'_>) -> Value {
    match term {
        Term::Int(number) => Value::Int(*number),
        Term::Float(number) => Value::Double(*number),
        Term::Bool(truth) => Value::Bool(*truth),
        other => Value::String(other.text()),
    }
}
