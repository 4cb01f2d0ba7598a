//! What waits to be forwarded, and what was refused, in the status; and how it is sent again.

use http::{Response, StatusCode};
use serde_json::{Value, json};
use tonic::body::Body;

use super::answer::{error, value};
use crate::forward::{Destinations, Forwarding};
use crate::store::{Store, StoreError};

/// Returns the state of each destination. A URL in it has no secret, because none is taken that could have one.
pub(super) fn forwarding(state: &[Forwarding]) -> Value {
    let each = state.iter().map(|one| {
        let backlog = one.backlog;
        json!({
            "destination": one.destination,
            "deliveredSpans": one.delivered_spans,
            "rejectedSpans": one.rejected_spans,
            "droppedSpans": backlog.dropped_spans,
            "waiting": {"requests": backlog.messages, "spans": backlog.spans},
            "setAside": {
                "requests": backlog.set_aside,
                "spans": backlog.set_aside_spans,
                "lastCause": one.refusal,
            },
            "bytes": backlog.bytes,
            "failedAttempts": one.failed_attempts,
            "failure": one.failure,
        })
    });
    each.collect()
}

/// Sends again what a destination has refused for good, or all of them where the query names none.
pub(super) async fn resend(
    store: &Store,
    destinations: &Destinations,
    query: &str,
) -> Result<Response<Body>, StoreError> {
    let mut named = Vec::new();
    for (key, text) in form_urlencoded::parse(query.as_bytes()) {
        if key != "destination" {
            let cause = format!("unknown parameter {key:?}: expected destination=URL, or none");
            return Ok(error(StatusCode::BAD_REQUEST, &cause));
        }
        named.push(text.into_owned());
    }
    if named.is_empty() {
        named.extend(destinations.urls().map(str::to_owned));
    }
    let mut resent = Vec::new();
    for url in named {
        let Some((requests, spans)) = destinations.resend(store, &url).await? else {
            let known: Vec<&str> = destinations.urls().collect();
            let cause = match known[..] {
                [] => "this sink forwards nothing: start it with --forward URL".to_owned(),
                _ => format!(
                    "nothing is forwarded to {url:?}: expected one of {}",
                    known.join(", ")
                ),
            };
            return Ok(error(StatusCode::NOT_FOUND, &cause));
        };
        resent.push(json!({"destination": url, "requests": requests, "spans": spans}));
    }
    Ok(value(StatusCode::OK, &json!({"resent": resent})))
}
