//! What is found of spans and calls whose other side is not found.

use std::collections::HashSet;

use super::broken_hop::{is_conflict, title};
use super::finding::{Cause, Finding, FindingKind, Hop, Severity};
use super::neighbours::Neighbours;
use super::shape::{hop, place};
use super::span_facts::{callee, is_answered, is_caller, is_kept, label, service, shown_service};
use super::trace_index::TraceIndex;
use crate::store::StoredSpan;

/// Returns the finding of a span whose parent nobody knows.
pub(super) fn missing_parent(span: &StoredSpan) -> Finding {
    let parent = span.parent_span_id.as_deref().unwrap_or_default();
    let whose = match is_caller(span) {
        true => format!(
            "of {} itself, of its application as a rule",
            shown_service(span)
        ),
        false => "of a caller that sends its spans elsewhere or was not sampled".into(),
    };
    Finding {
        kind: FindingKind::MissingParent,
        severity: Severity::Error,
        hop: None,
        cause: None,
        span_ids: vec![span.span_id.clone()],
        other_trace_id: None,
        message: format!(
            "{} hangs below span {parent}, which never came, and no call here lasted as long: it is {whose}",
            title(span)
        ),
        cure: "send the caller's spans here as well; where callers outside are traced by others, trust.context: restart at the edge begins traces of your own, with a link".into(),
    }
}

/// Returns the finding of roots that nobody called.
pub(super) fn several_roots(roots: &[&StoredSpan]) -> Finding {
    let names: Vec<String> = roots.iter().take(SHOWN).map(|span| title(span)).collect();
    Finding {
        kind: FindingKind::SeveralRoots,
        severity: Severity::Error,
        hop: None,
        cause: None,
        span_ids: roots.iter().map(|span| span.span_id.clone()).collect(),
        other_trace_id: None,
        message: format!(
            "{} spans have no parent ({}): the same trace id was used for several requests without a span above them, by a caller that hands on the id alone or makes the same one again",
            roots.len(),
            names.join(", ")
        ),
        cure: "let the caller record a span of its own, or send a new trace id with each request"
            .into(),
    }
}

/// Finds spans that came with a second context and went on with their caller's.
pub(super) fn conflicts(trace: &TraceIndex<'_>) -> Vec<Finding> {
    let inner = trace
        .spans
        .iter()
        .filter_map(|span| Some((*span, trace.parent(span)?)));
    let mut found: Vec<Finding> = Vec::new();
    for (span, parent) in inner {
        let Some(link) = span.links.iter().find(|link| is_conflict(link)) else {
            continue;
        };
        let hop = Some(hop(parent, span));
        match found.iter_mut().find(|known| known.hop == hop) {
            Some(known) => known.span_ids.push(span.span_id.clone()),
            None => found.push(Finding {
                kind: FindingKind::ConflictingFormats,
                severity: Severity::Warning,
                cause: Some(Cause::ContextRewritten),
                span_ids: vec![span.span_id.clone()],
                other_trace_id: None,
                message: format!(
                    "{}the request came with a second context, of trace {}, in another format (link.reason=conflicting_format): a tracer between them rewrote one format and left the other, or handed on an old one",
                    place(hop.as_ref()),
                    link.trace_id
                ),
                cure: "find the proxy or library that writes the second format, and set it to the first, or turn its tracing off".into(),
                hop,
            }),
        }
    }
    found
}

/// Finds calls that ended well and have nothing below them, though their callee has answered the like with a span.
pub(super) fn unanswered(
    neighbours: &Neighbours<'_>,
    trace: &TraceIndex<'_>,
    continued: &HashSet<*const StoredSpan>,
) -> Vec<Finding> {
    let calls = trace.spans.iter().copied().filter(|span| {
        is_caller(span)
            && trace.is_leaf(span)
            && is_answered(span)
            && !is_kept(span)
            && !continued.contains(&std::ptr::from_ref(*span))
            && callee(span).is_some_and(|to| neighbours.knows(to))
            && neighbours.is_known_to_answer(span)
            && !has_twin(trace, span)
    });
    let mut found: Vec<Finding> = Vec::new();
    for span in calls {
        let to = callee(span).map(label).unwrap_or_default();
        let hop = Some(Hop {
            from: shown_service(span).to_owned(),
            to: to.to_owned(),
        });
        match found.iter_mut().find(|known| known.hop == hop) {
            Some(known) => known.span_ids.push(span.span_id.clone()),
            None => found.push(Finding {
                kind: FindingKind::BrokenHop,
                severity: Severity::Warning,
                cause: Some(Cause::SampledHereNotThere),
                span_ids: vec![span.span_id.clone()],
                other_trace_id: None,
                message: format!(
                    "{}the call ({}) was answered and has nothing below it, though {to} has spans for such requests in other traces: it was not sampled there, or its span is lost or still on its way",
                    place(hop.as_ref()),
                    title(span)
                ),
                cure: format!("let {to} take the received decision (trust.decision: accept, a parent-based sampler), and look at its exporter for dropped spans"),
                hop,
            }),
        }
    }
    found
}

/// Returns true if another tracer of the same service recorded the same call, with the callee below it.
fn has_twin(trace: &TraceIndex<'_>, span: &StoredSpan) -> bool {
    trace.spans.iter().any(|other| {
        !std::ptr::eq(*other, span)
            && is_caller(other)
            && service(other) == service(span)
            && other.scope.name != span.scope.name
            && !trace.is_leaf(other)
            && other.start_unix_nanos <= span.end_unix_nanos
            && span.start_unix_nanos <= other.end_unix_nanos
    })
}

/// The spans that are named in one message.
const SHOWN: usize = 5;
