//! Clocks that differ: a span that began before the span that caused it, or after that had its answer.
//!
//! Spans of one service come from one clock as a rule, so only parents and children of two services are compared. A child
//! that ends after its parent proves nothing: nobody may wait for it.

use super::finding::{Cause, Finding, FindingKind, Hop, Severity};
use super::span_facts::{is_answered, shown_service};
use super::trace_index::TraceIndex;
use crate::store::{SpanKind, StoredSpan};

/// The difference that is passed over, in nanoseconds: clocks that are kept by NTP differ by some milliseconds, and proxies
/// note the time some later.
pub(super) const SLACK_NANOS: u64 = 10_000_000;

/// Finds the hops with clocks that differ, each once.
pub(super) fn find(trace: &TraceIndex<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for child in &trace.spans {
        let Some(parent) = trace.parent(child) else {
            continue;
        };
        let hop = Hop {
            from: shown_service(parent).to_owned(),
            to: shown_service(child).to_owned(),
        };
        if hop.from == hop.to {
            continue;
        }
        let Some(sight) = sight(parent, child) else {
            continue;
        };
        let ids = [&parent.span_id, &child.span_id].map(Clone::clone);
        match found.iter_mut().find(|it| it.hop.as_ref() == Some(&hop)) {
            Some(known) => known.span_ids.extend(ids),
            None => found.push(finding(hop, ids.into(), &sight)),
        }
    }
    found
}

/// Returns what is impossible with one clock.
fn sight(parent: &StoredSpan, child: &StoredSpan) -> Option<String> {
    let millis = |nanos: u64| format!("{:.1} ms", nanos as f64 / 1e6);
    let early = parent
        .start_unix_nanos
        .saturating_sub(child.start_unix_nanos);
    if early > SLACK_NANOS {
        return Some(format!(
            "begins {} before the span that called it",
            millis(early)
        ));
    }
    let late = child.start_unix_nanos.saturating_sub(parent.end_unix_nanos);
    let waits = parent.kind == SpanKind::Client && child.kind == SpanKind::Server;
    (late > SLACK_NANOS && waits && is_answered(parent))
        .then(|| format!("begins {} after its caller had the answer", millis(late)))
}

fn finding(hop: Hop, span_ids: Vec<String>, sight: &str) -> Finding {
    let (from, to) = (&hop.from, &hop.to);
    Finding {
        kind: FindingKind::ClockSkew,
        severity: Severity::Warning,
        cause: Some(Cause::ClockSkew),
        message: format!(
            "{from} -> {to}: the span of {to} {sight}, which one clock cannot show: the clocks of the two machines differ"
        ),
        cure: format!(
            "keep the clocks of the machines of {from} and {to} by NTP or PTP (chronyc tracking tells the offset); until then do not compare times across this hop"
        ),
        hop: Some(hop),
        span_ids,
        other_trace_id: None,
    }
}
