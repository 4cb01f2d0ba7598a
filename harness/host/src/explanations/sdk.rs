//! The statuses that the Rust SDK takes; on every other one it panics (`hostcalls.rs` of proxy-wasm 0.2.5).

use crate::abi_types::Status;

/// The statuses beside OK that the Rust SDK hands to the filter, by host function.
const RUST_SDK: &[(&str, &[Status])] = &[
    ("proxy_get_buffer_bytes", &[Status::NotFound]),
    ("proxy_get_header_map_value", &[Status::NotFound]),
    (
        "proxy_get_property",
        &[
            Status::NotFound,
            Status::SerializationFailure,
            Status::InternalFailure,
        ],
    ),
    ("proxy_get_shared_data", &[Status::NotFound]),
    ("proxy_set_shared_data", &[Status::CasMismatch]),
    ("proxy_resolve_shared_queue", &[Status::NotFound]),
    (
        "proxy_dequeue_shared_queue",
        &[Status::Empty, Status::NotFound],
    ),
    ("proxy_enqueue_shared_queue", &[Status::NotFound]),
    (
        "proxy_http_call",
        &[Status::BadArgument, Status::InternalFailure],
    ),
    (
        "proxy_grpc_call",
        &[Status::ParseFailure, Status::InternalFailure],
    ),
    (
        "proxy_grpc_stream",
        &[Status::ParseFailure, Status::InternalFailure],
    ),
    ("proxy_grpc_send", &[Status::BadArgument, Status::NotFound]),
    ("proxy_grpc_cancel", &[Status::NotFound]),
    ("proxy_grpc_close", &[Status::NotFound]),
    ("proxy_set_effective_context", &[Status::BadArgument]),
    (
        "proxy_call_foreign_function",
        &[
            Status::NotFound,
            Status::BadArgument,
            Status::SerializationFailure,
            Status::InternalFailure,
        ],
    ),
    ("proxy_get_metric", &[Status::NotFound, Status::BadArgument]),
    ("proxy_record_metric", &[Status::NotFound]),
    (
        "proxy_increment_metric",
        &[Status::NotFound, Status::BadArgument],
    ),
];

/// The functions that the Rust SDK has no call for, so that it cannot panic on their answers.
const NOT_IN_RUST_SDK: &[&str] = &[
    "proxy_get_buffer_status",
    "proxy_get_header_map_size",
    "proxy_get_configuration",
    "proxy_continue_request",
    "proxy_continue_response",
    "proxy_clear_route_cache",
    "envoy_resolve_dns",
];

/// The effect of a panic on traffic.
pub(super) const FAILED_VM: &str = "A panic is a trap, and a trap ends the VM of this worker: this request and all later \
     ones are answered 503 (FAIL_CLOSED), until a reload (FAIL_RELOAD), or pass without the filter (FAIL_OPEN)";
/// The effect on traffic of a status that the SDKs hand to the filter.
pub(super) const NO_EFFECT: &str = "Traffic goes on, as the filter decides";

/// Returns true if the Rust SDK panics on this answer of a host function.
pub(super) fn panics(function: &str, status: Status) -> bool {
    let accepted = RUST_SDK.iter().find(|(name, _)| *name == function);
    let is_accepted = accepted.is_some_and(|(_, accepted)| accepted.contains(&status));
    status != Status::Ok
        && !is_accepted
        && !NOT_IN_RUST_SDK.contains(&function)
        && function.starts_with("proxy_")
}

/// Returns what the SDKs make of an answer.
pub(super) fn reaction(function: &str, status: Status) -> &'static str {
    if panics(function, status) {
        "The Rust SDK panics on this status; those for C++, Go and AssemblyScript hand it to the filter"
    } else if status == Status::NotFound {
        "The SDKs hand this status to the filter, the Rust SDK mostly as `None`"
    } else {
        "The SDKs hand this status to the filter, the Rust SDK as `Err`"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostcalls::IMPORTS;

    #[test]
    fn names_functions_of_the_abi_alone() {
        let names = RUST_SDK.iter().map(|(name, _)| name);
        for name in names.chain(NOT_IN_RUST_SDK) {
            assert!(IMPORTS.iter().any(|import| import.name == *name), "{name}");
        }
    }

    #[test]
    fn knows_where_the_rust_sdk_panics() {
        assert!(panics("proxy_set_buffer_bytes", Status::BadArgument));
        assert!(panics("proxy_grpc_call", Status::BadArgument));
        assert!(!panics("proxy_grpc_call", Status::ParseFailure));
        assert!(!panics("proxy_get_header_map_size", Status::BadArgument));
        assert!(!panics("proxy_log", Status::Ok));
    }
}
