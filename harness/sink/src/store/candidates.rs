//! The traces that a search beyond the indexes looks at, the newest first, with all of their spans.
//!
//! They are read a few at a time and evaluated elsewhere, so that a long search keeps no sender waiting.

use std::collections::VecDeque;
use std::sync::Arc;

use super::database::StoreError;
use super::handle::Store;
use super::query::{Query, TraceSummary};
use super::raw::RawSpans;
use super::read;
use super::search::search_through;
use super::span::StoredSpan;

/// The number of spans, and of traces, after which one reading ends.
const PAGE_SPANS: usize = 1_000;
const PAGE_TRACES: usize = 200;

/// The way over the traces, the newest first.
#[derive(Debug)]
pub(crate) struct Candidates {
    store: Store,
    rows: VecDeque<i64>,
    with_summaries: bool,
    /// True if the query has more traces than it may look at.
    pub(crate) is_cut: bool,
}

/// A trace to look at.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// The trace id.
    pub(crate) trace_id: [u8; 16],
    /// The summary, if summaries were asked for.
    pub(crate) summary: Option<TraceSummary>,
    /// The number of spans.
    pub(crate) spans: usize,
    raw: RawSpans,
}

impl Candidate {
    /// Returns the spans in the order of arrival, if `is_wanted` takes their bytes: those of the span, and those of the
    /// fields around it.
    pub(crate) fn decode_if(
        self,
        is_wanted: impl Fn(&[u8], [&[u8]; 2]) -> bool,
    ) -> Vec<StoredSpan> {
        self.raw.decode_if(is_wanted)
    }
}

/// The spans and errors of a service in one trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceShare {
    pub(crate) service: String,
    pub(crate) spans: u64,
    pub(crate) errors: u64,
}

impl Store {
    /// Returns the traces that a query finds, as many as its limit.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub(crate) async fn candidates(
        &self,
        query: Query,
        with_summaries: bool,
    ) -> Result<Candidates, StoreError> {
        let limit = query.limit;
        let sieve = Arc::clone(&self.inner.sieve);
        let rows = self
            .read(move |connection| search_through(connection, &query, &sieve))
            .await?;
        Ok(Candidates {
            store: self.clone(),
            is_cut: rows.len() >= limit,
            rows: rows.into(),
            with_summaries,
        })
    }

    /// Returns the one trace of an id, or none.
    pub(crate) fn candidate(&self, trace_id: [u8; 16]) -> Candidates {
        Candidates {
            store: self.clone(),
            rows: self.row(trace_id).into_iter().collect(),
            with_summaries: true,
            is_cut: false,
        }
    }

    /// Returns the services of a trace, in alphabetical order.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub(crate) async fn service_shares(
        &self,
        trace_id: [u8; 16],
    ) -> Result<Vec<ServiceShare>, StoreError> {
        let Some(row) = self.row(trace_id) else {
            return Ok(Vec::new());
        };
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT service.name, count(*), sum(span.status = 2) FROM span JOIN service ON service.id = span.service
                     WHERE trace = ?1 GROUP BY service.id ORDER BY service.name",
                )?
                .query_map([row], |row| {
                    Ok(ServiceShare {
                        service: row.get(0)?,
                        spans: row.get::<_, i64>(1)?.cast_unsigned(),
                        errors: row.get::<_, i64>(2)?.cast_unsigned(),
                    })
                })?
                .collect()
        })
        .await
    }
}

impl Candidates {
    /// Returns the next traces; none at the end.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub(crate) async fn page(&mut self) -> Result<Vec<Candidate>, StoreError> {
        let mut found = Vec::new();
        // A trace may be evicted in between, and a page of such traces is not the end.
        while found.is_empty() && !self.rows.is_empty() {
            let rows: Vec<i64> = self.rows.iter().take(PAGE_TRACES).copied().collect();
            let with_summaries = self.with_summaries;
            let read = self.store.read_page(move |connection| {
                let (mut found, mut spans, mut traces) = (Vec::new(), 0, 0);
                let mut id =
                    connection.prepare_cached("SELECT trace_id FROM trace WHERE id = ?1")?;
                let mut select = connection.prepare_cached(
                    "SELECT context, body FROM span WHERE trace = ?1 ORDER BY id",
                )?;
                for row in rows {
                    traces += 1;
                    let ids = id.query_map([row], |row| row.get::<_, [u8; 16]>(0))?;
                    let Some(trace_id) = ids.last().transpose()? else {
                        continue;
                    };
                    let summary = match with_summaries {
                        true => read::summary(connection, row)?,
                        false => None,
                    };
                    let (mut raw, mut count) = (RawSpans::default(), 0);
                    let mut rows = select.query([row])?;
                    while let Some(row) = rows.next()? {
                        raw.push(connection, row.get(0)?, row.get(1)?)?;
                        count += 1;
                    }
                    found.push(Candidate {
                        trace_id,
                        summary,
                        spans: count,
                        raw,
                    });
                    spans += count;
                    if spans >= PAGE_SPANS {
                        break;
                    }
                }
                Ok((traces, found))
            });
            let (traces, page) = read.await?;
            self.rows.drain(..traces);
            found = page;
        }
        Ok(found)
    }
}
