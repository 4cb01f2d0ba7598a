use crate::host::Host;
use crate::shared::Shared;
use crate::stream::{Action, EndOfStream, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_register_shared_queue" (func $register (param i32 i32 i32) (result i32)))
    (import "env" "proxy_resolve_shared_queue" (func $resolve (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_enqueue_shared_queue" (func $enqueue (param i32 i32 i32) (result i32)))
    (import "env" "proxy_dequeue_shared_queue" (func $dequeue (param i32 i32 i32) (result i32)))"#;

/// A callback that logs its context and all items of the queue.
const READY: &str = r#"
    (func (export "proxy_on_queue_ready") (param $context i32) (param $token i32)
        (call $log (local.get $context))
        (call $check (call $dequeue (local.get $token) (i32.const 8) (i32.const 12)) (i32.const 0))
        (call $text (i32.load (i32.const 8)) (i32.load (i32.const 12))))"#;

#[test]
fn answers_each_call_as_envoy_does() {
    start(&Guest {
        imports: IMPORTS,
        data: &[(256, "queue"), (264, "vm"), (270, "other"), (280, "item")],
        on_configure: "
            (call $check (call $enqueue (i32.const 1) (i32.const 280) (i32.const 4)) (i32.const 1))
            (call $check (call $dequeue (i32.const 1) (i32.const 8) (i32.const 12)) (i32.const 1))
            (call $check (call $resolve (i32.const 0) (i32.const 0) (i32.const 256) (i32.const 5) (i32.const 8))
                (i32.const 1))
            (call $check (call $register (i32.const 256) (i32.const 5) (i32.const 8)) (i32.const 0))
            (call $check (i32.load (i32.const 8)) (i32.const 1))
            (call $check (call $register (i32.const 256) (i32.const 5) (i32.const 16)) (i32.const 0))
            (call $check (i32.load (i32.const 16)) (i32.const 1))
            (call $check (call $resolve (i32.const 0) (i32.const 0) (i32.const 256) (i32.const 5) (i32.const 20))
                (i32.const 0))
            (call $check (i32.load (i32.const 20)) (i32.const 1))
            (call $check (call $resolve (i32.const 264) (i32.const 2) (i32.const 256) (i32.const 5) (i32.const 20))
                (i32.const 0))
            (call $check (call $resolve (i32.const 270) (i32.const 5) (i32.const 256) (i32.const 5) (i32.const 20))
                (i32.const 1))
            (call $check (call $dequeue (i32.const 1) (i32.const 8) (i32.const 12)) (i32.const 7))
            (call $check (call $enqueue (i32.const 1) (i32.const 280) (i32.const 4)) (i32.const 0))
            (call $check (call $dequeue (i32.const 1) (i32.const 8) (i32.const 12)) (i32.const 0))
            (call $check (i32.load (i32.load (i32.const 8))) (i32.load (i32.const 280)))
            (call $check (i32.load (i32.const 12)) (i32.const 4))
            (call $check (call $register (i32.const -1) (i32.const 5) (i32.const 8)) (i32.const 6))
            (call $check (call $register (i32.const 256) (i32.const 5) (i32.const -1)) (i32.const 6))
            (call $check (call $enqueue (i32.const 1) (i32.const -1) (i32.const 4)) (i32.const 6))",
        ..Guest::default()
    });
}

#[test]
fn tells_of_an_item_after_the_callback_that_put_it_in() {
    let mut host = start(&Guest {
        imports: IMPORTS,
        data: &[(256, "queue"), (280, "item")],
        on_configure: "(drop (call $register (i32.const 256) (i32.const 5) (i32.const 8)))",
        more: &format!(
            r#"{READY}
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (drop (call $enqueue (i32.const 1) (i32.const 280) (i32.const 4)))
                (call $log (i32.const 77))
                (i32.const 0))"#
        ),
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [(":path", "/")], EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(texts(&mut host), ["77", "1", "item"]);
}

#[test]
fn tells_the_vm_that_has_registered_last() {
    let shared = Shared::new();
    let guest = Guest {
        imports: IMPORTS,
        data: &[(256, "queue"), (280, "item")],
        on_configure: "(drop (call $register (i32.const 256) (i32.const 5) (i32.const 8)))",
        more: &format!(
            r#"{READY}
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (call $enqueue (i32.const 1) (i32.const 280) (i32.const 4)))"#
        ),
        ..Guest::default()
    };
    let worker = || guest.builder().shared(&shared).start().unwrap();
    let (mut first, mut second): (Host, Host) = (worker(), worker());
    let stream = first.open_stream(StreamProperties::new());
    assert_eq!(
        first.request_headers(stream, [(":path", "/")], EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(second.due_in(), Some(std::time::Duration::ZERO));
    second.run_due();
    assert!(texts(&mut first).is_empty());
    assert_eq!(texts(&mut second), ["1", "item"]);
}
