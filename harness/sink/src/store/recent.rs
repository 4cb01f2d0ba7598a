//! The search that Jaeger's readers mean: traces in the order of arrival, the newest first, and a test of spans that no index
//! knows.
//!
//! It reads a page of traces at a time, because a test of every span can take long and a database in memory has one
//! connection.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use rusqlite::{Connection, OptionalExtension, params};

use super::conditions::{Candidate, Conditions};
use super::database::StoreError;
use super::handle::Store;
use super::query::Query;

/// A test of one span, beside the resource and the scope that it came with.
pub(crate) type SpanTest = Arc<dyn Fn(&ResourceSpans, &ScopeSpans, &Span) -> bool + Send + Sync>;

impl Store {
    /// Finds the ids of traces with a span that meets every condition and passes the test, the last to arrive first. The
    /// times of the query are always those of the span; its status and attributes are not looked at.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub(crate) async fn recent(
        &self,
        query: Query,
        test: Option<SpanTest>,
    ) -> Result<Vec<[u8; 16]>, StoreError> {
        let mut found = Vec::new();
        let mut before = i64::MAX;
        let limit = query.limit;
        let query = Arc::new(query);
        while found.len() < limit {
            let (query, test) = (Arc::clone(&query), test.clone());
            let wanted = limit - found.len();
            let page = self
                .read_page(move |connection| {
                    page(connection, &query, test.as_ref(), before, wanted)
                })
                .await?;
            found.extend(page.found);
            match page.next {
                Some(next) => before = next,
                None => break,
            }
        }
        Ok(found)
    }
}

struct Page {
    found: Vec<[u8; 16]>,
    /// The row that the next page lies before; `None` behind the last page.
    next: Option<i64>,
}

fn page(
    connection: &Connection,
    query: &Query,
    test: Option<&SpanTest>,
    before: i64,
    wanted: usize,
) -> Result<Page, rusqlite::Error> {
    let conditions = Conditions::of(connection, query)?;
    let mut rows = match conditions.is_narrow {
        true => narrow(connection, &conditions, before)?,
        false => wide(connection, &conditions, before)?,
    };
    let is_last = rows.len() < PAGE;
    rows.truncate(PAGE);
    let mut next = rows.last().copied().filter(|_| !is_last);
    let mut looked = Look {
        connection,
        conditions: &conditions,
        test,
        contexts: HashMap::new(),
    };
    let mut id = connection.prepare_cached("SELECT trace_id FROM trace WHERE id = ?1")?;
    let mut found = Vec::new();
    for row in rows {
        if looked.finds(row)? {
            found.extend(
                id.query_row([row], |row| row.get::<_, [u8; 16]>(0))
                    .optional()?,
            );
        }
        if found.len() >= wanted {
            next = None;
            break;
        }
    }
    Ok(Page { found, next })
}

/// Returns the traces of few spans, by the index of their operations.
fn narrow(
    connection: &Connection,
    conditions: &Conditions<'_>,
    before: i64,
) -> Result<Vec<i64>, rusqlite::Error> {
    let Some(streams) = conditions.streams() else {
        return Ok(Vec::new());
    };
    let (from, to) = conditions.starts;
    let (shortest, longest) = conditions.durations;
    let mut traces = BTreeSet::new();
    let mut select = connection.prepare_cached(streams.select)?;
    for key in streams.keys {
        let mut rows = select.query(params![key, from, to, shortest, longest, -1])?;
        while let Some(row) = rows.next()? {
            traces.insert(row.get::<_, i64>(4)?);
        }
    }
    Ok(traces.range(..before).rev().take(PAGE).copied().collect())
}

/// Returns the traces whose time meets that of the conditions.
fn wide(
    connection: &Connection,
    conditions: &Conditions<'_>,
    before: i64,
) -> Result<Vec<i64>, rusqlite::Error> {
    let (from, to) = conditions.starts;
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT id FROM trace WHERE id < ?1 AND start <= ?2 AND max(start, finish) >= ?3 ORDER BY id DESC LIMIT ?4",
        )?
        .query_map(params![before, to, from, limit], |row| row.get(0))?
        .collect()
}

struct Look<'a> {
    connection: &'a Connection,
    conditions: &'a Conditions<'a>,
    test: Option<&'a SpanTest>,
    contexts: HashMap<i64, (ResourceSpans, ScopeSpans)>,
}

impl Look<'_> {
    /// Returns true if a span of a trace meets the conditions and passes the test.
    fn finds(&mut self, trace: i64) -> Result<bool, rusqlite::Error> {
        let mut select = self.connection.prepare_cached(
            "SELECT start, duration, status, operation, trace, context, body FROM span WHERE trace = ?1",
        )?;
        let mut rows = select.query([trace])?;
        while let Some(row) = rows.next()? {
            let span = Candidate {
                start: row.get(0)?,
                duration: row.get(1)?,
                status: row.get(2)?,
                operation: row.get(3)?,
                trace: row.get(4)?,
            };
            if self.conditions.hold(&span)
                && self.passes(row.get(5)?, row.get_ref(6)?.as_blob()?)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn passes(&mut self, context: i64, body: &[u8]) -> Result<bool, rusqlite::Error> {
        let Some(test) = self.test else {
            return Ok(true);
        };
        // Stored bytes were checked; what a damaged file holds is taken as empty.
        let span = Span::decode(body).unwrap_or_default();
        if let Some((resource, scope)) = self.contexts.get(&context) {
            return Ok(test(resource, scope, &span));
        }
        let around: (ResourceSpans, ScopeSpans) = self
            .connection
            .prepare_cached("SELECT resource, scope FROM context WHERE id = ?1")?
            .query_row([context], |row| {
                let resource = ResourceSpans::decode(row.get_ref(0)?.as_blob()?);
                let scope = ScopeSpans::decode(row.get_ref(1)?.as_blob()?);
                Ok((resource.unwrap_or_default(), scope.unwrap_or_default()))
            })?;
        let passes = test(&around.0, &around.1, &span);
        self.contexts.insert(context, around);
        Ok(passes)
    }
}

/// The number of traces that one read looks at.
const PAGE: usize = 512;
