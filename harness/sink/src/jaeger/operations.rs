//! The operations of a service: the names and kinds of its spans.

use crate::store::{Operation, SpanKind, Store, StoreError};

/// Returns the names and kinds of a service's spans; those of one kind if it is not empty.
pub(super) async fn operations_of(
    store: &Store,
    service: &str,
    kind: &str,
) -> Result<Vec<(String, &'static str)>, StoreError> {
    let named = |it: Operation| (it.name, kind_of(it.kind));
    let all = store.operations(service).await?.into_iter().map(named);
    let mut found: Vec<_> = all
        .filter(|(_, own)| kind.is_empty() || *own == kind)
        .collect();
    found.dedup();
    Ok(found)
}

fn kind_of(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified | SpanKind::Unknown(_) => "",
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}
