//! The calls between services: for each pair, the spans of one whose parent is a span of the other.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, params};

use super::database::StoreError;
use super::handle::Store;
use super::wire::{Content, Message, next_field};

/// The number of calls of each pair of services: the parent's, the child's.
pub(crate) type Calls = BTreeMap<(String, String), u64>;

impl Store {
    /// Counts the calls of the traces that begin after `from` and end before `to`, in nanoseconds since 1970: of the last
    /// `most` traces to arrive.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub(crate) async fn calls(&self, from: i64, to: i64, most: usize) -> Result<Calls, StoreError> {
        let mut calls = Calls::new();
        let (mut before, mut seen) = (i64::MAX, 0);
        while seen < most {
            let limit = PAGE.min(most - seen);
            // A page at a time, because a database in memory has one connection.
            let (rows, counted) = self
                .read(move |connection| page(connection, from, to, before, limit))
                .await?;
            for (pair, count) in counted {
                *calls.entry(pair).or_default() += count;
            }
            let Some(last) = rows.last() else { break };
            before = *last;
            seen += rows.len();
        }
        Ok(calls)
    }
}

fn page(
    connection: &Connection,
    from: i64,
    to: i64,
    before: i64,
    limit: usize,
) -> Result<(Vec<i64>, Calls), rusqlite::Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = connection
        .prepare_cached(
            "SELECT id FROM trace WHERE id < ?1 AND start > ?2 AND finish < ?3 ORDER BY id DESC LIMIT ?4",
        )?
        .query_map(params![before, from, to, limit], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    let mut names: HashMap<i64, String> = HashMap::new();
    let mut counts: HashMap<(i64, i64), u64> = HashMap::new();
    let mut select = connection
        .prepare_cached("SELECT span_id, service, body FROM span WHERE trace = ?1 ORDER BY id")?;
    for trace in &rows {
        let mut services: HashMap<i64, i64> = HashMap::new();
        let mut children = Vec::new();
        let mut spans = select.query([trace])?;
        while let Some(span) = spans.next()? {
            let service = span.get(1)?;
            services.entry(span.get(0)?).or_insert(service);
            if let Some(parent) = parent(span.get_ref(2)?.as_blob()?) {
                children.push((parent, service));
            }
        }
        for (parent, service) in children {
            if let Some(caller) = services.get(&parent) {
                *counts.entry((*caller, service)).or_default() += 1;
            }
        }
    }
    let mut name = connection.prepare_cached("SELECT name FROM service WHERE id = ?1")?;
    for id in counts
        .keys()
        .flat_map(|(caller, called)| [*caller, *called])
    {
        if let std::collections::hash_map::Entry::Vacant(place) = names.entry(id) {
            place.insert(name.query_row([id], |row| row.get(0))?);
        }
    }
    let named = |id: &i64| names.get(id).cloned().unwrap_or_default();
    let calls = counts
        .iter()
        .map(|((caller, called), count)| ((named(caller), named(called)), *count));
    Ok((rows, calls.collect()))
}

/// Returns the parent's id of a stored span, as the database holds ids.
fn parent(span: &[u8]) -> Option<i64> {
    let mut rest = span;
    let mut parent = None;
    while !rest.is_empty() {
        let field = next_field(Message::Span, &mut rest).ok()?;
        if let (PARENT_SPAN_ID, Content::Bytes(id)) = (field.number, field.content) {
            parent = id.try_into().ok().map(i64::from_be_bytes);
        }
    }
    parent.filter(|id| *id != 0)
}

/// The number of `parent_span_id` in OTLP's `Span`.
const PARENT_SPAN_ID: u32 = 4;

/// The number of traces that one read looks at.
const PAGE: usize = 512;
