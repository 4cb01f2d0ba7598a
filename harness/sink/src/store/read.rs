//! What is read of stored traces: summaries, spans, names.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::assemble::{Part, request};
use super::decode;
use super::query::{Operation, Query, Root, TraceSummary};
use super::search::{is_found, search, search_through};
use super::sieve::SharedSieve;
use super::span::{Resource, Scope, StoredSpan};

/// The decoded contexts of the spans that are read.
pub(super) type Contexts = HashMap<i64, (Arc<Resource>, Arc<Scope>)>;

/// Returns the traces that a query finds, the newest first.
pub(super) fn summaries(
    connection: &Connection,
    query: &Query,
    sieve: &SharedSieve,
) -> Result<Vec<TraceSummary>, rusqlite::Error> {
    let mut found = Vec::new();
    for trace in search_through(connection, query, sieve)? {
        found.extend(summary(connection, trace)?);
    }
    Ok(found)
}

/// Returns the ids of the traces that a query finds, the newest first.
pub(super) fn found(
    connection: &Connection,
    query: &Query,
) -> Result<Vec<[u8; 16]>, rusqlite::Error> {
    let mut ids = Vec::new();
    let mut select = connection.prepare_cached("SELECT trace_id FROM trace WHERE id = ?1")?;
    for trace in search(connection, query)? {
        ids.push(select.query_row([trace], |row| row.get(0))?);
    }
    Ok(ids)
}

/// Returns the summary of a trace that a query would find by itself.
pub(super) fn matching(
    connection: &Connection,
    query: &Query,
    trace: i64,
) -> Result<Option<TraceSummary>, rusqlite::Error> {
    match is_found(connection, query, trace)? {
        true => summary(connection, trace),
        false => Ok(None),
    }
}

/// Returns the summary of a trace.
pub(super) fn summary(
    connection: &Connection,
    trace: i64,
) -> Result<Option<TraceSummary>, rusqlite::Error> {
    let services = connection
        .prepare_cached(
            "SELECT name FROM service WHERE id IN (SELECT DISTINCT service FROM span WHERE trace = ?1) ORDER BY name",
        )?
        .query_map([trace], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    connection
        .prepare_cached(
            "SELECT trace_id, trace.start, finish, trace.spans, errors, arrived, service.name, operation.name, span.kind,
             span.duration FROM trace LEFT JOIN span ON span.id = root LEFT JOIN service ON service.id = span.service
             LEFT JOIN operation ON operation.id = span.operation WHERE trace.id = ?1",
        )?
        .query_row([trace], |row| {
            let root = match row.get::<_, Option<String>>(6)? {
                None => None,
                Some(service) => Some(Root {
                    service,
                    name: row.get(7)?,
                    kind: decode::kind(row.get(8)?),
                    duration_nanos: row.get::<_, i64>(9)?.cast_unsigned(),
                }),
            };
            let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(TraceSummary {
                trace_id: decode::hex(&row.get::<_, [u8; 16]>(0)?),
                start_unix_nanos: number(1)?,
                end_unix_nanos: number(2)?,
                spans: number(3)?,
                errors: number(4)?,
                root,
                services,
                arrived_unix_nanos: number(5)?,
            })
        })
        .optional()
}

/// Returns the spans of a trace in the order of their arrival.
pub(super) fn trace(
    connection: &Connection,
    trace: i64,
) -> Result<Vec<StoredSpan>, rusqlite::Error> {
    let mut contexts = Contexts::new();
    let mut spans = Vec::new();
    let mut select =
        connection.prepare_cached("SELECT context, body FROM span WHERE trace = ?1 ORDER BY id")?;
    let mut rows = select.query([trace])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob()?;
        spans.push(span(connection, &mut contexts, row.get(0)?, body)?);
    }
    Ok(spans)
}

/// Decodes a span with the fields around it.
pub(super) fn span(
    connection: &Connection,
    contexts: &mut Contexts,
    context: i64,
    body: &[u8],
) -> Result<StoredSpan, rusqlite::Error> {
    if let Some((resource, scope)) = contexts.get(&context) {
        return Ok(decode::span(body, resource, scope));
    }
    let (resource, scope) = connection
        .prepare_cached("SELECT resource, scope FROM context WHERE id = ?1")?
        .query_row([context], |row| {
            Ok(decode::context(
                row.get_ref(0)?.as_blob()?,
                row.get_ref(1)?.as_blob()?,
            ))
        })?;
    let span = decode::span(body, &resource, &scope);
    contexts.insert(context, (resource, scope));
    Ok(span)
}

/// Returns a trace as the protobuf of a `TracesData`, with the very bytes of its spans; `None` if it has none.
pub(super) fn trace_data(
    connection: &Connection,
    trace: i64,
) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    let mut groups: Vec<(i64, Vec<Vec<u8>>)> = Vec::new();
    let mut select =
        connection.prepare_cached("SELECT context, body FROM span WHERE trace = ?1 ORDER BY id")?;
    let mut rows = select.query([trace])?;
    while let Some(row) = rows.next()? {
        let (context, body) = (row.get(0)?, row.get(1)?);
        match groups.last_mut() {
            Some((last, spans)) if *last == context => spans.push(body),
            _ => groups.push((context, vec![body])),
        }
    }
    let mut contexts: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for (context, _) in &groups {
        contexts.push(
            connection
                .prepare_cached("SELECT resource, scope FROM context WHERE id = ?1")?
                .query_row([context], |row| Ok((row.get(0)?, row.get(1)?)))?,
        );
    }
    let parts = groups
        .iter()
        .zip(&contexts)
        .map(|((_, spans), (resource, scope))| Part {
            resource,
            scope,
            spans: spans.iter().map(Vec::as_slice).collect(),
        });
    Ok((!groups.is_empty()).then(|| request(parts)))
}

/// Returns trace ids in the order of arrival, from behind a row on, with the row of the last.
pub(super) fn trace_ids(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, [u8; 16])>, rusqlite::Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached("SELECT id, trace_id FROM trace WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map([after, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Returns the names of all services, in alphabetical order.
pub(super) fn services(connection: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT name FROM service ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Returns the operations of a service, in alphabetical order.
pub(super) fn operations(
    connection: &Connection,
    service: &str,
) -> Result<Vec<Operation>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT name, kind, spans FROM operation WHERE service = (SELECT id FROM service WHERE name = ?1) ORDER BY name, kind",
        )?
        .query_map([service], |row| {
            Ok(Operation {
                name: row.get(0)?,
                kind: decode::kind(row.get(1)?),
                spans: row.get::<_, i64>(2)?.cast_unsigned(),
            })
        })?
        .collect()
}
