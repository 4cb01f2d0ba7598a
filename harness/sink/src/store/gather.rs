//! The handle's part for readers of very many spans: outlines, a page of spans at a time.

use std::collections::HashMap;

use rusqlite::Connection;

use super::database::StoreError;
use super::decode;
use super::handle::Store;
use super::outline::{Outline, Outlines, outline};
use super::query::Query;
use super::search::search;

impl Store {
    /// Returns the outlines of the traces that a query finds, the newest first, with the attributes of these keys.
    ///
    /// Traces are read whole while their spans are at most `max_spans`, at least one; the others are counted, those beyond
    /// the query's limit too. The store is asked for a page at a time, because in memory nothing is kept while it is read.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub(crate) async fn outlines(
        &self,
        query: Query,
        max_spans: u64,
        keys: &'static [&'static str],
    ) -> Result<Outlines, StoreError> {
        let (pages, left_out) = self
            .read(move |connection| pages(connection, query, max_spans))
            .await?;
        let mut all = Outlines {
            left_out,
            ..Outlines::default()
        };
        for page in pages {
            let read = self
                .read_page(move |connection| read(connection, &page, keys))
                .await?;
            let before = all.origins.len();
            all.origins.extend(read.origins);
            all.traces.extend(read.traces.into_iter().map(|mut trace| {
                for span in &mut trace {
                    span.origin += before;
                }
                trace
            }));
        }
        Ok(all)
    }
}

/// Returns the rows of the traces to read, in pages, and the number of those that are left out.
fn pages(
    connection: &Connection,
    mut query: Query,
    max_spans: u64,
) -> Result<(Vec<Vec<i64>>, u64), rusqlite::Error> {
    let most = std::mem::replace(&mut query.limit, usize::MAX);
    let mut pages: Vec<Vec<i64>> = Vec::new();
    let (mut left_out, mut taken, mut sum, mut in_page) = (0, 0, 0_u64, 0_u64);
    let mut is_full = false;
    let mut select = connection.prepare_cached("SELECT spans FROM trace WHERE id = ?1")?;
    for trace in search(connection, &query)? {
        if is_full || taken == most {
            left_out += 1;
            continue;
        }
        let spans: i64 = select.query_row([trace], |row| row.get(0))?;
        let spans = spans.cast_unsigned();
        // The newest trace is read whatever its size, so that the answer is never empty for want of room.
        if taken > 0 && sum.saturating_add(spans) > max_spans {
            is_full = true;
            left_out += 1;
            continue;
        }
        taken += 1;
        sum = sum.saturating_add(spans);
        match pages.last_mut() {
            Some(page) if in_page.saturating_add(spans) <= PAGE => page.push(trace),
            _ => {
                pages.push(vec![trace]);
                in_page = 0;
            }
        }
        in_page = in_page.saturating_add(spans);
    }
    Ok((pages, left_out))
}

/// Reads the spans of a page of traces; a trace that was evicted in between is passed over.
fn read(
    connection: &Connection,
    page: &[i64],
    keys: &[&'static str],
) -> Result<Outlines, rusqlite::Error> {
    let mut out = Outlines::default();
    let mut contexts: HashMap<i64, usize> = HashMap::new();
    let mut select =
        connection.prepare_cached("SELECT context, body FROM span WHERE trace = ?1 ORDER BY id")?;
    let mut around =
        connection.prepare_cached("SELECT resource, scope FROM context WHERE id = ?1")?;
    for trace in page {
        let mut spans: Vec<Outline> = Vec::new();
        let mut rows = select.query([trace])?;
        while let Some(row) = rows.next()? {
            let context = row.get(0)?;
            let origin = match contexts.get(&context) {
                Some(origin) => *origin,
                None => {
                    out.origins.push(around.query_row([context], |row| {
                        let (resource, scope) = (row.get_ref(0)?, row.get_ref(1)?);
                        Ok(decode::context(resource.as_blob()?, scope.as_blob()?))
                    })?);
                    let origin = out.origins.len() - 1;
                    contexts.insert(context, origin);
                    origin
                }
            };
            spans.push(outline(row.get_ref(1)?.as_blob()?, origin, keys));
        }
        if !spans.is_empty() {
            out.traces.push(spans);
        }
    }
    Ok(out)
}

/// The number of spans that are read at once: a search waits no longer for a page than for a transaction.
const PAGE: u64 = 2_000;
