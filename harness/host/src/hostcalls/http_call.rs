//! HTTP requests of the guest (`proxy_http_call`).

use std::time::Duration;

use wasmtime::Linker;

use super::provide::provide;
use crate::abi_types::{Answer, MapType, Status, refuse};
use crate::header_pairs;
use crate::headers::Headers;
use crate::host_call::HostCall;
use crate::inline_headers;
use crate::vm_state::{CallToken, HttpCall, VmState};

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_http_call", http_call,
        cluster: u32, cluster_size: u32, headers: u32, headers_size: u32, body: u32, body_size: u32,
        trailers: u32, trailers_size: u32, timeout_ms: u32, token_out: u32);
    Ok(())
}

/// Sends a request to a cluster; the response comes to the root context (`proxy_http_call`).
///
/// # Parameters
/// - `cluster`, `cluster_size`: the name of the cluster.
/// - `headers`, `headers_size`: pairs, with `:method`, `:path`, and `:authority` or `host`. Envoy joins a second value of a
///   header that it keeps once.
/// - `body`, `body_size`: the body; `content-length` is written when there is one.
/// - `trailers`, `trailers_size`: pairs, which Envoy 1.40 does not send.
/// - `timeout_ms`: 0 is no timeout.
/// - `token_out`: destination of the token (u32), which `proxy_on_http_call_response` repeats.
///
/// # Statuses
/// - OK: the request is on its way.
/// - BAD_ARGUMENT: unknown cluster; one of the three headers is missing (malformed pairs count as no headers); a timeout of
///   2^31 ms or more.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory.
/// - INTERNAL_FAILURE: the cluster has no hosts; called before there is a root context.
///
/// ```text
/// the first call of a VM, token_out=8      8: 04 00 00 00
/// ```
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
fn http_call(
    call: &mut HostCall<'_>,
    cluster: u32,
    cluster_size: u32,
    headers: u32,
    headers_size: u32,
    body: u32,
    body_size: u32,
    trailers: u32,
    trailers_size: u32,
    timeout_ms: u32,
    token_out: u32,
) -> Answer {
    let cluster = call.read_text(cluster, cluster_size)?;
    let mut headers = headers_of(MapType::RequestHeaders, &call.read(headers, headers_size)?);
    let body = call.read(body, body_size)?;
    let trailers = headers_of(
        MapType::RequestTrailers,
        &call.read(trailers, trailers_size)?,
    );
    // Envoy checks the destination before it sends anything.
    call.write_u32(token_out, 0)?;

    if i32::try_from(timeout_ms).is_err() {
        return refuse(
            Status::BadArgument,
            format!("a timeout of {timeout_ms} ms is negative to Envoy"),
        );
    }
    let state = call.state_mut();
    let root = state.root_id();
    if !state.roots.contains_key(&root) {
        return refuse(
            Status::InternalFailure,
            "there is no root context to answer to",
        );
    }
    if !state.settings.clusters.contains(&cluster) {
        return refuse(
            Status::BadArgument,
            format!("there is no cluster `{cluster}`"),
        );
    }
    if state.settings.clusters_without_hosts.contains(&cluster) {
        state.calls.next_token();
        return refuse(
            Status::InternalFailure,
            format!(
                "the cluster `{cluster}` has no hosts; Envoy refuses the call and calls nobody back"
            ),
        );
    }
    for name in [":method", ":path", ":authority"] {
        if headers.get(name).is_none() {
            return refuse(Status::BadArgument, format!("the request has no {name}"));
        }
    }
    if !body.is_empty() {
        headers.replace("content-length", body.len().to_string());
    }
    let timeout = (timeout_ms > 0).then(|| Duration::from_millis(u64::from(timeout_ms)));
    let request = HttpCall {
        token: CallToken(0),
        cluster,
        headers,
        body,
        trailers,
        timeout,
    };
    let now = state.time.now();
    let token = state.calls.begin(root, now, request);
    call.write_u32(token_out, token)
}

/// Decodes a map as Envoy keeps it; malformed pairs are no headers at all.
fn headers_of(kind: MapType, bytes: &[u8]) -> Headers {
    let pairs = header_pairs::decode(bytes).unwrap_or_default();
    inline_headers::arrived(kind, pairs.into_iter().collect())
}

#[cfg(test)]
mod tests;
