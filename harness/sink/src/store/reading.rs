//! The handle's part for readers: searches, traces, names.

use std::sync::Arc;

use hyper::body::Bytes;

use super::database::StoreError;
use super::handle::Store;
use super::keep::lock;
use super::query::{Operation, Query, TraceSummary};
use super::read;
use super::span::StoredSpan;

impl Store {
    /// Finds traces, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn search(&self, query: Query) -> Result<Vec<TraceSummary>, StoreError> {
        let sieve = Arc::clone(&self.inner.sieve);
        self.read(move |connection| read::summaries(connection, &query, &sieve))
            .await
    }

    /// Returns the summary of a trace; `None` if the trace is not here.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn summary(&self, trace_id: [u8; 16]) -> Result<Option<TraceSummary>, StoreError> {
        match self.row(trace_id) {
            Some(row) => {
                self.read(move |connection| read::summary(connection, row))
                    .await
            }
            None => Ok(None),
        }
    }

    /// Finds the ids of traces, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn search_ids(&self, query: Query) -> Result<Vec<[u8; 16]>, StoreError> {
        self.read(move |connection| read::found(connection, &query))
            .await
    }

    /// Returns the summary of a trace if a span of it meets every condition; `None` also if the trace is not here.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn summary_if(
        &self,
        trace_id: [u8; 16],
        query: Query,
    ) -> Result<Option<TraceSummary>, StoreError> {
        match self.row(trace_id) {
            Some(row) => {
                self.read(move |connection| read::matching(connection, &query, row))
                    .await
            }
            None => Ok(None),
        }
    }

    /// Returns the ids of the traces that begin with hexadecimal digits, in order; none for what is not hexadecimal.
    pub fn ids_with_prefix(&self, digits: &str) -> Vec<[u8; 16]> {
        let Some(wanted) = nibbles(digits) else {
            return Vec::new();
        };
        let begins = |id: &[u8; 16]| {
            let own = id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            wanted.len() <= 32 && wanted.iter().copied().eq(own.take(wanted.len()))
        };
        let mut found: Vec<[u8; 16]> = lock(&self.inner.ids)
            .keys()
            .filter(|id| begins(id))
            .copied()
            .collect();
        found.sort_unstable();
        found
    }

    /// Returns the spans of a trace in the order of their arrival; none if the trace is not here.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn trace(&self, trace_id: [u8; 16]) -> Result<Vec<StoredSpan>, StoreError> {
        match self.row(trace_id) {
            Some(row) => {
                self.read(move |connection| read::trace(connection, row))
                    .await
            }
            None => Ok(Vec::new()),
        }
    }

    /// Returns a trace as the protobuf of a `TracesData`, with the very bytes of its spans; `None` if it is not here.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn trace_data(&self, trace_id: [u8; 16]) -> Result<Option<Bytes>, StoreError> {
        match self.row(trace_id) {
            Some(row) => {
                let data = self
                    .read(move |connection| read::trace_data(connection, row))
                    .await?;
                Ok(data.map(Bytes::from))
            }
            None => Ok(None),
        }
    }

    /// Returns the ids of traces in the order of arrival, a page at a time: those behind `after`, which is 0 for the first
    /// page and then the number that stands beside the last id.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn trace_ids(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, [u8; 16])>, StoreError> {
        self.read(move |connection| read::trace_ids(connection, after, limit))
            .await
    }

    /// Returns the names of all services, in alphabetical order.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn services(&self) -> Result<Vec<String>, StoreError> {
        self.read(read::services).await
    }

    /// Returns the operations of a service, in alphabetical order.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn operations(&self, service: &str) -> Result<Vec<Operation>, StoreError> {
        let service = service.to_owned();
        self.read(move |connection| read::operations(connection, &service))
            .await
    }

    pub(super) fn row(&self, trace_id: [u8; 16]) -> Option<i64> {
        lock(&self.inner.ids).get(&trace_id).copied()
    }
}

/// Returns the values of hexadecimal digits.
fn nibbles(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: char| {
        digit
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    digits.chars().map(value).collect()
}
