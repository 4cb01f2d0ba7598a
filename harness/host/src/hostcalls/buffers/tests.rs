use crate::abi_types::AbiVersion;
use crate::host::Host;
use crate::stream::{Action, EndOfStream, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_get_buffer_bytes" (func $bytes (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_buffer_status" (func $status (param i32 i32 i32) (result i32)))
    (import "env" "proxy_set_buffer_bytes" (func $set (param i32 i32 i32 i32 i32) (result i32)))"#;

/// Sends a body of two parts through `proxy_on_request_body` and returns the bytes that passed.
fn on_request_body(callback: &str) -> (Host, Vec<u8>) {
    let more = format!(
        r#"(func (export "proxy_on_request_body") (param $context i32) (param $size i32) (param $end i32) (result i32)
            {callback})"#
    );
    let mut host = start(&Guest {
        imports: IMPORTS,
        data: &[(256, "<>")],
        more: &more,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [(":method", "POST")], EndOfStream::No),
        Action::Continue
    );
    let _ = host.request_body(stream, b"one", EndOfStream::No);
    let _ = host.request_body(stream, b"two", EndOfStream::Yes);
    assert!(host.trap().is_none(), "{:#?}", host.transcript().lines());
    let body = host.take_request_body(stream);
    (host, body)
}

#[test]
fn gives_the_configurations_each_at_its_time() {
    start(&Guest {
        imports: IMPORTS,
        on_configure: "
            (call $check (call $bytes (i32.const 7) (i32.const 7) (i32.const 99) (i32.const 8) (i32.const 12))
                (i32.const 0))
            (call $check (i32.load (i32.const 12)) (i32.const 6))
            (call $check (i32.load (i32.load (i32.const 8))) (i32.const 0x666e6f63))
            (call $check (call $status (i32.const 7) (i32.const 8) (i32.const 12)) (i32.const 0))
            (call $check (i32.load (i32.const 8)) (i32.const 13))
            (call $check (i32.load (i32.const 12)) (i32.const 0))
            (call $check (call $bytes (i32.const 6) (i32.const 0) (i32.const 2) (i32.const 8) (i32.const 12))
                (i32.const 0))
            (call $check (i32.load16_u (i32.load (i32.const 8))) (i32.const 0x6d76))",
        more: r#"
            (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
                (call $check (call $bytes (i32.const 7) (i32.const 0) (i32.const 9) (i32.const 8) (i32.const 12))
                    (i32.const 1))
                (call $check (call $status (i32.const 7) (i32.const 8) (i32.const 12)) (i32.const 1))
                (i32.const 1))"#,
        ..Guest::default()
    });
}

#[test]
fn gives_the_configuration_of_abi_0_1_0_by_its_own_function() {
    let configuration =
        "(call $check (call $configuration (i32.const 8) (i32.const 12)) (i32.const 0))";
    start(&Guest {
        abi: AbiVersion::V0_1_0,
        imports: r#"(import "env" "proxy_get_configuration" (func $configuration (param i32 i32) (result i32)))"#,
        on_configure: &format!(
            "{configuration} (call $check (i32.load (i32.const 12)) (i32.const 13))"
        ),
        more: &format!(
            r#"(func (export "proxy_on_vm_start") (param i32 i32) (result i32)
                {configuration} (call $check (i32.load (i32.const 12)) (i32.const 9)) (i32.const 1))"#
        ),
        ..Guest::default()
    });
}

#[test]
fn answers_as_envoy_does_when_there_is_nothing_to_give() {
    start(&Guest {
        imports: IMPORTS,
        on_configure: "
            (call $check (call $bytes (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 8) (i32.const 12))
                (i32.const 0))
            (call $check (i32.load (i32.const 12)) (i32.const 0))
            (call $check (call $bytes (i32.const 7) (i32.const 99) (i32.const 9) (i32.const 8) (i32.const 12))
                (i32.const 0))
            (call $check (i32.load (i32.const 12)) (i32.const 0))
            (call $check (call $bytes (i32.const 4) (i32.const 0) (i32.const 9) (i32.const 8) (i32.const 12))
                (i32.const 1))
            (call $check (call $bytes (i32.const 9) (i32.const 0) (i32.const 9) (i32.const 8) (i32.const 12))
                (i32.const 2))
            (call $check (call $bytes (i32.const 7) (i32.const 0) (i32.const 9) (i32.const -1) (i32.const 12))
                (i32.const 6))
            (call $check (call $status (i32.const 9) (i32.const 8) (i32.const 12)) (i32.const 2))
            (call $check (call $status (i32.const 7) (i32.const -1) (i32.const 12)) (i32.const 6))
            (call $check (call $set (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 1))
                (i32.const 2))
            (call $check (call $set (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 1))
                (i32.const 2))
            (call $check (call $set (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 1))
                (i32.const 1))
            (call $check (call $set (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 1))
                (i32.const 6))
            (call $check (call $set (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 1))
                (i32.const 2))",
        ..Guest::default()
    });
}

#[test]
fn puts_bytes_in_front_at_the_end_and_in_place_of_the_whole() {
    let set = |start: &str, size: &str, at: &str, status: &str| {
        format!(
            "(call $check (call $set (i32.const 0) (i32.const {start}) (i32.const {size}) (i32.const {at}) (i32.const 1))
                (i32.const {status})) "
        )
    };
    let around =
        set("0", "0", "256", "0") + &set("99", "0", "257", "0") + &set("1", "1", "257", "2");
    assert_eq!(
        on_request_body(&format!("{around} (i32.const 0)")).1,
        b"<one><two>"
    );
    let whole = set("0", "3", "257", "0");
    assert_eq!(on_request_body(&format!("{whole} (i32.const 0)")).1, b">>");
    let front = set("0", "1", "257", "0");
    assert_eq!(
        on_request_body(&format!("{front} (i32.const 0)")).1,
        b">ne>wo",
        "the first byte gives way to the new one"
    );
}

#[test]
fn shows_a_buffered_body_as_one() {
    let (mut host, body) = on_request_body(
        "(call $log (local.get $size))
         (if (result i32) (local.get $end) (then (i32.const 0)) (else (i32.const 1)))",
    );
    assert_eq!(
        (texts(&mut host), body),
        (vec!["3".to_owned(), "6".to_owned()], b"onetwo".to_vec())
    );
}

#[test]
fn keeps_a_body_at_the_watermark_and_shows_the_next_part_alone() {
    let (mut host, body) = on_request_body(
        "(call $log (local.get $size))
         (if (result i32) (local.get $end) (then (i32.const 0)) (else (i32.const 2)))",
    );
    assert_eq!(
        (texts(&mut host), body),
        (vec!["3".to_owned(), "3".to_owned()], b"onetwo".to_vec())
    );
}

#[test]
fn drops_a_part_that_is_neither_passed_nor_buffered() {
    let (_, body) = on_request_body(
        "(if (result i32) (local.get $end) (then (i32.const 0)) (else (i32.const 3)))",
    );
    assert_eq!(body, b"two");
}
