//! The conditions of a search, in the values that the database holds.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{Connection, params_from_iter};

use super::attribute_match::Wanted;
use super::query::Query;
use super::rows::{ERROR, magnitude};
use super::span::{SpanKind, StatusCode};

/// The conditions of a query, in the values that the database holds.
pub(super) struct Conditions<'a> {
    /// The operations that the service, name and kind select; `None` if the query has none of them.
    operations: Option<HashSet<i64>>,
    /// True if the operations select a small part of the spans.
    pub(super) is_narrow: bool,
    pub(super) status: Option<i32>,
    pub(super) durations: (i64, i64),
    pub(super) starts: (i64, i64),
    pub(super) wanted: Vec<Wanted<'a>>,
    /// For each wanted attribute the contexts whose resource has it.
    contexts: Vec<HashSet<i64>>,
}

/// The part of a span's row that conditions are compared with.
pub(super) struct Candidate {
    pub(super) start: i64,
    pub(super) duration: i64,
    pub(super) status: i32,
    pub(super) operation: i64,
    pub(super) trace: i64,
}

impl<'a> Conditions<'a> {
    /// Looks up the names of a query.
    pub(super) fn of(connection: &Connection, query: &'a Query) -> Result<Self, rusqlite::Error> {
        let (operations, is_narrow) = operations(connection, query)?;
        let wanted: Vec<Wanted<'_>> = query
            .attributes
            .iter()
            .map(|(key, value)| Wanted::new(key, value))
            .collect();
        Ok(Self {
            operations,
            is_narrow,
            status: query.status.map(status_number),
            durations: (
                query.min_duration.map_or(0, nanos),
                query.max_duration.map_or(i64::MAX, nanos),
            ),
            starts: (
                query.from_unix_nanos.map_or(i64::MIN, signed),
                query.to_unix_nanos.map_or(i64::MAX, signed),
            ),
            contexts: contexts(connection, &wanted)?,
            wanted,
        })
    }

    /// Returns true if the query has no condition on spans.
    pub(super) fn has_none(&self, query: &Query) -> bool {
        self.operations.is_none()
            && self.status.is_none()
            && query.min_duration.is_none()
            && query.max_duration.is_none()
            && self.wanted.is_empty()
    }

    /// Returns the index to use and the ranges of it; `None` if nothing can match.
    pub(super) fn streams(&self) -> Option<Streams> {
        let (shortest, longest) = self.durations;
        // A duration beyond SQLite's numbers is stored as the largest of them, under its own power of two.
        let top = match longest {
            i64::MAX => u64::BITS,
            longest => magnitude(longest.cast_unsigned()),
        };
        match &self.operations {
            Some(operations) if operations.is_empty() => None,
            Some(operations) if operations.len() <= MAX_STREAMS => Some(Streams {
                select: "SELECT start, duration, status, operation, trace, id FROM span INDEXED BY span_operation
                         WHERE operation = ?1 AND start BETWEEN ?2 AND ?3
                         AND duration BETWEEN ?4 AND ?5 AND ?6 IN (status, -1) ORDER BY start DESC",
                keys: operations.iter().copied().collect(),
            }),
            _ if self.status == Some(ERROR) => Some(Streams {
                select: "SELECT start, duration, status, operation, trace, id FROM span INDEXED BY span_error
                         WHERE status = 2 AND ?1 = 0 AND start BETWEEN ?2 AND ?3
                         AND duration BETWEEN ?4 AND ?5 AND ?6 IN (status, -1) ORDER BY start DESC",
                keys: vec![0],
            }),
            _ => Some(Streams {
                select: "SELECT start, duration, status, operation, trace, id FROM span INDEXED BY span_magnitude
                         WHERE magnitude = ?1 AND start BETWEEN ?2 AND ?3
                         AND duration BETWEEN ?4 AND ?5 AND ?6 IN (status, -1) ORDER BY start DESC",
                keys: (magnitude(shortest.cast_unsigned())..=top).map(i64::from).collect(),
            }),
        }
    }

    /// Returns true if a span meets the conditions that need no body.
    pub(super) fn hold(&self, span: &Candidate) -> bool {
        self.status.is_none_or(|status| status == span.status)
            && (self.durations.0..=self.durations.1).contains(&span.duration)
            && (self.starts.0..=self.starts.1).contains(&span.start)
            && self
                .operations
                .as_ref()
                .is_none_or(|all| all.contains(&span.operation))
    }

    /// Returns the tokens of each attribute that only spans have, and no resource.
    pub(super) fn tokens(&self) -> Vec<&[u64]> {
        let pairs = self.wanted.iter().zip(&self.contexts);
        let of_spans = pairs.filter(|(_, contexts)| contexts.is_empty());
        of_spans.map(|(wanted, _)| &wanted.tokens[..]).collect()
    }

    /// Returns true if a span has the attributes.
    pub(super) fn hold_for_body(&self, context: i64, body: &[u8]) -> bool {
        let mut pairs = self.wanted.iter().zip(&self.contexts);
        pairs.all(|(wanted, contexts)| contexts.contains(&context) || wanted.is_of_span(body))
    }
}

/// The index to use, and the ranges of it.
pub(super) struct Streams {
    pub(super) select: &'static str,
    pub(super) keys: Vec<i64>,
}

/// Returns the operations that a query's service, name and kind select, and true if few spans have them.
fn operations(
    connection: &Connection,
    query: &Query,
) -> Result<(Option<HashSet<i64>>, bool), rusqlite::Error> {
    let mut clauses = Vec::new();
    let mut values: Vec<rusqlite::types::Value> = Vec::new();
    if let Some(service) = &query.service {
        clauses.push("service = (SELECT id FROM service WHERE name = ?)");
        values.push(service.clone().into());
    }
    if let Some(name) = &query.name {
        clauses.push("name = ?");
        values.push(name.clone().into());
    }
    if let Some(kind) = query.kind {
        clauses.push("kind = ?");
        values.push(kind_number(kind).into());
    }
    if clauses.is_empty() {
        return Ok((None, false));
    }
    let select = format!(
        "SELECT id, spans FROM operation WHERE {}",
        clauses.join(" AND ")
    );
    let mut statement = connection.prepare_cached(&select)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = HashSet::new();
    let mut spans = 0;
    while let Some(row) = rows.next()? {
        found.insert(row.get(0)?);
        spans += row.get::<_, i64>(1)?;
    }
    let is_narrow = spans <= MAX_LOOKED_UP && found.len() <= MAX_STREAMS;
    Ok((Some(found), is_narrow))
}

fn contexts(
    connection: &Connection,
    wanted: &[Wanted<'_>],
) -> Result<Vec<HashSet<i64>>, rusqlite::Error> {
    let mut found: Vec<HashSet<i64>> = wanted.iter().map(|_| HashSet::new()).collect();
    if wanted.is_empty() {
        return Ok(found);
    }
    let mut select = connection.prepare_cached("SELECT id, resource FROM context")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let resource = row.get_ref(1)?.as_blob()?;
        for (wanted, contexts) in wanted.iter().zip(&mut found) {
            if wanted.is_of_resource(resource) {
                contexts.insert(row.get(0)?);
            }
        }
    }
    Ok(found)
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn signed(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn status_number(status: StatusCode) -> i32 {
    match status {
        StatusCode::Unset => 0,
        StatusCode::Ok => 1,
        StatusCode::Error => ERROR,
        StatusCode::Unknown(number) => number,
    }
}

fn kind_number(kind: SpanKind) -> i32 {
    match kind {
        SpanKind::Unspecified => 0,
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
        SpanKind::Unknown(number) => number,
    }
}

/// The number of ranges that are merged; more are read as one.
const MAX_STREAMS: usize = 256;

/// The number of spans that are looked up one by one for an attribute; reading all spans in a row is faster for more.
const MAX_LOOKED_UP: i64 = 20_000;
