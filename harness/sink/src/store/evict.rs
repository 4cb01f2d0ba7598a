//! What leaves a store: whole traces, the oldest by arrival first, because space or their time is up.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;

use super::keep::{Keeper, count, lock};

impl Keeper {
    /// Removes all traces.
    pub(super) fn clear(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        connection.execute_batch(
            "DELETE FROM span; DELETE FROM trace; DELETE FROM context; DELETE FROM operation; DELETE FROM service;",
        )?;
        lock(&self.ids).clear();
        self.dictionary = super::dictionary::Dictionary::default();
        (self.traces, self.spans, self.span_bytes) = (0, 0, 0);
        self.oldest = None;
        self.removals += 1;
        self.sieve().forget_before(i64::MAX);
        Ok(())
    }

    /// Evicts traces until the bounds hold: first others than those of the request, then the older ones of the request.
    pub(super) fn make_room(
        &mut self,
        connection: &Connection,
        touched: &HashSet<i64>,
    ) -> Result<u64, rusqlite::Error> {
        let mut evicted = 0;
        if self.is_over() {
            evicted += self.evict(connection, |row, _| !touched.contains(&row))?;
        }
        if self.is_over() {
            let last = touched.iter().copied().max().unwrap_or_default();
            evicted += self.evict(connection, |row, _| row != last)?;
        }
        if self.is_over() {
            // The last trace fits by its spans, but not with all the resources that its spans came with.
            evicted += self.evict(connection, |_, _| true)?;
        }
        Ok(evicted)
    }

    fn is_over(&self) -> bool {
        self.spans > count(self.limits.max_spans)
            || self.size().bytes > count(self.limits.max_bytes)
    }

    /// Evicts the traces whose first span arrived before a moment.
    pub(super) fn expire(
        &mut self,
        connection: &Connection,
        before: i64,
    ) -> Result<u64, rusqlite::Error> {
        let mut expired = 0;
        while self.oldest.is_some_and(|oldest| oldest < before) {
            let spans = self.evict_some(connection, |_, arrived| arrived < before, None)?;
            if spans == 0 {
                break;
            }
            expired += spans;
        }
        Ok(expired)
    }

    fn evict(
        &mut self,
        connection: &Connection,
        may_go: impl Fn(i64, i64) -> bool,
    ) -> Result<u64, rusqlite::Error> {
        let mut evicted = 0;
        // A resource leaves with its last span, so the bytes that a trace makes free are known only when it has left: the
        // steps begin small, because no more is to leave than has to.
        let mut step = if self.spans > count(self.limits.max_spans) {
            STEP
        } else {
            1
        };
        while self.is_over() {
            let spans = self.evict_some(connection, &may_go, Some(step))?;
            if spans == 0 {
                break;
            }
            evicted += spans;
            step = STEP.min(step * 2);
        }
        Ok(evicted)
    }

    /// Evicts the oldest traces, as many as needed but no more than a step, or without a step all that may go, and returns
    /// the number of their spans.
    fn evict_some(
        &mut self,
        connection: &Connection,
        may_go: impl Fn(i64, i64) -> bool,
        step: Option<usize>,
    ) -> Result<u64, rusqlite::Error> {
        let mut gone: BTreeMap<i64, [u8; 16]> = BTreeMap::new();
        let (mut spans, mut bytes) = (0, 0);
        {
            let mut select = connection.prepare_cached(
                "SELECT id, trace_id, spans, bytes, arrived FROM trace ORDER BY id",
            )?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let is_enough = step.is_some()
                    && self.spans - spans <= count(self.limits.max_spans)
                    && self.size().bytes - bytes <= count(self.limits.max_bytes);
                if is_enough || gone.len() >= step.unwrap_or(STEP) {
                    break;
                }
                let (id, arrived) = (row.get(0)?, row.get(4)?);
                if may_go(id, arrived) {
                    gone.insert(id, row.get(1)?);
                    spans += row.get::<_, i64>(2)?.cast_unsigned();
                    bytes += row.get::<_, i64>(3)?.cast_unsigned();
                } else if step.is_none() {
                    // Traces stand in the order of arrival, so no later one is older.
                    break;
                }
            }
        }
        for (first, last) in runs(gone.keys().copied()) {
            self.remove(connection, first, last)?;
        }
        let mut ids = lock(&self.ids);
        for trace_id in gone.values() {
            ids.remove(trace_id);
        }
        drop(ids);
        self.traces -= count(gone.len());
        self.spans -= spans;
        self.span_bytes -= bytes;
        self.removals += u64::from(!gone.is_empty());
        self.dictionary.flush(connection)?;
        let first: Option<i64> = connection
            .prepare_cached("SELECT min(id) FROM span")?
            .query_row([], |row| row.get(0))?;
        self.sieve().forget_before(first.unwrap_or(i64::MAX));
        let oldest = connection
            .prepare_cached("SELECT arrived FROM trace ORDER BY id LIMIT 1")?
            .query_row([], |row| row.get(0));
        self.oldest = match oldest {
            Err(rusqlite::Error::QueryReturnedNoRows) => None,
            other => Some(other?),
        };
        Ok(spans)
    }

    fn remove(
        &mut self,
        connection: &Connection,
        first: i64,
        last: i64,
    ) -> Result<(), rusqlite::Error> {
        let sums = "SELECT context, service, operation, count(*) FROM span WHERE trace BETWEEN ?1 AND ?2 GROUP BY 1, 2, 3";
        let mut select = connection.prepare_cached(sums)?;
        let mut rows = select.query([first, last])?;
        while let Some(row) = rows.next()? {
            let spans: i64 = row.get(3)?;
            let shared = [row.get(0)?, row.get(1)?];
            self.dictionary.count(shared, Some(row.get(2)?), -spans);
        }
        for table in ["span WHERE trace", "trace WHERE id"] {
            let delete = format!("DELETE FROM {table} BETWEEN ?1 AND ?2");
            connection.prepare_cached(&delete)?.execute([first, last])?;
        }
        Ok(())
    }
}

/// Returns the runs of consecutive numbers in ascending numbers, because a run leaves with one statement.
fn runs(numbers: impl Iterator<Item = i64>) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// The number of traces that leave with one look at the oldest.
const STEP: usize = 4_096;
