//! One transaction of the writer: the spans of some requests come in, the oldest traces go out.
//!
//! A trace with a missing span is worse than no trace, so room is made by evicting whole traces, the oldest by arrival
//! first. Only a single trace that is larger than the store loses spans, and then the answer counts them as rejected. OTLP
//! allows a sender to repeat a request whose answer was lost: a copy of a stored span (same trace id, span id, kind, service
//! and start) is counted and not kept twice. Anything else under the same ids, as Zipkin's shared spans, is kept. Invariants
//! after each request: `spans <= max_spans`, `bytes <= max_bytes`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use super::batch::{Cut, SpanBatch};
use super::dictionary::Dictionary;
use super::limits::{Counts, Limits, Size};
use super::rows::{Touched, insert, is_equal, write};
use super::sieve::{SharedSieve, Sieve};

/// The row of each stored trace, by trace id.
pub(super) type TraceIds = Arc<Mutex<HashMap<[u8; 16], i64>>>;

/// The answer of the store to a request that it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// The spans that are now in the store.
    pub kept: u64,
    /// The spans that were in the store already.
    pub duplicates: u64,
    /// The spans that are too large for the store.
    pub rejected: u64,
    /// The reason of the first rejection.
    pub reason: Option<&'static str>,
}

/// The state of the writer that is derived from the database.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) limits: Limits,
    pub(super) dictionary: Dictionary,
    pub(super) ids: TraceIds,
    pub(super) traces: u64,
    pub(super) spans: u64,
    pub(super) span_bytes: u64,
    next_trace: i64,
    next_span: i64,
    /// The changes that no reader of new rows can see: evictions and clearing.
    pub(super) removals: u64,
    /// The arrival of the oldest trace, in nanoseconds since 1970.
    pub(super) oldest: Option<i64>,
    pub(super) sieve: SharedSieve,
}

/// The result of a transaction, to be taken over when it is committed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) counts: Counts,
    /// The ids of the traces that have new spans.
    pub(super) changed: Vec<[u8; 16]>,
    /// The places in the batch of the spans that are new: group and span.
    pub(super) new: Vec<(usize, usize)>,
}

impl Keeper {
    pub(super) fn load(
        connection: &Connection,
        limits: Limits,
        ids: TraceIds,
    ) -> Result<Self, rusqlite::Error> {
        let mut found = HashMap::new();
        let mut next_trace = 1;
        let (mut spans, mut span_bytes) = (0, 0);
        let mut oldest = None;
        let mut select = connection
            .prepare("SELECT id, trace_id, spans, bytes, arrived FROM trace ORDER BY id")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            found.insert(row.get(1)?, id);
            next_trace = id + 1;
            spans += row.get::<_, i64>(2)?.cast_unsigned();
            span_bytes += row.get::<_, i64>(3)?.cast_unsigned();
            oldest = oldest.or(Some(row.get(4)?));
        }
        let last = "SELECT coalesce(max(id), 0) FROM span";
        let last: i64 = connection.query_row(last, [], |row| row.get(0))?;
        let traces = count(found.len());
        *ids.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(Self {
            limits,
            dictionary: Dictionary::load(connection)?,
            ids,
            traces,
            spans,
            span_bytes,
            next_trace,
            next_span: 1 + last,
            removals: 0,
            oldest,
            sieve: Arc::new(RwLock::new(Sieve::new(
                1 + last,
                spans == 0,
                limits.max_spans,
            ))),
        })
    }

    /// Reads the state again, after a transaction that did not happen.
    pub(super) fn reload(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let loaded = Self::load(connection, self.limits, Arc::clone(&self.ids))?;
        self.sieve().doubt();
        *self = Self {
            // Numbers that were given out once are not given out again.
            next_trace: loaded.next_trace.max(self.next_trace),
            next_span: loaded.next_span.max(self.next_span),
            removals: self.removals + 1,
            // What it has of spans that were not kept after all does no harm.
            sieve: Arc::clone(&self.sieve),
            ..loaded
        };
        Ok(())
    }

    pub(super) fn size(&self) -> Size {
        Size {
            traces: self.traces,
            spans: self.spans,
            bytes: self.span_bytes + self.dictionary.context_bytes,
        }
    }

    pub(super) fn sieve(&self) -> RwLockWriteGuard<'_, Sieve> {
        self.sieve.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the spans of one request within the bounds.
    pub(super) fn keep(
        &mut self,
        connection: &Connection,
        batch: &SpanBatch,
        outcome: &mut Outcome,
    ) -> Result<Inserted, rusqlite::Error> {
        let mut inserted = Inserted::default();
        let mut touched: HashMap<[u8; 16], Touched> = HashMap::new();
        let arrived = now();
        for (group_index, group) in batch.groups.iter().enumerate() {
            let context = self.dictionary.context(connection, group)?;
            let service = self.dictionary.service(connection, &group.service)?;
            self.dictionary.count([context, service], None, 0);
            let context_bytes = super::dictionary::size(&group.resource, &group.scope);
            for (index, cut) in group.spans.iter().enumerate() {
                // A long name stands in the table of operations and its two indexes as well.
                let long = cut.name.len().saturating_sub(LONG_NAME);
                let cost = COST + count(cut.body.len() + 3 * long);
                let is_huge = cut.body.len() > self.limits.max_span_bytes;
                if is_huge || !self.has_room(connection, cut, &mut touched, cost, context_bytes)? {
                    inserted.rejected += 1;
                    inserted.reason = inserted.reason.or(Some(match is_huge {
                        true => "the span is too large for this sink",
                        false => "the trace alone fills this sink",
                    }));
                    outcome.counts.too_large += 1;
                    continue;
                }
                let name = batch.text(&cut.name);
                let operation = self
                    .dictionary
                    .operation(connection, service, cut.kind, name)?;
                // Rows are numbered here and not by SQLite, which gives the number of an evicted last row again.
                let span = self.next_span;
                let trace = self.touch(cut, &mut touched);
                let row = [span, trace.row, service, operation, context];
                if !insert(connection, batch, cut, row)? {
                    inserted.duplicates += 1;
                    self.dictionary
                        .count([context, service], Some(operation), 0);
                    let is_equal = is_equal(connection, batch, cut, trace.row, service, context)?;
                    outcome.counts.duplicates += u64::from(is_equal);
                    outcome.counts.conflicts += u64::from(!is_equal);
                    continue;
                }
                self.sieve().add(span, batch.tokens(cut));
                self.next_span += 1;
                trace.add(cut, span, cost);
                self.dictionary
                    .count([context, service], Some(operation), 1);
                outcome.new.push((group_index, index));
                inserted.kept += 1;
                self.spans += 1;
                self.span_bytes += cost;
            }
        }
        outcome.counts.accepted += inserted.kept;
        outcome.changed.extend(
            touched
                .iter()
                .filter(|(_, t)| t.spans > 0)
                .map(|(id, _)| *id),
        );
        write(connection, &touched, arrived)?;
        self.oldest = self.oldest.or((inserted.kept > 0).then_some(arrived));
        self.dictionary.flush(connection)?;
        let rows: HashSet<i64> = touched.values().map(|trace| trace.row).collect();
        outcome.counts.evicted += self.make_room(connection, &rows)?;
        Ok(inserted)
    }

    /// Returns true if a span's trace fits into the store together with the span.
    fn has_room(
        &mut self,
        connection: &Connection,
        cut: &Cut,
        touched: &mut HashMap<[u8; 16], Touched>,
        cost: u64,
        context_bytes: u64,
    ) -> Result<bool, rusqlite::Error> {
        let (spans, bytes) = match touched.get(&cut.trace_id) {
            Some(trace) => (trace.had.0 + trace.spans, trace.had.1 + trace.bytes),
            None => {
                let row = lock(&self.ids).get(&cut.trace_id).copied();
                match row {
                    None => (0, 0),
                    Some(row) => {
                        let had = connection
                            .prepare_cached("SELECT spans, bytes FROM trace WHERE id = ?1")?
                            .query_row([row], |row| {
                                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
                            })?;
                        let had = (had.0.cast_unsigned(), had.1.cast_unsigned());
                        touched.insert(cut.trace_id, Touched::new(row, false, had, cut));
                        had
                    }
                }
            }
        };
        let size = bytes.saturating_add(cost).saturating_add(context_bytes);
        Ok(spans < count(self.limits.max_spans) && size <= count(self.limits.max_bytes))
    }

    fn touch<'a>(
        &mut self,
        cut: &Cut,
        touched: &'a mut HashMap<[u8; 16], Touched>,
    ) -> &'a mut Touched {
        touched.entry(cut.trace_id).or_insert_with(|| {
            let row = self.next_trace;
            self.next_trace += 1;
            self.traces += 1;
            lock(&self.ids).insert(cut.trace_id, row);
            Touched::new(row, true, (0, 0), cut)
        })
    }
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn lock(ids: &TraceIds) -> std::sync::MutexGuard<'_, HashMap<[u8; 16], i64>> {
    ids.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The size of a span's row and index entries beside the span itself, and of its share of a trace's, in bytes.
pub(super) const COST: u64 = 450;

/// The length of a name, in bytes, up to which its places in indexes are part of [`COST`].
const LONG_NAME: usize = 64;
