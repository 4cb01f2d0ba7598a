//! Spans that are loaded into a store of this process, so that every source is searched by the same rules.

use anyhow::{Context, bail};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use sidespan_sink::otlp_json::{read_request, write_request};
use sidespan_sink::{Limits, Place, SpanBatch, Store, StoredSpan};

/// Opens an empty store in memory that takes everything.
///
/// # Errors
/// When there is no memory for it.
pub(crate) fn empty() -> anyhow::Result<Store> {
    const ALL: usize = usize::MAX >> 1;
    let limits = Limits {
        max_spans: ALL,
        max_bytes: ALL,
        max_span_bytes: ALL,
        ..Limits::default()
    };
    Ok(Store::open(Place::Memory, limits)?)
}

/// Adds the spans of a request, and returns how many have no valid ids.
///
/// # Errors
/// When the store does not take them.
pub(crate) async fn add(
    store: &Store,
    request: &ExportTraceServiceRequest,
) -> anyhow::Result<usize> {
    let batch = SpanBatch::from_request(request);
    let (invalid, _) = batch.invalid();
    store.insert(batch, |_| ()).await?;
    Ok(invalid)
}

/// Reads OTLP in JSON into spans.
///
/// # Errors
/// When it is not OTLP in JSON.
pub(crate) async fn spans(json: &[u8]) -> anyhow::Result<Vec<StoredSpan>> {
    let (request, _) = read_request(json).context("expected OTLP in JSON")?;
    let store = empty()?;
    add(&store, &request).await?;
    let mut spans = Vec::new();
    for id in store.ids_with_prefix("") {
        spans.extend(store.trace(id).await?);
    }
    Ok(spans)
}

/// Returns the one trace of a store that begins with these digits, as OTLP in JSON.
///
/// # Errors
/// When several traces do.
pub(super) async fn trace(store: &Store, digits: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let id = match store.ids_with_prefix(digits)[..] {
        [] => return Ok(None),
        [id] => id,
        ref several => {
            let shown: Vec<String> = several.iter().take(10).map(hex::encode).collect();
            bail!(
                "{} traces begin with {digits}: give more digits, as of {}",
                several.len(),
                shown.join(", ")
            );
        }
    };
    let data = store.trace_data(id).await?;
    Ok(match data {
        Some(data) => Some(write_request(&ExportTraceServiceRequest::decode(data)?)),
        None => None,
    })
}
