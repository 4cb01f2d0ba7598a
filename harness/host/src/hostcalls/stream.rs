//! The guest's actions on a stream: a local reply, resuming, closing. Each takes effect after the guest has returned.

use wasmtime::Linker;

use super::provide::provide;
use crate::abi_types::{Answer, Status, refuse};
use crate::explanations::Situation;
use crate::header_pairs;
use crate::host_call::HostCall;
use crate::stream::{HasEnded, LocalReply, Origin, Side};
use crate::vm_state::{Deferred, VmState};

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_send_local_response", send_local_response,
        code: u32, details: u32, details_size: u32, body: u32, body_size: u32,
        headers: u32, headers_size: u32, grpc_status: u32);
    provide!(linker, "proxy_continue_stream", continue_stream, stream: u32);
    provide!(linker, "proxy_close_stream", close_stream, stream: u32);
    provide!(linker, "proxy_continue_request", continue_request,);
    provide!(linker, "proxy_continue_response", continue_response,);
    provide!(linker, "proxy_clear_route_cache", clear_route_cache,);
    Ok(())
}

/// Answers the request with a local reply (`proxy_send_local_response`), which the guest's own response callbacks see.
///
/// In `proxy_on_log`, `proxy_on_done` and `proxy_on_delete` of an answered request that ends Envoy itself, as `explanations`
/// tells; of one whose client has gone away before, it has no effect.
///
/// # Parameters
/// - `code`: the HTTP status.
/// - `details`, `details_size`: the value of `response.code_details`; spaces and line breaks become `_`.
/// - `body`, `body_size`: the body.
/// - `headers`, `headers_size`: more headers, as pairs.
/// - `grpc_status`: 0 to 16 for a gRPC request; any other number means no gRPC status.
///
/// # Statuses
/// - OK: also in a TCP filter, without effect, and in a root context: then nothing is sent, and a stream in whose callback
///   the guest calls is paused, whatever the callback answers.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory.
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
fn send_local_response(
    call: &mut HostCall<'_>,
    code: u32,
    details: u32,
    details_size: u32,
    body: u32,
    body_size: u32,
    headers: u32,
    headers_size: u32,
    grpc_status: u32,
) -> Answer {
    let is_blank = |letter: char| letter.is_ascii_whitespace() || letter == '\u{b}';
    let details = call
        .read_text(details, details_size)?
        .replace(is_blank, "_");
    let body = call.read(body, body_size)?;
    let headers = call.read(headers, headers_size)?;
    let reply = LocalReply {
        status: code,
        headers: header_pairs::decode(&headers)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        body,
        details,
        grpc_status: (grpc_status <= 16).then_some(grpc_status),
        origin: Origin::Filter,
    };
    let state = call.state_mut();
    let Some(stream) = state.stream() else {
        state.holds_message = true;
        state.explain(state.current, Situation::ReplyWithoutStream);
        return Ok(());
    };
    let (id, ended) = (stream.id, stream.ended);
    if stream.is_connection() {
        return Ok(());
    }
    match ended {
        None => {
            state.stop_iteration = true;
            state.deferred.push_back(Deferred::LocalReply(id, reply));
        }
        Some(HasEnded::Answered) => state.explain(id.0, Situation::ReplyAfterEnd),
        Some(HasEnded::Unanswered) => {}
    }
    Ok(())
}

/// Resumes a paused message (`proxy_continue_stream`).
///
/// For 0 and 1, Envoy then no longer shows the *request's* headers, body and trailers, but for a body that it buffers. 2 lets
/// the client's bytes of a TCP connection go on, or the connection itself after `proxy_on_new_connection`.
/// `explanations` tells of a resumption that does what its author hardly wants; that of a response before there is one ends
/// Envoy itself.
///
/// # Parameters
/// - `stream`: 0 request, 1 response, 2 downstream, 3 upstream.
///
/// # Statuses
/// - OK: also when nothing is paused, or in a root context.
/// - UNIMPLEMENTED: upstream.
/// - BAD_ARGUMENT: no such kind of stream.
fn continue_stream(call: &mut HostCall<'_>, stream: u32) -> Answer {
    match stream {
        0 => go_on(call, Side::Request),
        1 => go_on(call, Side::Response),
        2 => {
            let state = call.state_mut();
            if let Some(stream) = state.stream().filter(|stream| stream.is_connection()) {
                let id = stream.id;
                state.deferred.push_back(Deferred::ContinueConnection(id));
            }
            Ok(())
        }
        3 => refuse(
            Status::Unimplemented,
            "an upstream connection is not continued",
        ),
        _ => refuse(
            Status::BadArgument,
            format!("{stream} is no kind of stream"),
        ),
    }
}

/// Resets the stream (`proxy_close_stream`).
///
/// In `proxy_on_log`, `proxy_on_done` and `proxy_on_delete` of an answered request that ends Envoy itself, as `explanations`
/// tells; of one whose client has gone away before, it has no effect.
///
/// # Parameters
/// - `stream`: 0 request, 1 response, 2 downstream, 3 upstream.
///
/// # Statuses
/// - OK: also for connections in an HTTP filter, for streams in a TCP filter, and in a root context, without effect. 2 and 3
///   both close the connection with the client, and `proxy_on_downstream_connection_close` follows with 1.
/// - BAD_ARGUMENT: no such kind of stream.
fn close_stream(call: &mut HostCall<'_>, stream: u32) -> Answer {
    if stream > 3 {
        return refuse(
            Status::BadArgument,
            format!("{stream} is no kind of stream"),
        );
    }
    let state = call.state_mut();
    let Some(active) = state.stream() else {
        return Ok(());
    };
    let (id, is_connection, ended) = (active.id, active.is_connection(), active.ended);
    if is_connection && stream >= 2 {
        state.deferred.push_back(Deferred::CloseConnection(id));
    } else if !is_connection && stream < 2 {
        match ended {
            None => {
                state.stop_iteration = true;
                state.deferred.push_back(Deferred::Close(id));
            }
            Some(HasEnded::Answered) => state.explain(id.0, Situation::ClosedAfterEnd),
            Some(HasEnded::Unanswered) => {}
        }
    }
    Ok(())
}

/// Resumes the request, as `proxy_continue_stream(0)` does (`proxy_continue_request` of ABI 0.1.0).
///
/// # Statuses
/// - OK.
fn continue_request(call: &mut HostCall<'_>) -> Answer {
    go_on(call, Side::Request)
}

/// Resumes the response, as `proxy_continue_stream(1)` does (`proxy_continue_response` of ABI 0.1.0).
///
/// # Statuses
/// - OK.
fn continue_response(call: &mut HostCall<'_>) -> Answer {
    go_on(call, Side::Response)
}

/// Does nothing, because this host has no route to choose again (`proxy_clear_route_cache` of ABI 0.1.0).
///
/// # Statuses
/// - OK.
fn clear_route_cache(_call: &mut HostCall<'_>) -> Answer {
    Ok(())
}

fn go_on(call: &mut HostCall<'_>, side: Side) -> Answer {
    let state = call.state_mut();
    let Some(stream) = state.stream_mut().filter(|stream| !stream.is_connection()) else {
        return Ok(());
    };
    stream.request.shows_headers = false;
    stream.request.shows_body = false;
    stream.request.shows_trailers = false;
    let id = stream.id;
    if side == Side::Response && stream.response.headers().is_none() {
        state.explain(id.0, Situation::ResumedNoResponse);
        return Ok(());
    }
    state.deferred.push_back(Deferred::Continue(id, side));
    Ok(())
}

#[cfg(test)]
mod tests;
