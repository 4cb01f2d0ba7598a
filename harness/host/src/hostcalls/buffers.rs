//! Buffers (`proxy_*_buffer_*`): bodies, the body of a call's response, and the two configurations.

use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::{HostCall, word};
use crate::vm_state::VmState;

/// The last kind of buffer in the ABI: the arguments of a foreign function.
const LAST: u32 = 8;

/// Gives the guest a part of a buffer (`proxy_get_buffer_bytes`).
///
/// # Parameters
/// - `buffer`: 0 request body, 1 response body, 2 bytes from the client, 3 bytes from the upstream, 4 body of a
///   call's response, 5 message of a gRPC call, 6 VM configuration, 7 plugin configuration, 8 arguments of a foreign call.
/// - `start`, `max_size`: the part, cut at the buffer's end.
/// - `bytes_out`, `size_out`: destinations of address and size (u32 each).
///
/// # Statuses
/// - OK: also for a body outside its callback and for a start behind the end, with address 0 and size 0.
/// - NOT_FOUND: the plugin configuration outside `proxy_on_configure` and the root context's `proxy_on_context_create`, a
///   call's response outside its callback.
/// - BAD_ARGUMENT: no such kind of buffer.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed.
///
/// ```text
/// bytes(buffer=7, start=1, max_size=9, bytes_out=8, size_out=12) with "{}"
///      8: 00 10 00 00  01 00 00 00
/// 0x1000: 7d
/// ```
pub(super) fn bytes(
    call: &mut HostCall<'_>,
    buffer: u32,
    start: u32,
    max_size: u32,
    bytes_out: u32,
    size_out: u32,
) -> Answer {
    call.hand_over_filled(bytes_out, size_out, |state, part| {
        let bytes = view(state, buffer)?;
        let from = usize::try_from(start)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let size = usize::try_from(max_size)
            .unwrap_or(usize::MAX)
            .min(bytes.len() - from);
        part.extend_from_slice(&bytes[from..from + size]);
        Ok(())
    })
}

/// Gives the guest the size of a buffer (`proxy_get_buffer_status`).
///
/// # Parameters
/// - `buffer`: the number, as in `proxy_get_buffer_bytes`.
/// - `size_out`: destination of the size (u32).
/// - `flags_out`: destination of a 0 (u32).
///
/// # Statuses
/// The statuses of `proxy_get_buffer_bytes`.
///
/// ```text
/// status(buffer=7, size_out=8, flags_out=12) with "{}"      8: 02 00 00 00  00 00 00 00
/// ```
pub(super) fn status(
    call: &mut HostCall<'_>,
    buffer: u32,
    size_out: u32,
    flags_out: u32,
) -> Answer {
    let size = word(view(call.state(), buffer)?.len());
    call.write_u32(size_out, size)?;
    call.write_u32(flags_out, 0)
}

/// Changes a body (`proxy_set_buffer_bytes`).
///
/// # Parameters
/// - `buffer`: 0 request body, 1 response body, 2 bytes from the client, 3 bytes from the upstream.
/// - `start`, `size`: start 0 puts the bytes in place of the first `size` bytes, of all if there are no more; a start at
///   the end or behind appends, whatever the size.
/// - `bytes`, `bytes_size`: the bytes.
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: a buffer that does not exist now, as in `proxy_get_buffer_bytes`.
/// - BAD_ARGUMENT: no such kind of buffer, one that cannot be changed, a body outside its callback, or a part in
///   the middle, which the specification allows and Envoy does not.
/// - INVALID_MEMORY_ACCESS: the bytes are outside the memory.
pub(super) fn set(
    call: &mut HostCall<'_>,
    buffer: u32,
    start: u32,
    size: u32,
    bytes: u32,
    bytes_size: u32,
) -> Answer {
    view(call.state(), buffer)?;
    let bytes = call.read(bytes, bytes_size)?;
    let stream = call.state_mut().stream_mut();
    let body = match (buffer, stream) {
        (0, Some(stream)) => stream.request.visible_body_mut(),
        (1, Some(stream)) => stream.response.visible_body_mut(),
        (2 | 3, Some(stream)) => {
            let connection = stream.connection.as_mut();
            connection.and_then(|connection| connection.visible_mut(buffer))
        }
        _ => None,
    };
    let Some(body) = body else {
        return refuse(
            Status::BadArgument,
            "this buffer cannot be changed now: only a body or the bytes of a connection can, in their callback",
        );
    };
    let length = body.len();
    let drained = usize::try_from(size).unwrap_or(usize::MAX).min(length);
    match usize::try_from(start) {
        Ok(0) => drop(body.splice(..drained, bytes)),
        Ok(start) if start >= length => body.extend(bytes),
        _ => {
            let reason =
                "Envoy changes a body in front, at the end or as a whole, never in the middle";
            return refuse(Status::BadArgument, reason);
        }
    }
    Ok(())
}

/// Gives the guest the plugin configuration in `proxy_on_configure`, else the VM configuration (`proxy_get_configuration`
/// of ABI 0.1.0).
///
/// # Parameters
/// - `bytes_out`, `size_out`: destinations of address and size (u32 each).
///
/// # Statuses
/// - OK.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed.
pub(super) fn configuration(call: &mut HostCall<'_>, bytes_out: u32, size_out: u32) -> Answer {
    let state = call.state();
    let bytes = view(state, 7).or_else(|_| view(state, 6))?.to_vec();
    call.hand_over(&bytes, bytes_out, size_out)
}

/// Returns the bytes of a buffer that the guest may read now.
fn view(state: &VmState, buffer: u32) -> Answer<&[u8]> {
    let body = |side: fn(&crate::stream::Stream) -> &crate::stream::StreamHalf| {
        let body = state
            .stream()
            .map(side)
            .and_then(|half| half.visible_body());
        body.map_or(&[][..], Vec::as_slice)
    };
    let root = state.root();
    match buffer {
        0 => Ok(body(|stream| &stream.request)),
        1 => Ok(body(|stream| &stream.response)),
        2 | 3 => {
            let connection = state.stream().and_then(|stream| stream.connection.as_ref());
            let bytes = connection.and_then(|connection| connection.visible(buffer));
            Ok(bytes.map_or(&[][..], Vec::as_slice))
        }
        LAST => Ok(&state.call_data),
        5 => Ok(root
            .and_then(|root| root.grpc.message.as_deref())
            .unwrap_or_default()),
        4 => match root.and_then(|root| root.reply.as_ref()) {
            Some(reply) => Ok(&reply.body),
            None => refuse(
                Status::NotFound,
                "a call's response exists only in proxy_on_http_call_response",
            ),
        },
        6 => Ok(&state.settings.vm_configuration),
        7 => match root.filter(|root| root.configuring) {
            Some(root) => Ok(&root.plugin.configuration),
            None => refuse(
                Status::NotFound,
                "the plugin configuration exists only in proxy_on_configure and in the root context's proxy_on_context_create",
            ),
        },
        _ => refuse(
            Status::BadArgument,
            format!("{buffer} is no kind of buffer"),
        ),
    }
}

#[cfg(test)]
mod tests;
