//! Guests that do harm: the host lives, says what has happened, and the next host is as good as new.

use std::net::IpAddr;
use std::time::Duration;

use crate::host::{GrpcReply, Host};
use crate::stream::{Action, ClosedBy, EndOfStream, Ending, StreamProperties};
use crate::testing::Guest;

/// The callbacks of streams, connections and root contexts, with their types in WebAssembly.
const CALLBACKS: [(&str, &str); 26] = [
    ("proxy_on_context_create", "(param i32 i32)"),
    ("proxy_on_vm_start", "(param i32 i32) (result i32)"),
    ("proxy_on_new_connection", "(param i32) (result i32)"),
    (
        "proxy_on_downstream_data",
        "(param i32 i32 i32) (result i32)",
    ),
    ("proxy_on_upstream_data", "(param i32 i32 i32) (result i32)"),
    ("proxy_on_downstream_connection_close", "(param i32 i32)"),
    ("proxy_on_upstream_connection_close", "(param i32 i32)"),
    (
        "proxy_on_request_headers",
        "(param i32 i32 i32) (result i32)",
    ),
    ("proxy_on_request_body", "(param i32 i32 i32) (result i32)"),
    ("proxy_on_request_trailers", "(param i32 i32) (result i32)"),
    ("proxy_on_request_metadata", "(param i32 i32) (result i32)"),
    (
        "proxy_on_response_headers",
        "(param i32 i32 i32) (result i32)",
    ),
    ("proxy_on_response_body", "(param i32 i32 i32) (result i32)"),
    ("proxy_on_response_trailers", "(param i32 i32) (result i32)"),
    ("proxy_on_response_metadata", "(param i32 i32) (result i32)"),
    ("proxy_on_http_call_response", "(param i32 i32 i32 i32 i32)"),
    (
        "proxy_on_grpc_receive_initial_metadata",
        "(param i32 i32 i32)",
    ),
    ("proxy_on_grpc_receive", "(param i32 i32 i32)"),
    (
        "proxy_on_grpc_receive_trailing_metadata",
        "(param i32 i32 i32)",
    ),
    ("proxy_on_grpc_close", "(param i32 i32 i32)"),
    ("proxy_on_queue_ready", "(param i32 i32)"),
    ("proxy_on_foreign_function", "(param i32 i32 i32)"),
    ("proxy_on_tick", "(param i32)"),
    ("proxy_on_done", "(param i32) (result i32)"),
    ("proxy_on_log", "(param i32)"),
    ("envoy_on_resolve_dns", "(param i32 i32 i32)"),
];

const IMPORTS: &str = r#"
    (import "env" "proxy_http_call" (func $http (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_grpc_stream" (func $stream (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_register_shared_queue" (func $register (param i32 i32 i32) (result i32)))
    (import "env" "proxy_enqueue_shared_queue" (func $enqueue (param i32 i32 i32) (result i32)))
    (import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
    (import "env" "envoy_resolve_dns" (func $resolve (param i32 i32 i32) (result i32)))"#;

/// Begins a call of each kind, a tick and an item in a queue, so that every callback has its occasion.
const ON_CONFIGURE: &str = "
    (drop (call $http (i32.const 256) (i32.const 9) (i32.const 512) (i32.const 61) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8)))
    (drop (call $stream (i32.const 256) (i32.const 9) (i32.const 256) (i32.const 9) (i32.const 256) (i32.const 9)
        (i32.const 0) (i32.const 0) (i32.const 8)))
    (drop (call $register (i32.const 256) (i32.const 1) (i32.const 8)))
    (drop (call $enqueue (i32.load (i32.const 8)) (i32.const 256) (i32.const 1)))
    (drop (call $tick (i32.const 10)))
    (drop (call $resolve (i32.const 256) (i32.const 9) (i32.const 8)))";

const HEADERS: &str = "\\03\\00\\00\\00\\07\\00\\00\\00\\03\\00\\00\\00\\05\\00\\00\\00\\01\\00\\00\\00\\0a\\00\\00\\00\\01\\00\\00\\00\
                       :method\\00GET\\00:path\\00/\\00:authority\\00c\\00";

/// Starts a guest whose callback has a body of its own.
fn start_with(callback: &str, kind: &str, body: &str) -> Result<Host, crate::host::StartError> {
    let guest = Guest {
        imports: IMPORTS,
        data: &[(256, "collector"), (512, HEADERS)],
        on_configure: ON_CONFIGURE,
        more: &format!(r#"(func (export "{callback}") {kind} {body})"#),
        ..Guest::default()
    };
    guest
        .builder()
        .callback_limit(Duration::from_millis(100))
        .start()
}

/// Gives the guest an occasion for each of its callbacks.
fn drive(host: &mut Host) {
    let stream = host.open_stream(StreamProperties::new());
    let headers = [(":method", "GET"), (":path", "/"), (":authority", "shop")];
    let _ = host.request_headers(stream, headers, EndOfStream::No);
    host.request_metadata(stream, [("a", "1")]);
    let _ = host.request_body(stream, b"body", EndOfStream::No);
    let _ = host.request_trailers(stream, [("a", "1")]);
    let _ = host.response_headers(stream, [(":status", "200")], EndOfStream::No);
    host.response_metadata(stream, [("a", "1")]);
    let _ = host.response_body(stream, b"body", EndOfStream::No);
    let _ = host.response_trailers(stream, [("a", "1")]);
    host.end(stream, Ending::Complete);
    let connection = host.open_connection(StreamProperties::new());
    let _ = host.downstream_data(connection, b"data", EndOfStream::No);
    let _ = host.upstream_data(connection, b"data", EndOfStream::Yes);
    host.close_connection(connection, ClosedBy::Client);
    for call in host.calls() {
        let _ = host.fail_call(call.token);
    }
    for call in host.grpc_calls() {
        let _ = host.grpc_reply(call.token, GrpcReply::new().message("m").status(0, ""));
    }
    for query in host.dns_queries() {
        let _ = host.answer_dns(
            query.token,
            &[(IpAddr::from([127, 0, 0, 1]), Duration::ZERO)],
        );
    }
    host.call_foreign_function(1, "arguments");
    host.advance(Duration::from_millis(10));
    let _ = host.shutdown();
}

#[test]
fn lives_through_a_trap_in_each_callback() {
    for (callback, kind) in CALLBACKS {
        let mut host = match start_with(callback, kind, "unreachable") {
            Ok(host) => host,
            Err(error) => *error.host,
        };
        drive(&mut host);
        let trap = host
            .trap()
            .unwrap_or_else(|| panic!("{callback} was not called"));
        assert_eq!(trap.callback, callback);
        // Streams after the trap are answered as the policy says, and the guest is not called again.
        let stream = host.open_stream(StreamProperties::new());
        let headers = [(":method", "GET"), (":path", "/"), (":authority", "shop")];
        assert_eq!(
            host.request_headers(stream, headers, EndOfStream::Yes),
            Action::LocalReply,
            "{callback}"
        );
    }
    let mut next = start_with("unused", "", "").unwrap();
    drive(&mut next);
    assert_eq!(next.trap(), None);
}

#[test]
fn stops_a_guest_that_does_not_return() {
    let mut host = start_with(
        "proxy_on_request_headers",
        "(param i32 i32 i32) (result i32)",
        "(loop $for_ever (br $for_ever)) unreachable",
    )
    .unwrap();
    drive(&mut host);
    let message = &host.trap().unwrap().message;
    assert!(message.contains("did not return within"), "{message}");
}

#[test]
fn gives_a_guest_no_more_than_a_gibibyte() {
    let mut host = start_with(
        "proxy_on_request_headers",
        "(param i32 i32 i32) (result i32)",
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1024)) (i32.const -1)))) (i32.const 0)",
    )
    .unwrap();
    drive(&mut host);
    assert_eq!(host.trap(), None, "a guest that is refused memory goes on");
    assert!(host.memory_bytes() <= 1 << 30);
}

#[test]
fn stops_a_guest_that_calls_itself_for_ever() {
    let mut host = start_with(
        "proxy_on_tick",
        "(param i32)",
        "(call $deep)) (func $deep (call $deep)",
    )
    .unwrap();
    drive(&mut host);
    assert_eq!(host.trap().unwrap().callback, "proxy_on_tick");
}

#[test]
fn refuses_host_functions_that_v8_refuses_while_the_module_starts_or_allocates() {
    let imports = r#"
        (import "env" "proxy_get_log_level" (func $level (param i32) (result i32)))
        (import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))"#;
    let starting = Guest {
        imports,
        more: r#"(func (export "_initialize") (drop (call $level (i32.const 8))))"#,
        ..Guest::default()
    };
    let error = starting.builder().start().unwrap_err();
    assert!(error.to_string().contains("restricted_callback"), "{error}");
    let text = r#"(module
        (import "env" "proxy_get_log_level" (func $level (param i32) (result i32)))
        (import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 64) "plugin_name")
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (drop (call $level (i32.const 8))) (i32.const 1024))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
            (call $get (i32.const 64) (i32.const 11) (i32.const 8) (i32.const 12))))"#;
    let module = crate::module::Module::compile(&wat::parse_str(text).unwrap()).unwrap();
    let error = Host::builder(&module)
        .plugin_name("name")
        .start()
        .unwrap_err();
    assert!(error.to_string().contains("restricted_callback"), "{error}");
}
