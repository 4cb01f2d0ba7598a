//! The callbacks that Envoy looks up in a module, when it calls each, and which of a module's it calls for nothing.
//!
//! Envoy calls what is exported and does without the rest, so a callback that only returns costs each request, or each piece
//! of a body, an entry into the VM. Only functions that do nothing but return are named: what an SDK hands to an empty
//! method cannot be told from one that works.

use super::binary::Binary;

/// A callback that a module exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Callback {
    /// The export's name.
    pub(super) name: &'static str,
    /// When Envoy calls it.
    pub(super) called: &'static str,
    /// True if it does nothing but return.
    pub(super) is_idle: bool,
}

/// Returns the module's callbacks in the order of a stream's life.
pub(super) fn of(binary: &Binary<'_>) -> Vec<Callback> {
    let exported = CALLBACKS.iter().filter_map(|(name, called)| {
        let index = binary.exports.get(name)?;
        Some(Callback {
            name,
            called,
            is_idle: binary.idle_functions.contains(index),
        })
    });
    exported.collect()
}

/// Returns exports that look like callbacks and that Envoy does not know.
pub(super) fn unknown<'a>(binary: &Binary<'a>) -> Vec<&'a str> {
    let names = binary.exports.keys().copied();
    let unknown = names.filter(|name| {
        name.starts_with("proxy_")
            && !name.starts_with("proxy_abi_version_")
            && !ALLOCATORS.contains(name)
            && !CALLBACKS.iter().any(|(known, _)| known == name)
    });
    unknown.collect()
}

/// The exports by which Envoy allocates memory for its answers; it takes the first that is there (proxy-wasm-cpp-host,
/// `WasmBase::getFunctions`).
pub(super) const ALLOCATORS: [&str; 2] = ["malloc", "proxy_on_memory_allocate"];

/// Callbacks and the occasions of each.
const CALLBACKS: &[(&str, &str)] = &[
    (
        "proxy_on_context_create",
        "for each configuration, and each stream",
    ),
    ("proxy_on_vm_start", "for each configuration"),
    ("proxy_validate_configuration", "never by today's Envoy"),
    ("proxy_on_configure", "for each configuration"),
    ("proxy_on_tick", "each period that the module asks for"),
    (
        "proxy_on_new_connection",
        "for each connection (network filter)",
    ),
    (
        "proxy_on_downstream_data",
        "for each piece from the client (network filter)",
    ),
    (
        "proxy_on_upstream_data",
        "for each piece from the upstream (network filter)",
    ),
    (
        "proxy_on_downstream_connection_close",
        "for each connection (network filter)",
    ),
    (
        "proxy_on_upstream_connection_close",
        "for each connection (network filter)",
    ),
    ("proxy_on_request_headers", "for each request"),
    (
        "proxy_on_request_body",
        "for each piece of a request's body",
    ),
    (
        "proxy_on_request_trailers",
        "for each request with trailers",
    ),
    (
        "proxy_on_request_metadata",
        "for each METADATA frame of a request",
    ),
    ("proxy_on_response_headers", "for each response"),
    (
        "proxy_on_response_body",
        "for each piece of a response's body, and its end",
    ),
    (
        "proxy_on_response_trailers",
        "for each response with trailers",
    ),
    (
        "proxy_on_response_metadata",
        "for each METADATA frame of a response",
    ),
    (
        "proxy_on_http_call_response",
        "for each answer to an HTTP call",
    ),
    (
        "proxy_on_grpc_receive_initial_metadata",
        "for each gRPC stream",
    ),
    ("proxy_on_grpc_receive", "for each message of a gRPC call"),
    (
        "proxy_on_grpc_receive_trailing_metadata",
        "for each gRPC stream",
    ),
    (
        "proxy_on_grpc_close",
        "for each gRPC call that fails, and each stream",
    ),
    ("proxy_on_queue_ready", "for each item of a shared queue"),
    (
        "proxy_on_foreign_function",
        "for each event of an extension",
    ),
    ("proxy_on_log", "for each stream"),
    (
        "proxy_on_done",
        "for each stream, and each configuration that ends",
    ),
    (
        "proxy_on_delete",
        "for each stream, and each configuration that ends",
    ),
];
