//! The search: the store's indexes choose traces, and each of their spans is evaluated.
//!
//! A search looks at [`MAX_TRACES`] traces and [`MAX_SPANS`] spans at most, the newest first, and its answer says if that was
//! not all. It evaluates on threads that receive nothing.

use std::collections::HashMap;
use std::sync::Arc;

use http::{Response, StatusCode};
use memchr::memmem::Finder;
use serde_json::{Value, json};
use tonic::body::Body;

use super::answer;
use super::json::value;
use super::parameters::{self, Search};
use super::trace::trace_id;
use super::traceql::{Facts, Field, Intrinsic, Plan, holds, plan, shown};
use crate::store::{self, Candidate, ServiceShare, Store, StoreError, StoredSpan, TraceSummary};

/// The most traces that a search looks at.
const MAX_TRACES: usize = 20_000;

/// The number of spans after which a search ends.
const MAX_SPANS: usize = 500_000;

/// What a search finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The traces, the newest first.
    pub(super) hits: Vec<Hit>,
    traces: usize,
    spans: usize,
    /// True if there are older traces that were not looked at.
    is_cut: bool,
}

/// A trace that is found.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) summary: TraceSummary,
    matched: usize,
    spans: Vec<(StoredSpan, Vec<(String, store::Value)>)>,
    shares: Vec<ServiceShare>,
}

/// Answers `/api/search`.
pub(super) async fn search(store: &Store, query: &str) -> Result<Response<Body>, StoreError> {
    let search = match parameters::read(query) {
        Ok(search) => search,
        Err(cause) => return Ok(answer::text(StatusCode::BAD_REQUEST, cause)),
    };
    let is_traceql = search.is_traceql;
    let mut with_names = false;
    search.condition.each_field(&mut |field| {
        with_names |= *field == Field::Intrinsic(Intrinsic::Name);
    });
    let found = find(store, search).await?;
    let traces: Vec<Value> = found
        .hits
        .iter()
        .map(|hit| trace(hit, is_traceql, with_names))
        .collect();
    let mut body = json!({
        "traces": traces,
        "metrics": {
            "inspectedTraces": found.traces,
            "inspectedSpans": found.spans.to_string(),
            "completedJobs": 1,
            "totalJobs": 1,
        },
    });
    if found.is_cut {
        body["status"] = json!("PARTIAL");
        body["message"] = json!(format!(
            "looked at the newest {} traces with {} spans, and there are more: narrow the time or add a condition on \
             resource.service.name, name, status or duration, which indexes answer",
            found.traces, found.spans
        ));
    }
    Ok(answer::json(&body))
}

/// Finds traces, the newest first.
pub(super) async fn find(store: &Store, search: Search) -> Result<Found, StoreError> {
    let mut plan = plan(&search.condition);
    let query = &mut plan.query;
    query.limit = MAX_TRACES;
    query.from_unix_nanos = search.start.map(|it| it.saturating_mul(SECOND));
    query.to_unix_nanos = search.end.map(|it| it.saturating_mul(SECOND));
    let needs = Needs::of(&search);
    let mut candidates = match &plan.trace_id {
        Some(id) => match trace_id(id) {
            Ok(id) => store.candidate(id),
            Err(_) => return Ok(Found::default()),
        },
        None => {
            store
                .candidates(plan.query.clone(), needs.summaries)
                .await?
        }
    };
    let work = Arc::new((search, plan, needs));
    let mut found = Found::default();
    while found.hits.len() < work.0.limit {
        if found.spans >= MAX_SPANS {
            found.is_cut = true;
            break;
        }
        let page = candidates.page().await?;
        if page.is_empty() {
            found.is_cut = candidates.is_cut;
            break;
        }
        found.traces += page.len();
        found.spans += page.iter().map(|candidate| candidate.spans).sum::<usize>();
        let shared = Arc::clone(&work);
        let evaluated = tokio::task::spawn_blocking(move || evaluate(page, &shared));
        // It fails only with its runtime.
        for (id, matched, spans) in evaluated.await.map_err(|_| StoreError::Stopped)? {
            if found.hits.len() == work.0.limit {
                break;
            }
            // Evicted in between: it is no longer here.
            if let Some(summary) = store.summary(id).await? {
                found.hits.push(Hit {
                    summary,
                    matched,
                    spans,
                    shares: store.service_shares(id).await?,
                });
            }
        }
    }
    Ok(found)
}

/// What the evaluation of a condition needs beside the span itself.
#[derive(Clone, Copy, Debug)]
struct Needs {
    summaries: bool,
    children: bool,
}

impl Needs {
    fn of(search: &Search) -> Self {
        let mut needs = Self {
            summaries: false,
            children: false,
        };
        search.condition.each_field(&mut |field| match field {
            Field::Intrinsic(
                Intrinsic::TraceDuration | Intrinsic::RootName | Intrinsic::RootService,
            ) => {
                needs.summaries = true;
            }
            Field::Intrinsic(Intrinsic::ChildCount) => needs.children = true,
            _ => {}
        });
        needs
    }
}

type Matched = (
    [u8; 16],
    usize,
    Vec<(StoredSpan, Vec<(String, store::Value)>)>,
);

fn evaluate(page: Vec<Candidate>, work: &(Search, Plan, Needs)) -> Vec<Matched> {
    let (search, plan, needs) = work;
    let needles: Vec<Finder<'_>> = plan
        .needles
        .iter()
        .map(|needle| Finder::new(needle))
        .collect();
    let mut found = Vec::new();
    for mut candidate in page {
        let (id, summary) = (candidate.trace_id, candidate.summary.take());
        let spans = candidate.decode_if(|body, around| {
            let is_there = |needle: &Finder<'_>| {
                needle.find(body).is_some() || around.iter().any(|it| needle.find(it).is_some())
            };
            needs.children || needles.iter().all(is_there)
        });
        let children = if needs.children {
            children(&spans)
        } else {
            HashMap::new()
        };
        let facts = Facts { summary, children };
        let mut matched: Vec<StoredSpan> = spans
            .into_iter()
            .filter(|span| holds(&search.condition, span, &facts))
            .collect();
        if matched.is_empty() {
            continue;
        }
        let count = matched.len();
        matched.sort_by_key(|span| span.start_unix_nanos);
        if search.spans > 0 {
            matched.truncate(search.spans);
        }
        let shown = matched.into_iter().map(|span| {
            let shown = shown(&search.condition, &span, &facts);
            (span, shown)
        });
        found.push((id, count, shown.collect()));
    }
    found
}

fn children(spans: &[StoredSpan]) -> HashMap<String, i64> {
    let mut children: HashMap<String, i64> = HashMap::new();
    for parent in spans.iter().filter_map(|span| span.parent_span_id.as_ref()) {
        match children.get_mut(parent) {
            Some(count) => *count += 1,
            None => drop(children.insert(parent.clone(), 1)),
        }
    }
    children
}

fn trace(hit: &Hit, is_traceql: bool, with_names: bool) -> Value {
    let summary = &hit.summary;
    let root = summary.root.as_ref();
    let nanos = summary
        .end_unix_nanos
        .saturating_sub(summary.start_unix_nanos);
    let mut trace = json!({
        // Without the zeros in front, as Tempo shows ids.
        "traceID": summary.trace_id.trim_start_matches('0'),
        "rootServiceName": root.map_or(NO_ROOT, |root| &root.service),
        "startTimeUnixNano": summary.start_unix_nanos.to_string(),
        "durationMs": u32::try_from(nanos / 1_000_000).unwrap_or(u32::MAX),
    });
    if let Some(root) = root.filter(|root| !root.name.is_empty()) {
        trace["rootTraceName"] = json!(root.name);
    }
    if is_traceql {
        let spans: Vec<Value> = hit
            .spans
            .iter()
            .map(|(it, shown)| span(it, shown, with_names))
            .collect();
        let set = json!({ "spans": spans, "matched": hit.matched });
        trace["spanSets"] = json!([set]);
        trace["spanSet"] = set;
        for share in &hit.shares {
            let mut stats = json!({ "spanCount": share.spans });
            if share.errors > 0 {
                stats["errorCount"] = json!(share.errors);
            }
            trace["serviceStats"][&share.service] = stats;
        }
    }
    trace
}

fn span(span: &StoredSpan, shown: &[(String, store::Value)], with_name: bool) -> Value {
    let mut out = json!({
        "spanID": span.span_id,
        "startTimeUnixNano": span.start_unix_nanos.to_string(),
        "durationNanos": span.duration_nanos().to_string(),
    });
    if with_name {
        out["name"] = json!(span.name);
    }
    if !shown.is_empty() {
        let pairs = shown
            .iter()
            .map(|(key, it)| json!({ "key": key, "value": value(it) }));
        out["attributes"] = pairs.collect();
    }
    out
}

/// Tempo's word for a trace whose root has not arrived.
const NO_ROOT: &str = "<root span not yet received>";

const SECOND: u64 = 1_000_000_000;
