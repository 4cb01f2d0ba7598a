//! How far the context of each request came.

use std::collections::HashMap;

use sidespan_sink::StoredSpan;
use sidespan_sink::verify::{Severity, Verdict, verify};

use super::request::Sent;
use crate::verify::report::Probed;

/// Looks for the contexts of requests among traces.
pub(super) fn judge(sent: &[Sent], mut traces: Vec<Vec<StoredSpan>>) -> Vec<Probed> {
    for sent in sent {
        let own = |trace: &&mut Vec<StoredSpan>| {
            trace
                .first()
                .is_some_and(|span| span.trace_id == sent.span.trace_id)
        };
        match traces.iter_mut().find(own) {
            Some(trace) => trace.push(sent.span.clone()),
            None => traces.push(vec![sent.span.clone()]),
        }
    }
    let verdicts = verify(&traces);
    let found = sent.iter().filter_map(|sent| {
        let of = |verdict: &&Verdict| verdict.trace_id == sent.span.trace_id;
        let verdict = verdicts.iter().find(of)?;
        let trace = traces.iter().find(|it| {
            it.first()
                .is_some_and(|span| span.trace_id == verdict.trace_id)
        })?;
        Some(probed(sent, verdict, trace, &traces))
    });
    found.collect()
}

fn probed(sent: &Sent, verdict: &Verdict, trace: &[StoredSpan], all: &[Vec<StoredSpan>]) -> Probed {
    let hops = hops(trace);
    let format = sent.format.name();
    let errors = verdict
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let first = errors.clone().next();
    let has_come = trace.len() > 1;
    let message = match (has_come, first) {
        (true, None) => format!(
            "the context came in as {format} and is whole: {}",
            hops.join(", ")
        ),
        (true, Some(first)) => format!(
            "the context came in as {format} ({}), and is broken behind it: {}",
            if hops.is_empty() {
                "below another span".to_owned()
            } else {
                hops.join(", ")
            },
            first.message
        ),
        (false, Some(first)) => format!(
            "{}; what came first does not read {format}, does not trust it, or something in front of it took it away",
            first.message
        ),
        (false, None) => nothing(sent, all),
    };
    Probed {
        format,
        trace_id: sent.span.trace_id.clone(),
        status: sent.status.as_ref().ok().copied(),
        error: sent.status.as_ref().err().cloned(),
        survived: has_come && first.is_none(),
        hops,
        message,
        findings: verdict.findings.clone(),
    }
}

/// Returns what is known of a context that nobody has.
fn nothing(sent: &Sent, all: &[Vec<StoredSpan>]) -> String {
    if let Err(cause) = &sent.status {
        return format!("the request was not answered: {cause}");
    }
    let id = &sent.span.trace_id;
    let links = all.iter().flatten();
    let restarted = links
        .filter(|span| span.links.iter().any(|link| link.trace_id == *id))
        .min_by_key(|span| span.start_unix_nanos);
    match restarted {
        Some(span) => format!(
            "{} began trace {} with a link to the context that was sent: it does not continue contexts from outside (trust.context: restart)",
            span.service(),
            span.trace_id
        ),
        None => "no span has the context that was sent, and no trace began with the request: nothing on its way is traced, or its spans go elsewhere than to --from".to_owned(),
    }
}

/// Returns the hops from service to service, in the order of their start.
fn hops(trace: &[StoredSpan]) -> Vec<String> {
    let services: HashMap<&str, &str> = trace
        .iter()
        .map(|it| (it.span_id.as_str(), it.service()))
        .collect();
    let mut spans: Vec<&StoredSpan> = trace.iter().collect();
    spans.sort_by_key(|span| span.start_unix_nanos);
    let mut hops: Vec<String> = Vec::new();
    for span in spans {
        let from = span
            .parent_span_id
            .as_deref()
            .and_then(|id| services.get(id));
        if let Some(from) = from
            && *from != span.service()
        {
            let hop = format!("{from} -> {}", span.service());
            if !hops.contains(&hop) {
                hops.push(hop);
            }
        }
    }
    hops
}
