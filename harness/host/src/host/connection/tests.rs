use crate::host::Host;
use crate::stream::{Action, ClosedBy, EndOfStream, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_get_buffer_bytes" (func $bytes (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_buffer_bytes" (func $set (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
    (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))"#;

/// Callbacks that log a letter and their last argument; those of data log the bytes that the guest sees as well. `on_new` is
/// the body of `proxy_on_new_connection`, and `on_data` is that of `proxy_on_downstream_data`.
fn guest(on_new: &str, on_data: &str) -> Host {
    let event = |name: &str, at: u32, arguments: &str, last: &str| {
        format!(
            r#"(func (export "{name}") {arguments}
                (call $text (i32.const {at}) (i32.const 1)) (call $log (local.get ${last})))"#
        )
    };
    let show = |buffer: u32| {
        format!(
            "(call $check (call $bytes (i32.const {buffer}) (i32.const 0) (i32.const 99) (i32.const 8) (i32.const 12))
                (i32.const 0))
             (call $text (i32.load (i32.const 8)) (i32.load (i32.const 12)))"
        )
    };
    let more = [
        format!(
            r#"(func (export "proxy_on_new_connection") (param $context i32) (result i32)
                (call $text (i32.const 400) (i32.const 1)) {on_new})
            (func (export "proxy_on_downstream_data") (param $context i32) (param $size i32) (param $end i32) (result i32)
                (call $text (i32.const 401) (i32.const 1)) (call $log (local.get $end)) {} {on_data})
            (func (export "proxy_on_upstream_data") (param $context i32) (param $size i32) (param $end i32) (result i32)
                (call $text (i32.const 402) (i32.const 1)) (call $log (local.get $end)) {} (i32.const 0))
            (func (export "proxy_on_done") (param $context i32) (result i32)
                (call $text (i32.const 405) (i32.const 1)) (i32.const 0))"#,
            show(2),
            show(3)
        ),
        event("proxy_on_downstream_connection_close", 403, "(param i32) (param $peer i32)", "peer"),
        event("proxy_on_upstream_connection_close", 404, "(param i32) (param $peer i32)", "peer"),
        event("proxy_on_log", 406, "(param $context i32)", "context"),
        event("proxy_on_delete", 407, "(param $context i32)", "context"),
    ]
    .concat();
    start(&Guest {
        imports: IMPORTS,
        data: &[(400, "nduDUolx"), (420, "changed")],
        more: &more,
        ..Guest::default()
    })
}

const GO_ON: &str = "(i32.const 0)";

#[test]
fn shows_both_directions_and_ends_in_the_order_of_tcp() {
    let mut host = guest(GO_ON, GO_ON);
    let id = host.open_connection(StreamProperties::new());
    assert_eq!(
        host.downstream_data(id, b"ping", EndOfStream::No),
        Action::Continue
    );
    assert_eq!(host.take_downstream_data(id), b"ping");
    assert_eq!(
        host.upstream_data(id, b"pong", EndOfStream::No),
        Action::Continue
    );
    assert_eq!(
        host.downstream_data(id, b"", EndOfStream::Yes),
        Action::Continue
    );
    assert!(host.connection(id).unwrap().from_client().has_ended());
    assert_eq!(
        host.upstream_data(id, b"", EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(host.take_upstream_data(id), b"pong");
    let connection = host.close_connection(id, ClosedBy::Proxy).unwrap();
    assert!(connection.is_closed() && connection.from_upstream().has_ended());
    assert_eq!(
        texts(&mut host),
        [
            "n", "d", "0", "ping", "u", "0", "pong", "d", "1", "", "u", "1", "", "U", "0", "D",
            "1", "o", "l", "2", "x", "2"
        ]
    );
    assert_eq!(host.open_streams(), 0);
    assert!(host.close_connection(id, ClosedBy::Client).is_none());
}

#[test]
fn shows_what_was_held_again_in_front_of_what_follows() {
    let hold_few = "(i32.lt_u (local.get $size) (i32.const 6))";
    let mut host = guest(GO_ON, hold_few);
    let id = host.open_connection(StreamProperties::new());
    assert_eq!(
        host.downstream_data(id, b"abc", EndOfStream::No),
        Action::Pause
    );
    assert!(host.take_downstream_data(id).is_empty());
    assert_eq!(
        host.downstream_data(id, b"defg", EndOfStream::No),
        Action::Continue
    );
    assert_eq!(host.take_downstream_data(id), b"abcdefg");
    assert_eq!(
        texts(&mut host),
        ["n", "d", "0", "abc", "d", "0", "abcdefg"]
    );
}

#[test]
fn changes_bytes_in_front_and_passes_what_goes_on_in_a_callback_that_stops() {
    let change = "
        (call $check (call $set (i32.const 2) (i32.const 0) (i32.const 2) (i32.const 420) (i32.const 7)) (i32.const 0))
        (call $check (call $set (i32.const 2) (i32.const 1) (i32.const 1) (i32.const 420) (i32.const 7)) (i32.const 2))
        (call $check (call $set (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 420) (i32.const 7)) (i32.const 2))
        (call $check (call $continue (i32.const 2)) (i32.const 0))
        (call $check (call $continue (i32.const 3)) (i32.const 12))
        (i32.const 1)";
    let mut host = guest(GO_ON, change);
    let id = host.open_connection(StreamProperties::new());
    assert_eq!(
        host.downstream_data(id, b"abc", EndOfStream::No),
        Action::Continue
    );
    assert_eq!(host.take_downstream_data(id), b"changedc");
}

#[test]
fn reads_nothing_from_a_connection_that_is_held() {
    let mut host = guest("(i32.const 1)", GO_ON);
    let id = host.open_connection(StreamProperties::new());
    assert!(host.connection(id).unwrap().is_held());
    assert_eq!(
        host.downstream_data(id, b"abc", EndOfStream::No),
        Action::Pause
    );
    assert_eq!(texts(&mut host), ["n"]);
}

#[test]
fn lets_a_connection_begin_that_goes_on_in_the_callback_that_holds_it() {
    let go_on = "(call $check (call $continue (i32.const 2)) (i32.const 0)) (i32.const 1)";
    let mut host = guest(go_on, GO_ON);
    let id = host.open_connection(StreamProperties::new());
    assert!(!host.connection(id).unwrap().is_held());
}

#[test]
fn closes_for_the_guest_and_tells_of_it_once() {
    let close = "(call $check (call $close (i32.const 3)) (i32.const 0)) (i32.const 0)";
    let mut host = guest(GO_ON, close);
    let id = host.open_connection(StreamProperties::new());
    assert_eq!(
        host.downstream_data(id, b"abc", EndOfStream::No),
        Action::Reset
    );
    assert_eq!(
        host.upstream_data(id, b"abc", EndOfStream::Yes),
        Action::Reset
    );
    assert!(
        host.close_connection(id, ClosedBy::Client)
            .unwrap()
            .is_closed()
    );
    assert_eq!(
        texts(&mut host),
        ["n", "d", "0", "abc", "D", "1", "o", "l", "2", "x", "2"]
    );
}

#[test]
fn closes_a_connection_whose_vm_fails_and_every_later_one() {
    let mut host = guest(GO_ON, "(unreachable)");
    let id = host.open_connection(StreamProperties::new());
    assert_eq!(
        host.downstream_data(id, b"abc", EndOfStream::No),
        Action::Reset
    );
    let later = host.open_connection(StreamProperties::new());
    assert!(host.connection(later).unwrap().is_closed());
    assert!(host.close_connection(later, ClosedBy::Client).is_some());
}
