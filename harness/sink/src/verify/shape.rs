//! Faults of a trace that it shows by itself: ids that several spans have, circles, spans without a service.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::finding::{Cause, Finding, FindingKind, Hop, Severity};
use super::span_facts::{is_called, is_caller, service, shown_service};
use super::trace_index::TraceIndex;
use crate::store::StoredSpan;

/// Finds ids that several spans have. The two halves of one request may share theirs, as Zipkin's tracers do.
pub(super) fn repeated_ids(trace: &TraceIndex<'_>) -> Vec<Finding> {
    let halves = |spans: &[&StoredSpan]| matches!(spans, [one, other] if is_caller(one) && is_called(other) || is_called(one) && is_caller(other));
    let repeated = trace.repeated().into_iter();
    let wrong = repeated.filter(|spans| !halves(spans));
    wrong.map(|spans| duplicate(trace, &spans)).collect()
}

fn duplicate(trace: &TraceIndex<'_>, spans: &[&StoredSpan]) -> Finding {
    let id = spans.first().map_or("", |span| span.span_id.as_str());
    let caller = spans.iter().copied().find(|span| is_caller(span));
    let caller = caller.or_else(|| spans.first().and_then(|span| trace.parent(span)));
    let called = spans.iter().copied().find(|span| is_called(span));
    let hop = caller.zip(called).map(|(from, to)| hop(from, to));
    let servers: BTreeSet<&str> = spans
        .iter()
        .filter(|span| is_called(span))
        .map(|span| shown_service(span))
        .collect();
    let all: BTreeSet<&str> = spans.iter().map(|span| shown_service(span)).collect();
    let why = if servers.len() > 1 {
        "one request reached several services, as a mirror or a retry sends it, and they took the caller's id for their own"
    } else if spans.iter().filter(|span| is_called(span)).count() > 1 {
        "one request arrived several times, as a retry or a replay sends it, and its id was taken for the span's own each time"
    } else {
        "a tracer gives the same id again: its random numbers repeat, or its memory was copied after it had drawn them"
    };
    Finding {
        kind: FindingKind::DuplicateSpanId,
        severity: Severity::Error,
        cause: (servers.len() + usize::from(called.is_some()) > 1).then_some(Cause::ContextReplayed),
        message: format!(
            "{}{} spans of {} have the id {id}: {why}",
            place(hop.as_ref()),
            spans.len(),
            listed(&all),
        ),
        cure: "turn off shared spans (Envoy's Zipkin tracer: shared_span_context: false), so that each server makes an id of its own; otherwise look at the seed of the tracer's random numbers".into(),
        hop,
        span_ids: vec![id.to_owned()],
        other_trace_id: None,
    }
}

/// Finds spans that are their own ancestors, each circle once.
pub(super) fn circles(trace: &TraceIndex<'_>) -> Vec<Finding> {
    let mut settled: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    for start in &trace.spans {
        let mut path: Vec<&StoredSpan> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut next = Some(*start);
        while let Some(span) = next {
            let id = span.span_id.as_str();
            if settled.contains(id) {
                break;
            }
            if let Some(from) = places.get(id) {
                found.push(circle(path.get(*from..).unwrap_or_default()));
                break;
            }
            places.insert(id, path.len());
            path.push(span);
            next = trace.parent(span);
        }
        settled.extend(path.iter().map(|span| span.span_id.as_str()));
    }
    found
}

/// Describes a circle; each span of it is followed by its parent.
fn circle(spans: &[&StoredSpan]) -> Finding {
    let mut pairs = spans.iter().zip(spans.iter().cycle().skip(1));
    // Where the circle goes from one service to another, a context was sent back.
    let crossing = pairs.find(|(child, parent)| child.service() != parent.service());
    let hop = match (crossing, spans.first()) {
        (Some((child, parent)), _) => Some(hop(parent, child)),
        (None, Some(span)) => Some(hop(span, span)),
        (None, None) => None,
    };
    let names: Vec<String> = spans
        .iter()
        .map(|span| format!("{} {} {}", shown_service(span), span.kind, span.name))
        .collect();
    Finding {
        kind: FindingKind::Cycle,
        severity: Severity::Error,
        cause: Some(Cause::ContextReplayed),
        message: format!(
            "{}{} {} its own ancestor ({}): a service sent a context that it had received or stored before, and the next one took the ids in it for its own span's",
            place(hop.as_ref()),
            spans.len(),
            if spans.len() == 1 { "span is" } else { "spans are each" },
            names.join(" below "),
        ),
        cure: "let the service that replays requests drop traceparent, b3 and x-b3-* from what it stores, and turn off shared spans where the tracer takes a span's id from the request".into(),
        hop,
        span_ids: spans.iter().map(|span| span.span_id.clone()).collect(),
        other_trace_id: None,
    }
}

/// Finds spans that do not say which service made them.
pub(super) fn unnamed(trace: &TraceIndex<'_>) -> Option<Finding> {
    let nameless = trace.spans.iter().copied();
    let nameless: Vec<&StoredSpan> = nameless.filter(|span| service(span).is_none()).collect();
    let first = *nameless.first()?;
    let parent = trace.parent(first);
    let child = || trace.children(first).find(|child| service(child).is_some());
    let hop = match parent {
        Some(parent) => Some(hop(parent, first)),
        None => child().map(|child| hop(first, child)),
    };
    let count = nameless.len();
    Some(Finding {
        kind: FindingKind::NoServiceName,
        severity: Severity::Error,
        cause: None,
        message: format!(
            "{}{count} span{} without service.name in {} resource, the first {} {}: whoever sent {} was told no name",
            place(hop.as_ref()),
            if count == 1 { "" } else { "s" },
            if count == 1 { "its" } else { "their" },
            first.kind,
            first.name,
            if count == 1 { "it" } else { "them" },
        ),
        cure: "set OTEL_SERVICE_NAME for an SDK, service_name for Envoy's OpenTelemetry tracer, node.cluster for its Zipkin tracer, spans.serviceName for Sidespan".into(),
        hop,
        span_ids: nameless.iter().map(|span| span.span_id.clone()).collect(),
        other_trace_id: None,
    })
}

/// Returns the hop between two spans.
pub(super) fn hop(from: &StoredSpan, to: &StoredSpan) -> Hop {
    Hop {
        from: shown_service(from).to_owned(),
        to: shown_service(to).to_owned(),
    }
}

/// Returns how a message begins.
pub(super) fn place(hop: Option<&Hop>) -> String {
    hop.map_or(String::new(), |hop| format!("{} -> {}: ", hop.from, hop.to))
}

fn listed(names: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    names.join(", ")
}
