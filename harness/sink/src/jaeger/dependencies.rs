//! The calls between services, as Jaeger counts them: a span whose parent is there is a call of its parent's service.

use http::{Response, StatusCode};
use serde::Serialize;
use tonic::body::Body;

use super::answer::{data, error};
use super::form::Form;
use super::parameters;
use crate::store::{Store, StoreError};

/// The most traces that are counted, the last to arrive.
const MOST_TRACES: usize = 100_000;

/// The calls of one service by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dependency {
    pub(super) parent: String,
    pub(super) child: String,
    pub(super) call_count: u64,
}

/// Answers `/api/dependencies`.
pub(super) async fn answer(store: &Store, form: &Form) -> Result<Response<Body>, StoreError> {
    let (from, to) = match parameters::dependencies(form) {
        Ok(times) => times,
        Err(cause) => return Ok(error(StatusCode::BAD_REQUEST, &cause)),
    };
    if to < from {
        return Ok(error(StatusCode::BAD_REQUEST, BACKWARDS));
    }
    let mut found = between(store, from, to).await?;
    let service = form.first("service");
    if !service.is_empty() {
        found.retain(|it| it.parent == service || it.child == service);
    }
    Ok(data(found, 0))
}

/// Returns the calls in the traces that lie between two times, in nanoseconds since 1970.
pub(super) async fn between(
    store: &Store,
    from: i64,
    to: i64,
) -> Result<Vec<Dependency>, StoreError> {
    let calls = store.calls(from, to, MOST_TRACES).await?;
    let calls = calls
        .into_iter()
        .map(|((parent, child), call_count)| Dependency {
            parent,
            child,
            call_count,
        });
    Ok(calls.collect())
}

/// Jaeger's words for a time that ends before it begins.
pub(super) const BACKWARDS: &str = "end time must be greater than start time";
