use std::time::Duration;

use crate::explanations::Situation;
use crate::headers::Headers;
use crate::host::{GrpcReply, Host};
use crate::testing::{Guest, start, texts};
use crate::vm_state::{GrpcKind, GrpcSent, NoSuchCall};

const IMPORTS: &str = r#"
    (import "env" "proxy_grpc_call"
        (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_grpc_stream" (func $stream (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_grpc_send" (func $send (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_grpc_close" (func $close (param i32) (result i32)))
    (import "env" "proxy_grpc_cancel" (func $cancel (param i32) (result i32)))
    (import "env" "proxy_get_buffer_bytes" (func $bytes (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_status" (func $status (param i32 i32 i32) (result i32)))"#;

/// Callbacks that log a letter and what each of them can read, and a function for the text of the status.
const CALLBACKS: &str = r#"
    (func $field (param $map i32) (param $name i32) (param $size i32) (local $answer i32)
        (local.set $answer
            (call $get (local.get $map) (local.get $name) (local.get $size) (i32.const 8) (i32.const 12)))
        (if (local.get $answer)
            (then (call $log (local.get $answer)))
            (else (call $text (i32.load (i32.const 8)) (i32.load (i32.const 12))))))
    (func (export "proxy_on_grpc_receive_initial_metadata") (param i32) (param $token i32) (param $count i32)
        (call $text (i32.const 400) (i32.const 1)) (call $log (local.get $token)) (call $log (local.get $count))
        (call $field (i32.const 4) (i32.const 410) (i32.const 7)))
    (func (export "proxy_on_grpc_receive") (param i32) (param $token i32) (param $size i32)
        (call $text (i32.const 401) (i32.const 1)) (call $log (local.get $token)) (call $log (local.get $size))
        (call $check (call $bytes (i32.const 5) (i32.const 0) (i32.const 99) (i32.const 8) (i32.const 12)) (i32.const 0))
        (call $text (i32.load (i32.const 8)) (i32.load (i32.const 12))))
    (func (export "proxy_on_grpc_receive_trailing_metadata") (param i32) (param $token i32) (param $count i32)
        (call $text (i32.const 402) (i32.const 1)) (call $log (local.get $token)) (call $log (local.get $count))
        (call $field (i32.const 5) (i32.const 420) (i32.const 11)))
    (func (export "proxy_on_grpc_close") (param i32) (param $token i32) (param $status i32)
        (call $text (i32.const 403) (i32.const 1)) (call $log (local.get $token)) (call $log (local.get $status))
        (call $check (call $status (i32.const 8) (i32.const 12) (i32.const 16)) (i32.const 0))
        (call $check (i32.load (i32.const 8)) (local.get $status))
        (call $text (i32.load (i32.const 12)) (i32.load (i32.const 16))))"#;

const DATA: &[(u32, &str)] = &[
    (256, "collector"),
    (270, "my.Service"),
    (290, "Method"),
    (300, "message"),
    (400, "irtc"),
    (410, ":status"),
    (420, "grpc-status"),
    (440, "nobody"),
    // A GrpcService with a cluster that does not exist.
    (450, "\\0a\\06\\0a\\04none"),
    // The pairs of `x-a: 1`.
    (
        512,
        "\\01\\00\\00\\00\\03\\00\\00\\00\\01\\00\\00\\00x-a\\001\\00",
    ),
];

/// Returns the WebAssembly of a call to a service at an address.
fn call(at: u32, size: u32, timeout: u32, token_out: i32) -> String {
    format!(
        "(call $call (i32.const {at}) (i32.const {size}) (i32.const 270) (i32.const 10) (i32.const 290) (i32.const 6)
            (i32.const 512) (i32.const 18) (i32.const 300) (i32.const 7) (i32.const {timeout}) (i32.const {token_out}))"
    )
}

const STREAM: &str =
    "(call $stream (i32.const 256) (i32.const 9) (i32.const 270) (i32.const 10) (i32.const 290)
    (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 8))";

fn expect(call: &str, status: u32) -> String {
    format!("(call $check {call} (i32.const {status})) ")
}

fn running(on_configure: &str) -> Host {
    start(&Guest {
        imports: IMPORTS,
        data: DATA,
        on_configure,
        more: CALLBACKS,
        ..Guest::default()
    })
}

fn calling() -> Host {
    running(
        &(expect(&call(256, 9, 250, 8), 0)
            + "(call $check (i32.load (i32.const 8)) (i32.const 5))"),
    )
}

#[test]
fn hands_a_call_to_the_caller_and_its_message_to_the_root_context() {
    let mut host = calling();
    let [call] = host.grpc_calls().try_into().unwrap();
    assert_eq!(
        (
            call.kind,
            call.cluster.as_str(),
            call.service.as_str(),
            call.method.as_str()
        ),
        (GrpcKind::Call, "collector", "my.Service", "Method")
    );
    assert_eq!(call.initial_metadata, Headers::from([("x-a", "1")]));
    assert_eq!(call.message, b"message");
    assert_eq!(call.timeout, Some(Duration::from_millis(250)));
    host.grpc_reply(call.token, GrpcReply::new().message("answer"))
        .unwrap();
    assert_eq!(texts(&mut host), ["r", "5", "6", "answer"]);
    let again = host.grpc_reply(call.token, GrpcReply::new().message("answer"));
    assert_eq!(again, Err(NoSuchCall));
}

#[test]
fn tells_a_failed_call_by_its_status_alone() {
    for (reply, expected) in [
        (
            GrpcReply::new().status(7, "denied"),
            ["c", "5", "7", "denied{via_upstream}"],
        ),
        (
            GrpcReply::new().status(2, ""),
            ["c", "5", "2", "via_upstream"],
        ),
        (GrpcReply::new().status(0, ""), ["c", "5", "13", ""]),
        (
            GrpcReply::new()
                .status(14, "no healthy upstream")
                .details("no_healthy_upstream"),
            ["c", "5", "14", "no healthy upstream{no_healthy_upstream}"],
        ),
    ] {
        let mut host = calling();
        let token = host.grpc_calls()[0].token;
        host.grpc_reply(token, reply).unwrap();
        assert_eq!(texts(&mut host), expected);
    }
}

#[test]
fn times_out_a_call_as_the_router_does() {
    let mut host = calling();
    host.advance(Duration::from_millis(250));
    assert_eq!(
        texts(&mut host),
        ["c", "5", "14", "upstream request timeout{response_timeout}"]
    );
    assert_eq!(host.grpc_calls_in_flight(), 0);
}

#[test]
fn answers_a_stream_piece_by_piece() {
    let on_configure = expect(STREAM, 0)
        + &expect("(i32.load (i32.const 8))", 6)
        + &expect(
            "(call $send (i32.const 6) (i32.const 300) (i32.const 7) (i32.const 0))",
            0,
        )
        + &expect(
            "(call $send (i32.const 6) (i32.const 300) (i32.const 1) (i32.const 1))",
            0,
        );
    let mut host = running(&on_configure);
    let [stream] = host.grpc_calls().try_into().unwrap();
    assert_eq!(stream.kind, GrpcKind::Stream);
    let sent: Vec<_> = host.grpc_sent().into_iter().map(|(_, sent)| sent).collect();
    assert_eq!(
        sent,
        [
            GrpcSent::Message(b"message".to_vec()),
            GrpcSent::Message(b"m".to_vec()),
            GrpcSent::End
        ]
    );
    host.grpc_reply(stream.token, GrpcReply::new().message("one"))
        .unwrap();
    host.grpc_reply(stream.token, GrpcReply::new().message("").status(0, ""))
        .unwrap();
    assert_eq!(
        texts(&mut host),
        [
            "i",
            "6",
            "2",
            "200",
            "r",
            "6",
            "3",
            "one",
            "r",
            "6",
            "0",
            "",
            "t",
            "6",
            "1",
            "0",
            "c",
            "6",
            "0",
            "via_upstream"
        ]
    );
    assert_eq!(host.grpc_calls_in_flight(), 0);
}

#[test]
fn fails_a_stream_with_trailers_only() {
    let mut host = running(&expect(STREAM, 0));
    let token = host.grpc_calls()[0].token;
    host.grpc_reply(token, GrpcReply::new().status(5, "gone"))
        .unwrap();
    assert_eq!(
        texts(&mut host),
        [
            "i",
            "6",
            "0",
            "1",
            "t",
            "6",
            "4",
            "5",
            "c",
            "6",
            "5",
            "gone{via_upstream}"
        ]
    );
}

#[test]
fn refuses_what_is_no_call_or_stream_as_envoy_does() {
    let send = |token: u32| {
        format!("(call $send (i32.const {token}) (i32.const 300) (i32.const 7) (i32.const 0))")
    };
    let on_configure = [
        expect(&call(440, 6, 0, 8), 4),
        expect(&send(4), 2),
        expect(&send(5), 2),
        expect(&send(6), 1),
        expect("(call $close (i32.const 4))", 2),
        expect("(call $close (i32.const 5))", 1),
        expect("(call $close (i32.const 6))", 1),
        expect("(call $cancel (i32.const 4))", 2),
        expect("(call $cancel (i32.const 5))", 1),
        expect("(call $cancel (i32.const 6))", 1),
        expect(
            "(call $send (i32.const 6) (i32.const -1) (i32.const 7) (i32.const 0))",
            6,
        ),
        expect(&call(999_999, 6, 0, 8), 6),
        expect(&call(256, 9, 0, 8), 0),
        expect("(call $cancel (i32.const 5))", 0),
        expect("(call $cancel (i32.const 5))", 1),
        expect(&call(256, 9, 0, -1), 6),
    ]
    .concat();
    let mut host = running(&on_configure);
    assert_eq!(
        host.grpc_calls().len(),
        1,
        "a bad address for the token comes too late"
    );
}

#[test]
fn refuses_an_unknown_cluster_of_a_service_and_tells_of_it_as_well() {
    let mut host = running(&expect(&call(450, 8, 0, 8), 10));
    assert!(host.grpc_calls().is_empty());
    assert_eq!(texts(&mut host), ["c", "5", "14", "Cluster not available"]);
}

#[test]
fn explains_that_the_name_of_a_cluster_can_end_envoy() {
    let zeros = "(i32.const 0) ".repeat(9);
    let guest = Guest {
        imports: IMPORTS,
        data: &[(500, "mimir")],
        on_configure: &format!(
            "(call $check (call $call (i32.const 500) (i32.const 5) {zeros} (i32.const 8)) (i32.const 10))"
        ),
        ..Guest::default()
    };
    let error = guest.builder().start().expect_err("Envoy does not start");
    let end = error.host.end_of_envoy();
    assert_eq!(end, Some(Situation::ClusterNameIsMessage));
    assert!(
        error
            .host
            .explanations()
            .any(|explanation| explanation.kills_envoy())
    );
}
