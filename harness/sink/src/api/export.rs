//! The export: OTLP in JSON, a trace a line, in the order of arrival or, with conditions, the oldest first.

use hyper::body::Bytes;

use super::produced::{Broken, Pipe};
use crate::otlp_json::line;
use crate::store::{Query, Store, StoreError};

/// Writes the traces that the conditions find; with the default conditions and no limit all of them.
pub(super) async fn export(store: Store, query: Query, pipe: Pipe) -> Result<(), Broken> {
    let written = match query == all() {
        true => every(&store, &pipe).await,
        false => found(&store, query, &pipe).await,
    };
    written.map_err(|error| {
        log::error!("an export ended early: {error}");
        Broken
    })
}

/// Returns the query without a condition and without a limit.
pub(super) fn all() -> Query {
    Query {
        limit: usize::MAX,
        ..Query::default()
    }
}

async fn every(store: &Store, pipe: &Pipe) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let page = store.trace_ids(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        for (_, id) in page {
            if !write(store, id, pipe).await? {
                return Ok(());
            }
        }
    }
}

async fn found(store: &Store, query: Query, pipe: &Pipe) -> Result<(), StoreError> {
    for id in store.search_ids(query).await?.into_iter().rev() {
        if !write(store, id, pipe).await? {
            break;
        }
    }
    Ok(())
}

/// Writes a trace; returns false if nobody reads any more. A trace that was evicted in between is passed over.
async fn write(store: &Store, id: [u8; 16], pipe: &Pipe) -> Result<bool, StoreError> {
    let Some(data) = store.trace_data(id).await? else {
        return Ok(true);
    };
    Ok(pipe.send(Bytes::from(line(data))).await.is_ok())
}

const PAGE: usize = 256;
