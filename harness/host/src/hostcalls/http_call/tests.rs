use std::time::Duration;

use crate::headers::Headers;
use crate::host::Host;
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_http_call"
        (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_buffer_bytes" (func $bytes (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_status" (func $status (param i32 i32 i32) (result i32)))"#;

/// The pairs `:method`, `:path` and `:authority`, of `header_bytes()` bytes, at address 512.
const HEADERS: &str = "\\03\\00\\00\\00\\07\\00\\00\\00\\04\\00\\00\\00\\05\\00\\00\\00\\01\\00\\00\\00\\0a\\00\\00\\00\\01\\00\\00\\00\
                       :method\\00POST\\00:path\\00/\\00:authority\\00c\\00";

fn header_bytes() -> usize {
    28 + ":method\0POST\0:path\0/\0:authority\0c\0".len()
}

/// Returns the WebAssembly of a call to `collector` with the body "hello" and a timeout of 250 ms.
fn call(cluster_size: usize, headers: usize, timeout: i64, token_out: i32) -> String {
    format!(
        "(call $call (i32.const 256) (i32.const {cluster_size}) (i32.const 512) (i32.const {headers})
            (i32.const 300) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const {timeout}) (i32.const {token_out}))"
    )
}

/// A callback that logs a response: the counts, `:status` or the status of that host call, the body, and the call's status.
const ON_RESPONSE: &str = r#"
    (func (export "proxy_on_http_call_response")
        (param $root i32) (param $token i32) (param $headers i32) (param $body i32) (param $trailers i32)
        (local $answer i32)
        (call $check (local.get $token) (i32.const 4))
        (call $log (local.get $headers))
        (call $log (local.get $body))
        (call $log (local.get $trailers))
        (local.set $answer
            (call $get (i32.const 6) (i32.const 320) (i32.const 7) (i32.const 8) (i32.const 12)))
        (if (local.get $answer)
            (then (call $log (local.get $answer)))
            (else (call $text (i32.load (i32.const 8)) (i32.load (i32.const 12)))))
        (call $check (call $bytes (i32.const 4) (i32.const 0) (i32.const 99) (i32.const 8) (i32.const 12))
            (select (i32.const 0) (i32.const 1) (local.get $headers)))
        (call $check (call $status (i32.const 8) (i32.const 12) (i32.const 16)) (i32.const 0))
        (call $log (i32.load (i32.const 8)))
        (call $text (i32.load (i32.const 12)) (i32.load (i32.const 16))))"#;

fn calling() -> Host {
    let good = call(9, header_bytes(), 250, 8);
    start(&Guest {
        imports: IMPORTS,
        data: &[
            (256, "collector"),
            (300, "hello"),
            (320, ":status"),
            (512, HEADERS),
        ],
        on_configure: &format!(
            "(call $check {good} (i32.const 0)) (call $check (i32.load (i32.const 8)) (i32.const 4))"
        ),
        more: ON_RESPONSE,
        ..Guest::default()
    })
}

#[test]
fn hands_a_call_to_the_caller_and_its_reply_to_the_root_context() {
    let mut host = calling();
    let calls = host.calls();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!(
        (call.cluster.as_str(), call.body.as_slice()),
        ("collector", &b"hello"[..])
    );
    let expected = [
        (":method", "POST"),
        (":path", "/"),
        (":authority", "c"),
        ("content-length", "5"),
    ];
    assert_eq!(call.headers, Headers::from(expected));
    assert_eq!(call.timeout, Some(Duration::from_millis(250)));
    assert!(host.calls().is_empty(), "a call is handed over once");
    assert_eq!(host.calls_in_flight(), 1);
    host.reply(
        call.token,
        [(":status", "200")],
        "body",
        [("grpc-status", "0"), ("b", "")],
    )
    .unwrap();
    assert_eq!(
        texts(&mut host),
        ["1", "4", "2", "200", "0", ""],
        "{:#?}",
        host.transcript().lines()
    );
    assert!(
        host.reply(call.token, [(":status", "200")], "", Headers::new())
            .is_err()
    );
}

#[test]
fn tells_a_failure_as_no_response_and_a_status() {
    let mut host = calling();
    let token = host.calls()[0].token;
    host.fail_call(token).unwrap();
    assert_eq!(
        texts(&mut host),
        ["0", "0", "0", "2", "11", "reset"],
        "{:#?}",
        host.transcript().lines()
    );
    assert!(host.fail_call(token).is_err());
}

#[test]
fn answers_a_timeout_with_a_response_of_the_router() {
    let mut host = calling();
    host.advance(Duration::from_millis(249));
    assert_eq!(host.calls_in_flight(), 1);
    host.advance(Duration::from_millis(1));
    assert_eq!(
        texts(&mut host),
        ["3", "24", "0", "504", "0", ""],
        "{:#?}",
        host.transcript().lines()
    );
    assert!(host.calls().is_empty());
}

#[test]
fn refuses_a_call_as_envoy_does() {
    let size = header_bytes();
    let expect = |call: String, status: u32| format!("(call $check {call} (i32.const {status})) ");
    let body = expect(call(8, size, 1, 8), 2)
        + &expect(call(9, 0, 1, 8), 2)
        + &expect(call(9, size - 1, 1, 8), 2)
        + &expect(call(9, size, 0x8000_0000, 8), 2)
        + &expect(call(9, size, 1, -1), 6)
        + &expect(call(9, 999_999, 1, 8), 6)
        + &expect(call(9, size, 0x7FFF_FFFF, 8), 0);
    let mut host = start(&Guest {
        imports: IMPORTS,
        data: &[(256, "collector"), (300, "hello"), (512, HEADERS)],
        on_configure: &body,
        ..Guest::default()
    });
    assert_eq!(host.calls().len(), 1);
    let reasons: Vec<_> = host
        .transcript()
        .refusals()
        .map(|refusal| refusal.reason.clone())
        .collect();
    assert_eq!(reasons[0], "there is no cluster `collecto`");
    assert_eq!(reasons[1], "the request has no :method");
}
