//! The traces of a source that are looked at, and those of the same time.

use std::collections::HashSet;

use anyhow::Context;
use sidespan_sink::otlp_json::read_request;
use sidespan_sink::verify::neighbours_of;
use sidespan_sink::{Query, StoredSpan};

use crate::trace::loaded;
use crate::trace::source::Source;

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// The trace that begins with these digits.
    One(String),
    /// What a search finds; true if it has no condition.
    All(Query, bool),
}

/// Traces, each with its spans.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The traces that were asked for.
    pub(super) traces: Vec<Vec<StoredSpan>>,
    /// Traces of the same time, among which the other part of a broken one may be.
    pub(super) others: Vec<Vec<StoredSpan>>,
}

/// Reads the traces of a source.
///
/// # Errors
/// When the source is away, or what it answers cannot be read.
pub(super) async fn gather(source: &Source, wanted: &Wanted) -> anyhow::Result<Gathered> {
    let (traces, has_all) = match wanted {
        Wanted::One(digits) => match source.trace(digits).await? {
            Some(json) => (vec![loaded::spans(&json).await?], false),
            None => (Vec::new(), false),
        },
        Wanted::All(query, is_all) => (found(source, query).await?, *is_all),
    };
    let spans: Vec<StoredSpan> = match has_all {
        // The other part of whatever broke is here, too.
        true => Vec::new(),
        false => traces.iter().flatten().cloned().collect(),
    };
    let mut others = match neighbours_of(&spans) {
        Some(query) => found(source, &query).await?,
        None => Vec::new(),
    };
    let known: HashSet<&str> = traces.iter().filter_map(|trace| id(trace)).collect();
    others.retain(|trace| id(trace).is_some_and(|id| !known.contains(id)));
    Ok(Gathered { traces, others })
}

/// Returns the id of a trace.
pub(super) fn id(trace: &[StoredSpan]) -> Option<&str> {
    trace.first().map(|span| span.trace_id.as_str())
}

/// Returns the traces that a search finds.
///
/// # Errors
/// When the source is away, or what it answers cannot be read.
pub(super) async fn found(source: &Source, query: &Query) -> anyhow::Result<Vec<Vec<StoredSpan>>> {
    let mut lines = Vec::new();
    source.export(query, false, &mut lines).await?;
    let store = loaded::empty()?;
    for line in lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let (request, _) = read_request(line).context("expected OTLP in JSON, a trace a line")?;
        loaded::add(&store, &request).await?;
    }
    let mut traces = Vec::new();
    let mut after = 0;
    loop {
        let page = store.trace_ids(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(traces);
        };
        after = *last;
        for (_, id) in page {
            traces.push(store.trace(id).await?);
        }
    }
}

const PAGE: usize = 1_000;
