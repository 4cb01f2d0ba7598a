//! The verdict on a trace, among the traces of its time.

use crate::store::{Store, StoreError};
use crate::verify::{neighbours_of, verify_one, write_verdict};

/// Returns the verdict on a trace in JSON; `None` if it is not here.
pub(super) async fn verdict(store: &Store, id: [u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
    let trace = store.trace(id).await?;
    let Some(query) = neighbours_of(&trace) else {
        return Ok(None);
    };
    let mut others = Vec::new();
    for other in store.search_ids(query).await? {
        if other != id {
            others.push(store.trace(other).await?);
        }
    }
    let verdict = verify_one(&trace, &others);
    Ok(verdict.map(|verdict| write_verdict(&verdict).into_bytes()))
}
