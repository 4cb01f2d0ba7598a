//! gRPC calls and streams (`proxy_grpc_*`), which belong to the root context, as HTTP calls do.

use std::time::Duration;

use wasmtime::Linker;

use super::call_back::call_back;
use super::grpc_service::destination;
use super::provide::provide;
use crate::abi_types::{Answer, Failure, MapType, Status, refuse};
use crate::explanations::Situation;
use crate::header_pairs;
use crate::headers::Headers;
use crate::host_call::{HostCall, word};
use crate::inline_headers;
use crate::vm_state::{Deferred, GrpcCall, GrpcKind, GrpcSent, GrpcToken, VmState};

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_grpc_call", call,
        service: u32, service_size: u32, name: u32, name_size: u32, method: u32, method_size: u32,
        metadata: u32, metadata_size: u32, message: u32, message_size: u32, timeout_ms: u32, token_out: u32);
    provide!(linker, "proxy_grpc_stream", stream,
        service: u32, service_size: u32, name: u32, name_size: u32, method: u32, method_size: u32,
        metadata: u32, metadata_size: u32, token_out: u32);
    provide!(linker, "proxy_grpc_send", send, token: u32, message: u32, message_size: u32, end_of_stream: u32);
    provide!(linker, "proxy_grpc_close", close, token: u32);
    provide!(linker, "proxy_grpc_cancel", cancel, token: u32);
    Ok(())
}

/// Sends one message and waits for one (`proxy_grpc_call`).
///
/// # Parameters
/// - `service`, `service_size`: a serialised `envoy.config.core.v3.GrpcService`, or the name of a cluster.
/// - `name`, `name_size`: the full name of the gRPC service.
/// - `method`, `method_size`: the method.
/// - `metadata`, `metadata_size`: more headers, as pairs; values of `*-bin` are sent in base64.
/// - `message`, `message_size`: the message, without gRPC's five bytes in front.
/// - `timeout_ms`: 0 is no timeout, and `grpc-timeout: 0m` to the peer.
/// - `token_out`: destination of the token (u32).
///
/// # Statuses
/// - OK: `proxy_on_grpc_receive` follows with the answer, or `proxy_on_grpc_close` with a failure, never both.
/// - PARSE_FAILURE: neither a `GrpcService` nor a cluster.
/// - INTERNAL_FAILURE: a `GrpcService` with an unknown cluster, or a cluster without hosts, and `proxy_on_grpc_close` with
///   14 (UNAVAILABLE) follows all the same; called before there is a root context; a `GrpcService` without a destination, on which Envoy 1.40 aborts.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory; if it is `token_out`, the message is sent.
///
/// ```text
/// the first call of a VM, token_out=8      8: 05 00 00 00
/// ```
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
fn call(
    call: &mut HostCall<'_>,
    service: u32,
    service_size: u32,
    name: u32,
    name_size: u32,
    method: u32,
    method_size: u32,
    metadata: u32,
    metadata_size: u32,
    message: u32,
    message_size: u32,
    timeout_ms: u32,
    token_out: u32,
) -> Answer {
    let service = call.read(service, service_size)?;
    let begun = Begun {
        kind: GrpcKind::Call,
        name: call.read_text(name, name_size)?,
        method: call.read_text(method, method_size)?,
        metadata: call.read(metadata, metadata_size)?,
        message: call.read(message, message_size)?,
        timeout: (timeout_ms > 0).then(|| Duration::from_millis(u64::from(timeout_ms))),
    };
    let token = begin(call, &service, begun)?;
    call.write_u32(token_out, token)
}

/// Opens a stream of messages both ways (`proxy_grpc_stream`).
///
/// # Parameters
/// The first eight parameters of `proxy_grpc_call`, and `token_out`, destination of the token (u32).
///
/// # Statuses
/// The statuses of `proxy_grpc_call`. After OK the stream's answer comes in pieces: `proxy_on_grpc_receive_initial_metadata`,
/// `proxy_on_grpc_receive` for each message, `proxy_on_grpc_receive_trailing_metadata`, `proxy_on_grpc_close`.
///
/// ```text
/// the first stream of a VM, token_out=8      8: 06 00 00 00
/// ```
#[expect(clippy::too_many_arguments, reason = "the ABI has as many")]
fn stream(
    call: &mut HostCall<'_>,
    service: u32,
    service_size: u32,
    name: u32,
    name_size: u32,
    method: u32,
    method_size: u32,
    metadata: u32,
    metadata_size: u32,
    token_out: u32,
) -> Answer {
    let service = call.read(service, service_size)?;
    let begun = Begun {
        kind: GrpcKind::Stream,
        name: call.read_text(name, name_size)?,
        method: call.read_text(method, method_size)?,
        metadata: call.read(metadata, metadata_size)?,
        message: Vec::new(),
        timeout: None,
    };
    let token = begin(call, &service, begun)?;
    call.write_u32(token_out, token)
}

/// Sends a message on a stream (`proxy_grpc_send`).
///
/// # Parameters
/// - `token`: the stream.
/// - `message`, `message_size`: the message, without gRPC's five bytes in front.
/// - `end_of_stream`: anything but 0 for the last message of the guest.
///
/// # Statuses
/// - OK: also after either side has closed the stream, when the message goes nowhere.
/// - BAD_ARGUMENT: a token that is no stream's, as 5 or 4.
/// - NOT_FOUND: no such stream.
/// - INVALID_MEMORY_ACCESS: the message is outside the memory.
fn send(
    call: &mut HostCall<'_>,
    token: u32,
    message: u32,
    message_size: u32,
    end_of_stream: u32,
) -> Answer {
    let message = call.read(message, message_size)?;
    if GrpcKind::of_token(token) != Some(GrpcKind::Stream) {
        return no_kind(token, "stream");
    }
    let grpc = &mut call.state_mut().grpc;
    if !grpc.send(token, GrpcSent::Message(message)) {
        return unknown(token);
    }
    if end_of_stream != 0 {
        grpc.half_close(token);
    }
    Ok(())
}

/// Closes the guest's side of a stream, or gives up a call (`proxy_grpc_close`).
///
/// # Parameters
/// - `token`: the call or stream.
///
/// # Statuses
/// - OK.
/// - BAD_ARGUMENT: a token that is neither a call's nor a stream's.
/// - NOT_FOUND: no such call or stream, or no longer.
fn close(call: &mut HostCall<'_>, token: u32) -> Answer {
    end(call, token, GrpcSent::End)
}

/// Ends a stream in both directions, or gives up a call; no callback follows (`proxy_grpc_cancel`).
///
/// # Parameters
/// - `token`: the call or stream.
///
/// # Statuses
/// The statuses of `proxy_grpc_close`.
fn cancel(call: &mut HostCall<'_>, token: u32) -> Answer {
    end(call, token, GrpcSent::Cancel)
}

fn end(call: &mut HostCall<'_>, token: u32, sent: GrpcSent) -> Answer {
    let grpc = &mut call.state_mut().grpc;
    let is_known = match GrpcKind::of_token(token) {
        Some(GrpcKind::Call) => grpc.send(token, GrpcSent::Cancel),
        Some(GrpcKind::Stream) => grpc.send(token, sent),
        None => return no_kind(token, "call or stream"),
    };
    if is_known { Ok(()) } else { unknown(token) }
}

fn no_kind(token: u32, kind: &str) -> Answer {
    refuse(
        Status::BadArgument,
        format!("{token} is no token of a gRPC {kind}: calls have 5, 9, …, streams 6, 10, …"),
    )
}

fn unknown(token: u32) -> Answer {
    refuse(
        Status::NotFound,
        format!("no gRPC call or stream has the token {token}, or no longer"),
    )
}

/// A call or stream as the guest asks for it.
struct Begun {
    kind: GrpcKind,
    name: String,
    method: String,
    metadata: Vec<u8>,
    message: Vec<u8>,
    timeout: Option<Duration>,
}

fn begin(call: &mut HostCall<'_>, service: &[u8], begun: Begun) -> Answer<u32> {
    let state = call.state_mut();
    let destination = destination(&state.settings.clusters, service);
    if matches!(
        destination,
        Err(Failure::Status(Status::InternalFailure, _))
    ) {
        state.explain(state.current, Situation::ClusterNameIsMessage);
    }
    let destination = destination?;
    let root = state.root_id();
    if !state.roots.contains_key(&root) {
        return refuse(
            Status::InternalFailure,
            "there is no root context to answer to",
        );
    }
    if !destination.is_known {
        let token = state.grpc.next_token(begun.kind);
        state.deferred.push_back(Deferred::GrpcUnavailable(
            root,
            token,
            "Cluster not available",
        ));
        let reason = format!(
            "the GrpcService names the cluster `{}`, which does not exist; Envoy refuses the call and reports its failure as \
             well",
            destination.cluster
        );
        return refuse(Status::InternalFailure, reason);
    }
    if state
        .settings
        .clusters_without_hosts
        .contains(&destination.cluster)
    {
        return without_hosts(call, root, begun.kind, &destination.cluster);
    }
    let pairs = header_pairs::decode(&begun.metadata).unwrap_or_default();
    let kind = MapType::RequestHeaders;
    let mut initial_metadata = inline_headers::arrived(kind, pairs.into_iter().collect());
    for (name, value) in destination.initial_metadata.iter() {
        inline_headers::add(kind, &mut initial_metadata, name, value);
    }
    let call = GrpcCall {
        token: GrpcToken(0),
        kind: begun.kind,
        cluster: destination.cluster,
        service: begun.name,
        method: begun.method,
        initial_metadata,
        message: begun.message,
        timeout: begun.timeout,
    };
    let now = state.time.now();
    Ok(state.grpc.begin(root, now, call))
}

/// Refuses a call to a cluster without hosts as Envoy does: the metadata of a stream come within the guest's call, and the
/// failure after it.
fn without_hosts(call: &mut HostCall<'_>, root: u32, kind: GrpcKind, cluster: &str) -> Answer<u32> {
    let state = call.state_mut();
    let token = state.grpc.next_token(kind);
    let why = "no healthy upstream{no_healthy_upstream}";
    state
        .deferred
        .push_back(Deferred::GrpcUnavailable(root, token, why));
    if kind == GrpcKind::Stream {
        let trailers = Headers::from([
            (":status", "200"),
            ("content-type", "application/grpc"),
            ("grpc-status", "14"),
            ("grpc-message", "no healthy upstream"),
        ]);
        let count = word(trailers.len());
        call_back(
            call,
            "proxy_on_grpc_receive_initial_metadata",
            root,
            (root, token, 0),
        )?;
        let show = |call: &mut HostCall<'_>, trailers| {
            if let Some(root) = call.state_mut().roots.get_mut(&root) {
                root.grpc.trailing_metadata = trailers;
            }
        };
        show(call, Some(trailers));
        let told = call_back(
            call,
            "proxy_on_grpc_receive_trailing_metadata",
            root,
            (root, token, count),
        );
        show(call, None);
        told?;
    }
    let reason = format!(
        "the cluster `{cluster}` has no hosts; Envoy refuses the call and reports its failure as well"
    );
    refuse(Status::InternalFailure, reason)
}

#[cfg(test)]
mod tests;
