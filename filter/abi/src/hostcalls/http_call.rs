//! HTTP calls to clusters, whose answers must find the context that has made the call.

use std::time::Duration;

use crate::contexts::Contexts;
use crate::types::Status;

/// Sends an HTTP request to a cluster (`proxy_http_call`). The answer comes back to the context whose callback is under way,
/// by the token that is returned.
///
/// # Errors
/// The proxy's status, where the request was not sent: of Envoy `BadArgument` (no such cluster) or `InternalFailure`.
pub fn dispatch_http_call(
    cluster: &str,
    headers: Vec<(&str, &str)>,
    body: Option<&[u8]>,
    trailers: Vec<(&str, &str)>,
    timeout: Duration,
) -> Result<u32, Status> {
    let (headers, trailers) = (block(&headers), block(&trailers));
    let body = body.unwrap_or_default();
    let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let mut token = 0;
    // SAFETY: all texts, the body and the out pointer live as long as the call.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            trailers.as_ptr(),
            trailers.len(),
            milliseconds,
            &raw mut token,
        )
    };
    Status::check(status)?;
    Contexts::with((), |contexts| contexts.called(token));
    Ok(token)
}

/// Encodes a map of headers as the ABI defines it: the number of headers, the lengths of all names and values, then the
/// names and values, each followed by a zero.
fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let texts = || headers.iter().flat_map(|(name, value)| [*name, *value]);
    let mut block = Vec::from(number(headers.len()));
    for text in texts() {
        block.extend_from_slice(&number(text.len()));
    }
    for text in texts() {
        block.extend_from_slice(text.as_bytes());
        block.push(0);
    }
    block
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
}
