//! Stored spans that are read in bytes and decoded elsewhere, so that the store's thread goes on meanwhile.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::decode;
use super::span::{Resource, Scope, StoredSpan};

/// Spans in bytes, with the fields around them.
#[derive(Debug, Default)]
pub(super) struct RawSpans {
    contexts: Vec<(Vec<u8>, Vec<u8>)>,
    places: HashMap<i64, usize>,
    spans: Vec<(usize, Vec<u8>)>,
}

impl RawSpans {
    /// Adds a span of a context.
    pub(super) fn push(
        &mut self,
        connection: &Connection,
        context: i64,
        body: Vec<u8>,
    ) -> Result<(), rusqlite::Error> {
        let place = match self.places.get(&context) {
            Some(place) => *place,
            None => {
                let fields = connection
                    .prepare_cached("SELECT resource, scope FROM context WHERE id = ?1")?
                    .query_row([context], |row| Ok((row.get(0)?, row.get(1)?)))?;
                self.contexts.push(fields);
                self.places.insert(context, self.contexts.len() - 1);
                self.contexts.len() - 1
            }
        };
        self.spans.push((place, body));
        Ok(())
    }

    /// Returns the spans in the order in which they were added, if `is_wanted` takes their bytes: those of the span, and
    /// those of the fields around it.
    pub(super) fn decode_if(
        self,
        is_wanted: impl Fn(&[u8], [&[u8]; 2]) -> bool,
    ) -> Vec<StoredSpan> {
        let mut decoded: Vec<Option<(Arc<Resource>, Arc<Scope>)>> = vec![None; self.contexts.len()];
        let mut spans = Vec::new();
        for (place, body) in &self.spans {
            let (Some((resource, scope)), Some(slot)) =
                (self.contexts.get(*place), decoded.get_mut(*place))
            else {
                continue;
            };
            if !is_wanted(body, [resource, scope]) {
                continue;
            }
            let (resource, scope) = slot.get_or_insert_with(|| decode::context(resource, scope));
            spans.push(decode::span(body, resource, scope));
        }
        spans
    }
}
