//! The verdict on each trace of a set.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::broken_hop::{Broken, Sight, explain};
use super::finding::{Finding, Severity};
use super::leftovers::{conflicts, missing_parent, several_roots, unanswered};
use super::neighbours::Neighbours;
use super::shape::{circles, repeated_ids, unnamed};
use super::span_facts::{callee, is_caller};
use super::trace_index::{Top, TraceIndex};
use super::{clocks, words};
use crate::store::{Query, StoredSpan};

/// What is found of one trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The trace id, 32 lower-case hex digits.
    pub trace_id: String,
    /// What is wrong, errors first; empty for a whole trace.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Returns true if no finding is an error.
    pub fn is_whole(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.all(|finding| finding.severity == Severity::Warning)
    }
}

/// Groups spans by trace; traces come in the order of their first spans.
pub fn by_trace(spans: Vec<StoredSpan>) -> Vec<Vec<StoredSpan>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut traces: Vec<Vec<StoredSpan>> = Vec::new();
    for span in spans {
        let place = *places.entry(span.trace_id.clone()).or_insert_with(|| {
            traces.push(Vec::new());
            traces.len() - 1
        });
        if let Some(trace) = traces.get_mut(place) {
            trace.push(span);
        }
    }
    traces
}

/// Returns the verdict on each trace of a set, in its order. Each item holds the spans of one trace, in any order.
pub fn verify(traces: &[Vec<StoredSpan>]) -> Vec<Verdict> {
    let indexes: Vec<TraceIndex<'_>> = traces.iter().map(|spans| TraceIndex::of(spans)).collect();
    let neighbours = Neighbours::of(&indexes);
    let mut tops = Vec::new();
    for trace in &indexes {
        let all = trace.tops().into_iter().take(MOST_TOPS);
        tops.extend(
            all.map(|(span, kind)| (trace, span, kind, explain(&neighbours, trace, span, kind))),
        );
    }
    let doubtful = doubtful(&tops);
    let mut found = Found::default();
    let mut continued: HashSet<*const StoredSpan> = HashSet::new();
    let mut roots: HashMap<&str, Vec<&StoredSpan>> = HashMap::new();
    for (trace, span, kind, broken) in &tops {
        let broken = broken.as_ref();
        let broken = broken.filter(|it| !(is_guess(it) && doubtful.contains(&call(it.top.span))));
        match (broken, kind) {
            (Some(broken), _) => {
                if let Some(caller) = broken.caller {
                    continued.insert(caller.span);
                }
                found.add_broken(broken);
            }
            (None, Top::Orphan) => found.add(trace.id, missing_parent(span)),
            (None, Top::Root(_)) => roots.entry(trace.id).or_default().push(span),
        }
    }
    for trace in &indexes {
        if let Some(roots) = roots.get(trace.id).filter(|roots| roots.len() > 1) {
            found.add(trace.id, several_roots(roots));
        }
        let own = repeated_ids(trace).into_iter().chain(circles(trace));
        let own = own.chain(unnamed(trace)).chain(clocks::find(trace));
        let own = own.chain(conflicts(trace));
        let unanswered = unanswered(&neighbours, trace, &continued);
        for finding in own.chain(unanswered) {
            found.add(trace.id, finding);
        }
    }
    let verdicts = indexes.iter().map(|trace| found.verdict(trace.id));
    verdicts.collect()
}

/// Returns the verdict on one trace; `others` are traces of the same time, among which the other part of a broken one may be.
pub fn verify_one(trace: &[StoredSpan], others: &[Vec<StoredSpan>]) -> Option<Verdict> {
    let id = &trace.first()?.trace_id;
    let others = others
        .iter()
        .filter(|other| other.first().is_some_and(|span| span.trace_id != *id));
    let all: Vec<Vec<StoredSpan>> = [trace.to_vec()]
        .into_iter()
        .chain(others.cloned())
        .collect();
    verify(&all).into_iter().next()
}

/// Returns the search for the traces among which the other part of a broken trace may be; `None` without a span.
pub fn neighbours_of(trace: &[StoredSpan]) -> Option<Query> {
    let start = trace.iter().map(|span| span.start_unix_nanos).min()?;
    let end = trace.iter().map(|span| span.end_unix_nanos).max()?;
    Some(Query {
        from_unix_nanos: Some(start.saturating_sub(BEFORE_NANOS)),
        to_unix_nanos: Some(end.saturating_add(clocks::SLACK_NANOS)),
        limit: MOST_NEIGHBOURS,
        ..Query::default()
    })
}

/// Writes a verdict as an object, in one line.
pub fn write_verdict(verdict: &Verdict) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        trace_id: &'a str,
        verdict: &'static str,
        findings: &'a [Finding],
    }
    let wire = Wire {
        trace_id: &verdict.trace_id,
        verdict: if verdict.is_whole() {
            "whole"
        } else {
            "broken"
        },
        findings: &verdict.findings,
    };
    // Texts and lists of them always become JSON.
    serde_json::to_string(&wire).unwrap_or_default()
}

#[derive(Default)]
struct Found {
    by_trace: HashMap<String, Vec<Finding>>,
}

impl Found {
    fn add(&mut self, trace: &str, finding: Finding) {
        self.by_trace
            .entry(trace.to_owned())
            .or_default()
            .push(finding);
    }

    /// Adds a broken hop to both of its traces.
    fn add_broken(&mut self, broken: &Broken<'_>) {
        let finding = words::finding(broken);
        let other = broken
            .caller
            .map(|caller| caller.trace)
            .filter(|id| *id != broken.top.trace);
        let of = |id: Option<&str>| Finding {
            other_trace_id: id.map(str::to_owned),
            ..finding.clone()
        };
        self.add(broken.top.trace, of(other));
        if let Some(other) = other {
            self.add(other, of(Some(broken.top.trace)));
        }
    }

    fn verdict(&mut self, trace: &str) -> Verdict {
        let mut findings = self.by_trace.remove(trace).unwrap_or_default();
        findings.sort_by_key(|finding| (finding.severity, finding.kind));
        Verdict {
            trace_id: trace.to_owned(),
            findings,
        }
    }
}

/// A call, by its service and the name that it calls.
type Call<'a> = (&'a str, Option<&'a str>);

fn call(span: &StoredSpan) -> Call<'_> {
    (span.service(), callee(span))
}

/// Returns true if nothing but the time says that a call belongs to a request.
fn is_guess(broken: &Broken<'_>) -> bool {
    broken.sight == Sight::ForgotContext
}

/// Returns the calls that a service makes by itself, too: most of them begin a trace while it answers no request.
fn doubtful<'a>(
    tops: &[(&TraceIndex<'a>, &'a StoredSpan, Top, Option<Broken<'a>>)],
) -> HashSet<Call<'a>> {
    let mut counts: HashMap<Call<'a>, (usize, usize)> = HashMap::new();
    for (_, span, kind, broken) in tops {
        if is_caller(span) && matches!(kind, Top::Root(_)) {
            let (guessed, all) = counts.entry(call(span)).or_default();
            *guessed += usize::from(broken.as_ref().is_some_and(is_guess));
            *all += 1;
        }
    }
    let doubtful = counts
        .into_iter()
        .filter(|(_, (guessed, all))| guessed * 2 < *all);
    doubtful.map(|(call, _)| call).collect()
}

/// The tops of one trace that are looked at; a trace with more is no trace but an id that is used for everything.
const MOST_TOPS: usize = 100;
/// The time before a trace in which the trace may have begun that it belongs to: longer than proxies wait for an answer.
const BEFORE_NANOS: u64 = 60_000_000_000;
/// The traces that are looked at beside one; reading more takes longer than a reader waits.
const MOST_NEIGHBOURS: usize = 300;
