use std::time::Duration;

use crate::clock::Clock;
use crate::host::Shutdown;
use crate::logs::LogLevel;
use crate::stream::{EndOfStream, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_get_log_level" (func $level (param i32) (result i32)))
    (import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))
    (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
    (import "env" "proxy_get_status" (func $status (param i32 i32 i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
    (import "env" "proxy_done" (func $done (result i32)))"#;

#[test]
fn logs_from_the_level_on_that_is_kept() {
    let guest = Guest {
        imports: IMPORTS,
        data: &[(256, "hello")],
        on_configure: "
            (call $check (call $proxy_log (i32.const 1) (i32.const 256) (i32.const 5)) (i32.const 0))
            (call $check (call $proxy_log (i32.const 4) (i32.const 256) (i32.const 5)) (i32.const 0))
            (call $check (call $proxy_log (i32.const 6) (i32.const 256) (i32.const 5)) (i32.const 2))
            (call $check (call $proxy_log (i32.const 4) (i32.const -1) (i32.const 5)) (i32.const 6))
            (call $check (call $level (i32.const 8)) (i32.const 0))
            (call $check (i32.load (i32.const 8)) (i32.const 3))
            (call $check (call $level (i32.const -1)) (i32.const 6))",
        ..Guest::default()
    };
    let mut host = guest.builder().log_level(LogLevel::Warn).start().unwrap();
    assert_eq!(texts(&mut host), ["hello"]);
}

#[test]
fn tells_the_virtual_time() {
    let guest = Guest {
        imports: IMPORTS,
        on_configure: "
            (call $check (call $time (i32.const 8)) (i32.const 0))
            (call $check (i32.wrap_i64 (i64.load (i32.const 8))) (i32.const 5000))
            (call $check (call $time (i32.const -1)) (i32.const 6))",
        ..Guest::default()
    };
    let clock = Clock::Virtual {
        start: Duration::from_micros(5),
    };
    assert_eq!(
        guest.builder().clock(clock).start().unwrap().now(),
        Duration::from_micros(5)
    );
}

#[test]
fn ticks_at_its_period_until_it_is_set_to_zero() {
    let mut host = start(&Guest {
        imports: IMPORTS,
        on_configure: "(call $check (call $period (i32.const 100)) (i32.const 0))",
        more: r#"
            (global $ticks (mut i32) (i32.const 0))
            (func (export "proxy_on_tick") (param $root i32)
                (global.set $ticks (i32.add (global.get $ticks) (i32.const 1)))
                (call $log (global.get $ticks))
                (if (i32.eq (global.get $ticks) (i32.const 3))
                    (then (call $check (call $period (i32.const 0)) (i32.const 0)))))"#,
        ..Guest::default()
    });
    assert_eq!(host.due_in(), Some(Duration::from_millis(100)));
    host.advance(Duration::from_millis(99));
    assert_eq!(texts(&mut host).len(), 0);
    host.advance(Duration::from_millis(1));
    assert_eq!(texts(&mut host), ["1"]);
    host.advance(Duration::from_secs(10));
    assert_eq!(texts(&mut host), ["1", "2", "3"]);
    assert_eq!(host.due_in(), None);
}

#[test]
fn tells_status_zero_while_nothing_has_failed() {
    start(&Guest {
        imports: IMPORTS,
        on_configure: "
            (i32.store (i32.const 8) (i32.const -1))
            (call $check (call $status (i32.const 8) (i32.const 12) (i32.const 16)) (i32.const 0))
            (call $check (i32.load (i32.const 8)) (i32.const 0))
            (call $check (i32.load (i32.const 16)) (i32.const 0))
            (call $check (call $status (i32.const -1) (i32.const 12) (i32.const 16)) (i32.const 6))
            (call $check (call $status (i32.const 8) (i32.const 12) (i32.const -1)) (i32.const 6))",
        ..Guest::default()
    });
}

#[test]
fn acts_on_another_living_context_until_the_callback_ends() {
    let mut host = start(&Guest {
        imports: &format!(
            r#"{IMPORTS}
            (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))"#
        ),
        data: &[(256, "b3")],
        on_configure: "(call $check (call $period (i32.const 100)) (i32.const 0))",
        more: r#"
            (func $try (param $expected i32)
                (call $check (call $remove (i32.const 0) (i32.const 256) (i32.const 2)) (local.get $expected)))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))
            (func (export "proxy_on_tick") (param i32)
                (call $try (i32.const 2))
                (call $check (call $effective (i32.const 9)) (i32.const 2))
                (call $check (call $effective (i32.const 2)) (i32.const 0))
                (call $try (i32.const 0)))"#,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(stream.context(), 2);
    let _ = host.request_headers(stream, [("b3", "0"), ("a", "1")], EndOfStream::Yes);
    host.advance(Duration::from_millis(200));
    assert!(host.trap().is_none(), "{:#?}", host.transcript().lines());
    assert_eq!(host.transcript().callback_count("proxy_on_tick"), 2);
    assert_eq!(
        host.stream(stream)
            .unwrap()
            .request()
            .headers()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn ends_a_pending_root_context_when_it_says_done() {
    let mut host = start(&Guest {
        imports: IMPORTS,
        on_configure: "
            (call $check (call $period (i32.const 100)) (i32.const 0))
            (call $check (call $done) (i32.const 1))",
        more: r#"
            (global $asked (mut i32) (i32.const 0))
            (func (export "proxy_on_done") (param i32) (result i32)
                (call $check (call $done) (i32.const 1))
                (global.set $asked (i32.const 1)) (i32.const 0))
            (func (export "proxy_on_tick") (param i32)
                (if (global.get $asked) (then
                    (call $check (call $done) (i32.const 0))
                    (call $check (call $done) (i32.const 1)))))
            (func (export "proxy_on_delete") (param i32) (call $log (i32.const 5)))"#,
        ..Guest::default()
    });
    host.advance(Duration::from_millis(100));
    assert_eq!(host.shutdown(), Shutdown::Pending);
    assert_eq!((host.pending_roots(), texts(&mut host).len()), (1, 0));
    host.advance(Duration::from_millis(100));
    assert_eq!(
        (host.shutdown_state(), texts(&mut host)),
        (Shutdown::Done, vec!["5".to_owned()])
    );
    assert_eq!(host.due_in(), None, "an ended context has no ticks");
}
