//! The rows of spans and of their traces.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::batch::{Cut, SpanBatch};

/// A trace that a request adds spans to.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) row: i64,
    is_new: bool,
    start: u64,
    finish: u64,
    /// The spans and bytes that the trace had before.
    pub(super) had: (u64, u64),
    pub(super) spans: u64,
    errors: u64,
    pub(super) bytes: u64,
    root: Option<i64>,
}

impl Touched {
    pub(super) fn new(row: i64, is_new: bool, had: (u64, u64), cut: &Cut) -> Self {
        Self {
            row,
            is_new,
            start: cut.start,
            finish: cut.end,
            had,
            spans: 0,
            errors: 0,
            bytes: 0,
            root: None,
        }
    }

    pub(super) fn add(&mut self, cut: &Cut, row: i64, cost: u64) {
        self.start = self.start.min(cut.start);
        self.finish = self.finish.max(cut.end);
        self.spans += 1;
        self.errors += u64::from(cut.status == ERROR);
        self.bytes += cost;
        self.root = self.root.or(cut.is_root.then_some(row));
    }
}

/// Inserts a span; returns false if a copy is there.
pub(super) fn insert(
    connection: &Connection,
    batch: &SpanBatch,
    cut: &Cut,
    [span, trace, service, operation, context]: [i64; 5],
) -> Result<bool, rusqlite::Error> {
    let duration = cut.end.saturating_sub(cut.start);
    let row = params![
        span,
        trace,
        i64::from_be_bytes(cut.span_id),
        cut.start.cast_signed(),
        service,
        cut.kind,
        operation,
        cut.status,
        i64::try_from(duration).unwrap_or(i64::MAX),
        magnitude(duration),
        context,
        batch.bytes(&cut.body),
    ];
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO span (id, trace, span_id, start, service, kind, operation, status, duration, magnitude, context, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    Ok(insert.execute(row)? > 0)
}

/// Returns true if the stored copy of a span is the same in every byte, and came with the same resource and scope.
pub(super) fn is_equal(
    connection: &Connection,
    batch: &SpanBatch,
    cut: &Cut,
    trace: i64,
    service: i64,
    context: i64,
) -> Result<bool, rusqlite::Error> {
    let row = params![
        trace,
        i64::from_be_bytes(cut.span_id),
        cut.start.cast_signed(),
        service,
        cut.kind,
        context,
        batch.bytes(&cut.body),
    ];
    connection
        .prepare_cached(
            "SELECT context = ?6 AND body = ?7 FROM span
             WHERE trace = ?1 AND span_id = ?2 AND start = ?3 AND service = ?4 AND kind = ?5",
        )?
        .query_row(row, |row| row.get(0))
}

/// Writes the rows of the traces that a request has added spans to.
pub(super) fn write(
    connection: &Connection,
    touched: &HashMap<[u8; 16], Touched>,
    arrived: i64,
) -> Result<(), rusqlite::Error> {
    let mut traces: Vec<(&[u8; 16], &Touched)> = touched
        .iter()
        .filter(|(_, trace)| trace.spans > 0)
        .collect();
    // In the order of rows, because the pages of new rows are then written one after the other.
    traces.sort_unstable_by_key(|(_, trace)| trace.row);
    for (trace_id, trace) in traces {
        let statement = match trace.is_new {
            true => {
                "INSERT INTO trace (id, start, finish, spans, errors, bytes, root, trace_id, arrived)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            }
            false => {
                "UPDATE trace SET start = min(start, ?2), finish = max(finish, ?3), spans = spans + ?4, errors = errors + ?5,
                 bytes = bytes + ?6, root = coalesce(root, ?7) WHERE id = ?1 AND ?8 IS NOT NULL AND ?9 IS NOT NULL"
            }
        };
        connection.prepare_cached(statement)?.execute(params![
            trace.row,
            trace.start.cast_signed(),
            trace.finish.cast_signed(),
            trace.spans.cast_signed(),
            trace.errors.cast_signed(),
            trace.bytes.cast_signed(),
            trace.root,
            trace_id,
            arrived,
        ])?;
    }
    Ok(())
}

/// Returns the power of two of a duration: the number of its binary digits.
pub(super) fn magnitude(duration: u64) -> u32 {
    u64::BITS - duration.leading_zeros()
}

/// OTLP's number of the status code `ERROR`.
pub(super) const ERROR: i32 = 2;
