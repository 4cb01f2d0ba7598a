//! Files of OTLP in JSON, a request a line, from a store and into a store.

use std::io::{self, BufRead, Write};

use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::read::read_request;
use super::reader::{JsonError, Warnings};
use super::write::write_request;
use crate::store::{Query, Refused, SpanBatch, Store, StoreError};

/// The error of a file that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
    /// A line that is not OTLP in JSON.
    #[error("line {line}: {source}")]
    Line {
        /// The number of the line, from 1.
        line: u64,
        /// The problem.
        #[source]
        source: JsonError,
    },
    /// A store that cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A store that does not take the spans of a line.
    #[error("line {line}: {source}")]
    Refused {
        /// The number of the line, from 1.
        line: u64,
        /// The reason.
        #[source]
        source: Refused,
    },
}

/// The result of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The traces written, a line each.
    pub traces: u64,
}

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The lines read, without the empty ones.
    pub lines: u64,
    /// The spans that are now in the store.
    pub kept: u64,
    /// The spans that were in the store already.
    pub duplicates: u64,
    /// The spans with invalid ids, or too large for the store.
    pub rejected: u64,
    /// The counts of what was read although it should not be written so, or was passed over.
    pub warnings: Warnings,
}

/// Writes all traces of a store, a line each, in the order of their arrival.
///
/// # Errors
/// [`LinesError`] when the store cannot be read or the file cannot be written.
pub async fn export(store: &Store, out: &mut impl Write) -> Result<Exported, LinesError> {
    let mut exported = Exported::default();
    let mut after = 0;
    loop {
        let page = store.trace_ids(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = *last;
        for (_, trace_id) in page {
            // A trace that was evicted in between is not there any more.
            if let Some(data) = store.trace_data(trace_id).await? {
                out.write_all(&line(data))?;
                exported.traces += 1;
            }
        }
    }
    out.flush()?;
    Ok(exported)
}

/// Writes the traces that a search finds, a line each, the oldest first.
///
/// # Errors
/// [`LinesError`] when the store cannot be read or the file cannot be written.
pub async fn export_found(
    store: &Store,
    query: Query,
    out: &mut impl Write,
) -> Result<Exported, LinesError> {
    let mut exported = Exported::default();
    for trace_id in store.search_ids(query).await?.into_iter().rev() {
        if let Some(data) = store.trace_data(trace_id).await? {
            out.write_all(&line(data))?;
            exported.traces += 1;
        }
    }
    out.flush()?;
    Ok(exported)
}

/// Returns a line of a file from the protobuf of a `TracesData`.
pub(crate) fn line(data: Bytes) -> Vec<u8> {
    // Stored bytes were checked; what a damaged file holds is written as empty.
    let request = ExportTraceServiceRequest::decode(data).unwrap_or_default();
    let mut line = write_request(&request);
    line.push(b'\n');
    line
}

/// Reads lines into a store.
///
/// # Errors
/// [`LinesError`] at the first line that cannot be read or kept; the lines before it are in the store.
pub async fn import(store: &Store, input: &mut impl BufRead) -> Result<Imported, LinesError> {
    let mut imported = Imported::default();
    let mut text = Vec::new();
    let mut line = 0;
    loop {
        text.clear();
        if input.read_until(b'\n', &mut text)? == 0 {
            break;
        }
        line += 1;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let (request, warnings) =
            read_request(&text).map_err(|source| LinesError::Line { line, source })?;
        let batch = SpanBatch::from_request(&request);
        let (invalid, _) = batch.invalid();
        let inserted = store.insert(batch, |_| ()).await;
        let inserted = inserted.map_err(|source| LinesError::Refused { line, source })?;
        imported.lines += 1;
        imported.kept += inserted.kept;
        imported.duplicates += inserted.duplicates;
        imported.rejected += inserted.rejected + u64::try_from(invalid).unwrap_or(u64::MAX);
        imported.warnings.snake_case += warnings.snake_case;
        imported.warnings.enum_names += warnings.enum_names;
        imported.warnings.unknown += warnings.unknown;
    }
    Ok(imported)
}

const PAGE: usize = 256;
