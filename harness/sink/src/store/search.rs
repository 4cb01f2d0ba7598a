//! The search: from conditions to the newest traces.
//!
//! Each condition on a span but an attribute is answered by an index that holds every column that the others need, in the
//! order of start: one range of it for each operation, or for each power of two of the duration, or one for errors. The
//! ranges are merged from the newest on, and the merge stops as soon as it has enough traces. Attributes have no index,
//! because one would cost more than all others together: a search by attribute alone reads the rows that may have it, as the
//! sieve knows them; where they are many, it looks at some of the newest spans first, which is enough for what many spans have.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::PoisonError;

use rusqlite::{Connection, Row, params};

use super::conditions::{Candidate, Conditions, Streams};
use super::query::Query;
use super::sieve::{SharedSieve, rows};

/// Returns the rows of the traces that a query finds, the newest first.
pub(super) fn search(connection: &Connection, query: &Query) -> Result<Vec<i64>, rusqlite::Error> {
    search_through(connection, query, &SharedSieve::default())
}

/// Returns the rows of the traces that a query finds, the newest first, with the help of a sieve of this database.
pub(super) fn search_through(
    connection: &Connection,
    query: &Query,
    sieve: &SharedSieve,
) -> Result<Vec<i64>, rusqlite::Error> {
    let conditions = Conditions::of(connection, query)?;
    if conditions.has_none(query) {
        return newest(connection, &conditions, query.limit);
    }
    let Some(streams) = conditions.streams() else {
        return Ok(Vec::new());
    };
    if conditions.wanted.is_empty() || conditions.is_narrow {
        return Ok(merge(connection, &conditions, &streams, query.limit, usize::MAX)?.found);
    }
    let ranges = {
        let sieve = sieve.read().unwrap_or_else(PoisonError::into_inner);
        sieve.ranges(&conditions.tokens())
    };
    if rows(&ranges) > MAX_READ {
        let newest = merge(connection, &conditions, &streams, query.limit, MAX_TRIED)?;
        if newest.is_whole {
            return Ok(newest.found);
        }
    }
    scan(connection, &conditions, &ranges, query.limit)
}

/// The traces that a merge finds.
struct Merged {
    found: Vec<i64>,
    /// True if no other trace belongs to them.
    is_whole: bool,
}

/// Returns true if one trace has a span that meets the conditions.
pub(super) fn is_found(
    connection: &Connection,
    query: &Query,
    trace: i64,
) -> Result<bool, rusqlite::Error> {
    let conditions = Conditions::of(connection, query)?;
    let mut select = connection.prepare_cached(
        "SELECT start, duration, status, operation, trace, context, body FROM span WHERE trace = ?1",
    )?;
    let mut rows = select.query([trace])?;
    while let Some(row) = rows.next()? {
        if conditions.hold(&candidate(row)?)
            && conditions.hold_for_body(row.get(5)?, row.get_ref(6)?.as_blob()?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn newest(
    connection: &Connection,
    conditions: &Conditions<'_>,
    limit: usize,
) -> Result<Vec<i64>, rusqlite::Error> {
    let (from, to) = conditions.starts;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT id FROM trace WHERE start BETWEEN ?1 AND ?2 ORDER BY start DESC LIMIT ?3",
        )?
        .query_map(params![from, to, limit], |row| row.get(0))?
        .collect()
}

/// Merges ranges of an index, each in descending order of start, until enough traces are found, or as many spans were looked
/// up for their attributes as may be.
fn merge(
    connection: &Connection,
    conditions: &Conditions<'_>,
    streams: &Streams,
    limit: usize,
    mut lookups: usize,
) -> Result<Merged, rusqlite::Error> {
    let (from, to) = conditions.starts;
    let (shortest, longest) = conditions.durations;
    // A status of -1 stands for any: SQLite skips a row several times faster than it can be looked at here.
    let status = conditions.status.unwrap_or(-1);
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut statements = Vec::new();
    for _ in &streams.keys {
        statements.push(connection.prepare_cached(streams.select)?);
    }
    let mut ranges = Vec::new();
    let mut heads = BinaryHeap::new();
    for (statement, key) in statements.iter_mut().zip(&streams.keys) {
        let mut rows = statement.query(params![key, from, to, shortest, longest, status])?;
        if let Some(row) = rows.next()? {
            heads.push((row.get::<_, i64>(0)?, ranges.len()));
            let head = (candidate(row)?, row.get::<_, i64>(5)?);
            ranges.push((rows, head));
        }
    }
    let mut read = connection.prepare_cached("SELECT context, body FROM span WHERE id = ?1")?;
    while let (Some((_, at)), true) = (heads.pop(), found.len() < limit) {
        let Some((rows, (span, id))) = ranges.get_mut(at) else {
            break;
        };
        if conditions.hold(span) && !seen.contains(&span.trace) {
            if lookups == 0 {
                return Ok(Merged {
                    found,
                    is_whole: false,
                });
            }
            lookups -= usize::from(!conditions.wanted.is_empty());
            let is_found = conditions.wanted.is_empty()
                || read.query_row([*id], |row| {
                    Ok(conditions.hold_for_body(row.get(0)?, row.get_ref(1)?.as_blob()?))
                })?;
            if is_found {
                seen.insert(span.trace);
                found.push(span.trace);
            }
        }
        if let Some(row) = rows.next()? {
            (*span, *id) = (candidate(row)?, row.get(5)?);
            heads.push((span.start, at));
        }
    }
    Ok(Merged {
        found,
        is_whole: true,
    })
}

/// Reads the spans of some ranges of rows.
fn scan(
    connection: &Connection,
    conditions: &Conditions<'_>,
    ranges: &[(i64, i64)],
    limit: usize,
) -> Result<Vec<i64>, rusqlite::Error> {
    let mut newest: HashMap<i64, i64> = HashMap::new();
    let mut select = connection.prepare_cached(
        "SELECT start, duration, status, operation, trace, context, body FROM span NOT INDEXED WHERE id BETWEEN ?1 AND ?2",
    )?;
    for (from, to) in ranges {
        let mut rows = select.query(params![from, to])?;
        while let Some(row) = rows.next()? {
            // The attributes first, because most spans do not have them.
            if !conditions.hold_for_body(row.get(5)?, row.get_ref(6)?.as_blob()?) {
                continue;
            }
            let span = candidate(row)?;
            if conditions.hold(&span) {
                let start = newest.entry(span.trace).or_insert(span.start);
                *start = span.start.max(*start);
            }
        }
    }
    let mut found: Vec<(i64, i64)> = newest
        .into_iter()
        .map(|(trace, start)| (start, trace))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found
        .into_iter()
        .map(|(_, trace)| trace)
        .take(limit)
        .collect())
}

fn candidate(row: &Row<'_>) -> Result<Candidate, rusqlite::Error> {
    Ok(Candidate {
        start: row.get(0)?,
        duration: row.get(1)?,
        status: row.get(2)?,
        operation: row.get(3)?,
        trace: row.get(4)?,
    })
}

/// The number of rows that are read without a look at the newest first.
const MAX_READ: u64 = 4_000;

/// The number of spans that are looked up before many rows are read.
const MAX_TRIED: usize = 2_000;
