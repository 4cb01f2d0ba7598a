//! Calls of the proxy to a cluster, which its answers must find again: the SDK's, for it hands them on.

use std::time::Duration;

use sidespan_abi::types::Status as SdkStatus;
use sidespan_core::cluster_call::send_error::SendError;

/// What the proxy's servers are told of who asks.
pub(crate) const PRODUCT: &str = concat!("sidespan/", env!("CARGO_PKG_VERSION"));

/// Starts an HTTP call to a cluster. The one hostcall that goes through the SDK: its dispatch ends the VM on the answer
/// to a call that it did not see leave. Envoy answers it with OK, BAD_ARGUMENT or INTERNAL_FAILURE and nothing else, all
/// of which the SDK expects.
pub(crate) fn http_call(
    cluster: &str,
    headers: Vec<(&str, &str)>,
    body: Option<&[u8]>,
    timeout: Duration,
) -> Result<u32, SendError> {
    sidespan_abi::hostcalls::dispatch_http_call(cluster, headers, body, Vec::new(), timeout)
        .map_err(|status| match status {
            SdkStatus::BadArgument => SendError::UnknownCluster,
            _ => SendError::NotSent,
        })
}
