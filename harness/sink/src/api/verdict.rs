//! Verdicts on traces, among the traces of their time.

use std::collections::HashSet;

use crate::store::{Query, Store, StoreError, StoredSpan};
use crate::verify::{neighbours_of, verify, verify_one, write_verdict};

/// Returns the verdict on a trace in JSON; `None` if it is not here.
pub(super) async fn verdict(store: &Store, id: [u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
    let trace = store.trace(id).await?;
    let others = neighbours(store, &trace, &HashSet::from([id])).await?;
    let verdict = verify_one(&trace, &others);
    Ok(verdict.map(|verdict| write_verdict(&verdict).into_bytes()))
}

/// Returns the verdicts on the traces that a query finds, as `{"traces":[…]}`, in the order of the search.
pub(super) async fn verdicts(store: &Store, query: Query) -> Result<Vec<u8>, StoreError> {
    let ids = store.search_ids(query).await?;
    let mut traces = Vec::new();
    for id in &ids {
        let trace = store.trace(*id).await?;
        // It may have been evicted since.
        if !trace.is_empty() {
            traces.push(trace);
        }
    }
    let found = traces.len();
    let spans: Vec<StoredSpan> = traces.iter().flatten().cloned().collect();
    let known: HashSet<[u8; 16]> = ids.into_iter().collect();
    traces.extend(neighbours(store, &spans, &known).await?);
    let verdicts = verify(&traces);
    let verdicts: Vec<String> = verdicts.iter().take(found).map(write_verdict).collect();
    Ok(format!("{{\"traces\":[{}]}}", verdicts.join(",")).into_bytes())
}

/// Returns the other traces of the time of some spans.
async fn neighbours(
    store: &Store,
    spans: &[StoredSpan],
    known: &HashSet<[u8; 16]>,
) -> Result<Vec<Vec<StoredSpan>>, StoreError> {
    let mut others = Vec::new();
    let Some(query) = neighbours_of(spans) else {
        return Ok(others);
    };
    for id in store.search_ids(query).await? {
        if !known.contains(&id) {
            others.push(store.trace(id).await?);
        }
    }
    Ok(others)
}
