//! All spans of a store as values, for a test that looks at everything.
//!
//! A test looks again after every change, so spans are decoded once and kept while somebody looks. A sink that nobody looks
//! at in this way holds nothing here.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use rusqlite::Connection;

use super::read::{Contexts, span};
use super::span::StoredSpan;

/// The spans that were decoded for somebody.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The spans by the rows of trace and span, which is the order of arrival.
    spans: BTreeMap<(i64, i64), Arc<StoredSpan>>,
    last: i64,
    removals: u64,
}

impl Contents {
    /// Returns all spans: traces in the order of arrival, and within a trace spans in the order of arrival.
    pub(super) fn all(
        &mut self,
        connection: &Connection,
        removals: u64,
    ) -> Result<Vec<Arc<StoredSpan>>, rusqlite::Error> {
        if self.removals != removals {
            let mut select = connection.prepare_cached("SELECT id FROM trace")?;
            let live: HashSet<i64> = select
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            self.spans.retain(|(trace, _), _| live.contains(trace));
            self.removals = removals;
        }
        let mut contexts = Contexts::new();
        let mut select = connection.prepare_cached(
            "SELECT id, trace, context, body FROM span WHERE id > ?1 ORDER BY id",
        )?;
        let mut rows = select.query([self.last])?;
        while let Some(row) = rows.next()? {
            let (id, trace) = (row.get(0)?, row.get(1)?);
            let span = span(
                connection,
                &mut contexts,
                row.get(2)?,
                row.get_ref(3)?.as_blob()?,
            )?;
            self.spans.insert((trace, id), Arc::new(span));
            self.last = id;
        }
        Ok(self.spans.values().cloned().collect())
    }
}
