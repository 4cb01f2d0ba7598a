//! Jaeger's remote storage: the sink as the place where a Jaeger keeps and finds its spans, in both versions of the API.
//!
//! ```text
//! Jaeger 2       ── jaeger.storage.v2 ── v2 ── chunks ───────── TracesData
//! Jaeger 1 (.76) ── jaeger.storage.v1 ── v1 ── to_model ─────── Jaeger's spans
//!                                         └─── from_model ◄───── what it writes; Jaeger 2 writes OTLP
//! ```

mod call;
mod chunks;
mod from_model;
mod model;
mod time;
mod to_model;
mod v1;
mod v1_messages;
mod v2;
mod v2_messages;

use http::{Request, Response};
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body;

use crate::store::Store;

/// Returns true if a path of gRPC is of the remote storage.
pub(crate) fn is_of_storage(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Answers a call; `kept` is called when a span that a Jaeger writes is kept.
pub(crate) async fn serve(
    store: &Store,
    request: Request<Incoming>,
    kept: impl FnOnce() + Send + 'static,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let store = store.clone();
    let method = path.strip_prefix(PREFIX).unwrap_or_default();
    match method.split_once('.') {
        Some(("v1", method)) => v1::serve(store, method, request, kept).await,
        Some(("v2", method)) => v2::serve(store, method, request).await,
        _ => Status::unimplemented(UNKNOWN).into_http(),
    }
}

const PREFIX: &str = "/jaeger.storage.";
const UNKNOWN: &str = "this sink serves jaeger.storage.v1 and jaeger.storage.v2";
