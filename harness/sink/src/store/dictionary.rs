//! The rows that many spans share: contexts, services and operations.
//!
//! A row counts the spans that use it and leaves with the last of them, because a sender can make up a new resource or name
//! for every span. What was looked up is remembered, within bounds; counts are added up in memory and written once a
//! transaction.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::{Connection, OptionalExtension, params};

use super::batch::Group;

/// The shared rows, as the writing connection knows them.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    contexts: HashMap<Vec<u8>, i64>,
    services: HashMap<String, i64>,
    operations: HashMap<(i64, i32), HashMap<String, i64>>,
    remembered: usize,
    remembered_bytes: usize,
    context_uses: HashMap<i64, i64>,
    service_uses: HashMap<i64, i64>,
    operation_uses: HashMap<i64, i64>,
    /// The size of all contexts, in bytes.
    pub(super) context_bytes: u64,
}

impl Dictionary {
    /// Reads the size of what is there.
    pub(super) fn load(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let sum = "SELECT coalesce(sum(3 * length(resource) + length(scope)), 0) FROM context";
        let bytes: i64 = connection.query_row(sum, [], |row| row.get(0))?;
        Ok(Self {
            context_bytes: bytes.cast_unsigned(),
            ..Self::default()
        })
    }

    /// Returns the row of a resource and scope.
    pub(super) fn context(
        &mut self,
        connection: &Connection,
        group: &Group,
    ) -> Result<i64, rusqlite::Error> {
        let length = group.resource.len().to_le_bytes();
        let key = [&length, group.resource.as_slice(), &group.scope].concat();
        if let Some(id) = self.contexts.get(&key) {
            return Ok(*id);
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let hash = hasher.finish().cast_signed();
        let row = params![hash, group.resource, group.scope];
        let found = connection
            .prepare_cached(
                "SELECT id FROM context WHERE hash = ?1 AND resource = ?2 AND scope = ?3",
            )?
            .query_row(row, |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => {
                self.context_bytes += size(&group.resource, &group.scope);
                connection
                    .prepare_cached(
                        "INSERT INTO context (hash, resource, scope, spans) VALUES (?1, ?2, ?3, 0)",
                    )?
                    .insert(row)?
            }
        };
        self.remember(key.len());
        self.contexts.insert(key, id);
        Ok(id)
    }

    /// Returns the row of a service.
    pub(super) fn service(
        &mut self,
        connection: &Connection,
        name: &str,
    ) -> Result<i64, rusqlite::Error> {
        if let Some(id) = self.services.get(name) {
            return Ok(*id);
        }
        let found = connection
            .prepare_cached("SELECT id FROM service WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => connection
                .prepare_cached("INSERT INTO service (name, spans) VALUES (?1, 0)")?
                .insert([name])?,
        };
        self.remember(name.len());
        self.services.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Returns the row of an operation: a name and kind of a service's spans.
    pub(super) fn operation(
        &mut self,
        connection: &Connection,
        service: i64,
        kind: i32,
        name: &str,
    ) -> Result<i64, rusqlite::Error> {
        let names = self.operations.get(&(service, kind));
        if let Some(id) = names.and_then(|names| names.get(name)) {
            return Ok(*id);
        }
        let row = params![service, kind, name];
        let found = connection
            .prepare_cached(
                "SELECT id FROM operation WHERE service = ?1 AND kind = ?2 AND name = ?3",
            )?
            .query_row(row, |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => connection
                .prepare_cached(
                    "INSERT INTO operation (service, kind, name, spans) VALUES (?1, ?2, ?3, 0)",
                )?
                .insert(row)?,
        };
        self.remember(name.len());
        let names = self.operations.entry((service, kind)).or_default();
        names.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Counts spans that came (above zero) or went (below zero). Zero is for a row that was looked up for nothing, which may
    /// have been made for it and is then removed.
    pub(super) fn count(
        &mut self,
        [context, service]: [i64; 2],
        operation: Option<i64>,
        spans: i64,
    ) {
        *self.context_uses.entry(context).or_default() += spans;
        *self.service_uses.entry(service).or_default() += spans;
        if let Some(operation) = operation {
            *self.operation_uses.entry(operation).or_default() += spans;
        }
    }

    /// Writes the counts, and removes the rows that no span uses any more.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let mut unused = false;
        {
            let mut update = connection
                .prepare_cached("UPDATE context SET spans = spans + ?2 WHERE id = ?1 RETURNING spans, 3 * length(resource) + length(scope)")?;
            let mut delete = connection.prepare_cached("DELETE FROM context WHERE id = ?1")?;
            for (id, spans) in self.context_uses.drain() {
                let (left, bytes): (i64, i64) =
                    update.query_row([id, spans], |row| Ok((row.get(0)?, row.get(1)?)))?;
                if left == 0 {
                    delete.execute([id])?;
                    self.context_bytes = self.context_bytes.saturating_sub(bytes.cast_unsigned());
                    unused = true;
                }
            }
        }
        for (id, spans) in self.operation_uses.drain() {
            unused |= add(connection, "operation", id, spans)?;
        }
        for (id, spans) in self.service_uses.drain() {
            unused |= add(connection, "service", id, spans)?;
        }
        if unused {
            // A remembered id must not outlive its row.
            self.forget();
        }
        Ok(())
    }

    fn remember(&mut self, bytes: usize) {
        self.remembered += 1;
        self.remembered_bytes += bytes;
        if self.remembered > MAX_REMEMBERED || self.remembered_bytes > MAX_REMEMBERED_BYTES {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.contexts.clear();
        self.services.clear();
        self.operations.clear();
        self.remembered = 0;
        self.remembered_bytes = 0;
    }
}

/// Adds to the count of a row, and removes the row if no span is left; returns true if so.
fn add(connection: &Connection, table: &str, id: i64, spans: i64) -> Result<bool, rusqlite::Error> {
    let update = format!("UPDATE {table} SET spans = spans + ?2 WHERE id = ?1 RETURNING spans");
    let left: i64 = connection
        .prepare_cached(&update)?
        .query_row([id, spans], |row| row.get(0))?;
    if left == 0 {
        let delete = format!("DELETE FROM {table} WHERE id = ?1");
        connection.prepare_cached(&delete)?.execute([id])?;
    }
    Ok(left == 0)
}

/// Returns the size of a context, in bytes. The resource counts three times, because the service's name, which may be all of
/// it, stands in the table of services and in its index, too.
pub(super) fn size(resource: &[u8], scope: &[u8]) -> u64 {
    u64::try_from(3 * resource.len() + scope.len()).unwrap_or(u64::MAX)
}

const MAX_REMEMBERED: usize = 10_000;
const MAX_REMEMBERED_BYTES: usize = 8 << 20;
