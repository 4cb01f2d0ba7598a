//! HTTP calls to clusters, with the core's errors.

use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_abi::types::Status;
use sidespan_core::cluster_call::send_error::SendError;

/// The name and version of this filter, for `user-agent`.
pub(crate) const PRODUCT: &str = concat!("sidespan/", env!("CARGO_PKG_VERSION"));

/// Sends an HTTP request to a cluster (`proxy_http_call`). Envoy answers OK, BAD_ARGUMENT (no such cluster) or
/// INTERNAL_FAILURE.
pub(crate) fn http_call(
    cluster: &str,
    headers: Vec<(&str, &str)>,
    body: Option<&[u8]>,
    timeout: Duration,
) -> Result<u32, SendError> {
    hostcalls::dispatch_http_call(cluster, headers, body, Vec::new(), timeout).map_err(|status| {
        match status {
            Status::BadArgument => SendError::UnknownCluster,
            _ => SendError::NotSent,
        }
    })
}
