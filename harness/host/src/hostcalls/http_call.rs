//! Calls out of the VM: HTTP requests (`proxy_http_call`), and Envoy's foreign functions (`proxy_call_foreign_function`).

use std::time::Duration;

use wasmtime::Linker;

use super::expressions;
use super::provide::provide;
use crate::abi_types::{Answer, Status, refuse};
use crate::header_pairs;
use crate::headers::Headers;
use crate::host_call::HostCall;
use crate::settings::EnvoyVersion;
use crate::vm_state::{CallToken, Expressions, HttpCall, VmState};

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_http_call", http_call,
        cluster: u32, cluster_size: u32, headers: u32, headers_size: u32, body: u32, body_size: u32,
        trailers: u32, trailers_size: u32, timeout_ms: u32, token_out: u32);
    provide!(linker, "proxy_call_foreign_function", foreign_function,
        name: u32, name_size: u32, arguments: u32, arguments_size: u32, result_out: u32, result_size_out: u32);
    Ok(())
}

/// Sends a request to a cluster; the response comes to the root context (`proxy_http_call`).
///
/// # Parameters
/// - `cluster`, `cluster_size`: the name of the cluster.
/// - `headers`, `headers_size`: pairs, with `:method`, `:path` and `:authority`.
/// - `body`, `body_size`: the body; `content-length` is written when there is one.
/// - `trailers`, `trailers_size`: pairs.
/// - `timeout_ms`: 0 is no timeout.
/// - `token_out`: destination of the token (u32), which `proxy_on_http_call_response` repeats.
///
/// # Statuses
/// - OK: the request is on its way.
/// - BAD_ARGUMENT: unknown cluster; one of the three headers is missing (malformed pairs count as no headers); a timeout of
///   2^31 ms or more.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory.
/// - INTERNAL_FAILURE: called before there is a root context.
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
    let mut headers = headers_of(&call.read(headers, headers_size)?);
    let body = call.read(body, body_size)?;
    let trailers = headers_of(&call.read(trailers, trailers_size)?);
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

/// Calls a function that Envoy offers outside the ABI (`proxy_call_foreign_function`).
///
/// # Parameters
/// - `name`, `name_size`: the function's name.
/// - `arguments`, `arguments_size`: the function's arguments, in the function's own encoding.
/// - `result_out`, `result_size_out`: destinations of the result's address and size (u32 each); 0 if not wanted.
///
/// # Statuses
/// - OK: `clear_route_cache`, which has nothing to clear here; `expr_create`, `expr_evaluate`, `expr_delete`.
/// - NOT_FOUND: no such function, or no such expression.
/// - BAD_ARGUMENT: a source that is no expression, or bytes that are no token.
/// - INTERNAL_FAILURE: an attribute of the expression is unknown at this moment.
/// - UNIMPLEMENTED: a function that Envoy has and this host does not have.
/// - INVALID_MEMORY_ACCESS: name or arguments are outside the memory.
///
/// Envoy differs: it has the functions that are UNIMPLEMENTED here, and evaluates all of CEL.
fn foreign_function(
    call: &mut HostCall<'_>,
    name: u32,
    name_size: u32,
    arguments: u32,
    arguments_size: u32,
    result_out: u32,
    result_size_out: u32,
) -> Answer {
    let name = call.read_text(name, name_size)?;
    let arguments = call.read(arguments, arguments_size)?;
    for out in [result_out, result_size_out] {
        if out != 0 {
            call.write_u32(out, 0)?;
        }
    }
    let result = match name.as_str() {
        "clear_route_cache" if call.state().settings.version >= EnvoyVersion::V1_33 => {
            return Ok(());
        }
        "expr_create" => expressions(call)?.create(&arguments)?,
        "expr_delete" => expressions(call)?.delete(&arguments)?,
        "expr_evaluate" => expressions::evaluate(call.state(), &arguments)?,
        _ => return unknown(&name),
    };
    if result_out == 0 || result_size_out == 0 {
        return Ok(());
    }
    call.hand_over(&result, result_out, result_size_out)
}

fn expressions<'a>(call: &'a mut HostCall<'_>) -> Answer<&'a mut Expressions> {
    match call.state_mut().root_mut() {
        Some(root) => Ok(&mut root.expressions),
        None => refuse(
            Status::NotFound,
            "there is no root context whose expression this could be",
        ),
    }
}

fn unknown(name: &str) -> Answer {
    if ENVOY_FUNCTIONS.contains(&name) {
        return refuse(
            Status::Unimplemented,
            format!("Envoy has the foreign function `{name}`; this host has not"),
        );
    }
    refuse(
        Status::NotFound,
        format!("there is no foreign function `{name}`"),
    )
}

/// The functions that Envoy registers in `source/extensions/common/wasm/foreign.cc` and this host does not have.
const ENVOY_FUNCTIONS: [&str; 6] = [
    "compress",
    "uncompress",
    "set_envoy_filter_state",
    "declare_property",
    "verify_signature",
    "sign",
];

/// Decodes headers; malformed pairs are no headers at all, as in Envoy.
fn headers_of(bytes: &[u8]) -> Headers {
    header_pairs::decode(bytes)
        .unwrap_or_default()
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests;
