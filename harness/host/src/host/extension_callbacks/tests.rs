use std::time::Duration;

use crate::host::{Host, Statistics};
use crate::stream::{Action, EndOfStream, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_get_buffer_bytes" (func $bytes (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "envoy_resolve_dns" (func $resolve (param i32 i32 i32) (result i32)))"#;

const CALLBACKS: &str = r#"
    (func $show (call $check (call $bytes (i32.const 8) (i32.const 0) (i32.const 99) (i32.const 8) (i32.const 12))
            (i32.const 0))
        (call $text (i32.load (i32.const 8)) (i32.load (i32.const 12))))
    (func (export "proxy_on_request_metadata") (param i32) (param $count i32) (result i32)
        (call $log (local.get $count)) (i32.const 1))
    (func (export "proxy_on_foreign_function") (param i32) (param $id i32) (param $size i32)
        (call $log (local.get $id)) (call $log (local.get $size)) (call $show))
    (func (export "envoy_on_resolve_dns") (param i32) (param $token i32) (param $size i32)
        (call $log (local.get $token)) (call $log (local.get $size)) (call $show))"#;

fn guest(on_configure: &str) -> Host {
    start(&Guest {
        imports: IMPORTS,
        data: &[(256, "shop.example")],
        on_configure,
        more: CALLBACKS,
        ..Guest::default()
    })
}

#[test]
fn tells_of_metadata_once_the_stream_has_begun() {
    let mut host = guest("");
    let stream = host.open_stream(StreamProperties::new());
    host.request_metadata(stream, [("too", "early")]);
    let headers = [(":path", "/")];
    assert_eq!(
        host.request_headers(stream, headers, EndOfStream::No),
        Action::Continue
    );
    host.request_metadata(stream, [("a", "1"), ("b", "2")]);
    // This guest has no callback for those of the response.
    host.response_metadata(stream, [("a", "1")]);
    assert_eq!(texts(&mut host), ["2"]);
}

#[test]
fn shows_the_arguments_of_a_foreign_function_while_it_runs() {
    let mut host = guest("");
    host.call_foreign_function(7, "arguments");
    assert_eq!(texts(&mut host), ["7", "9", "arguments"]);
}

#[test]
fn hands_a_name_to_the_caller_and_its_addresses_to_the_root_context() {
    let mut host = guest(
        "(call $check (call $resolve (i32.const 256) (i32.const 12) (i32.const 8)) (i32.const 0))
         (call $check (i32.load (i32.const 8)) (i32.const 2))
         (call $check (call $resolve (i32.const -1) (i32.const 12) (i32.const 8)) (i32.const 6))
         (call $check (call $resolve (i32.const 256) (i32.const 12) (i32.const -1)) (i32.const 6))",
    );
    let [query] = host.dns_queries().try_into().unwrap();
    assert_eq!((query.token, query.name.as_str()), (2, "shop.example"));
    let address = ("127.0.0.1".parse().unwrap(), Duration::from_secs(5));
    host.answer_dns(2, &[address]).unwrap();
    assert_eq!(
        texts(&mut host),
        ["2", "20", "\u{1}\0\0\0\u{5}\0\0\u{0}127.0.0.1:0\0"]
    );
    assert!(host.answer_dns(2, &[]).is_err());
}

#[test]
fn tells_the_address_of_an_address_within_the_call() {
    let mut host = start(&Guest {
        imports: IMPORTS,
        data: &[(256, "10.1.2.3")],
        on_configure:
            "(call $check (call $resolve (i32.const 256) (i32.const 8) (i32.const 8)) (i32.const 0))
            (call $text (i32.const 256) (i32.const 2))",
        more: CALLBACKS,
        ..Guest::default()
    });
    assert!(host.dns_queries().is_empty());
    let told = "\u{1}\0\0\0\0\0\0\u{0}10.1.2.3:0\0";
    assert_eq!(texts(&mut host), ["2", "19", told, "10"]);
    assert!(host.answer_dns(2, &[]).is_err());
}

#[test]
fn hands_over_statistics_in_the_bytes_of_envoy() {
    let mut host = start(&Guest {
        imports: IMPORTS,
        more: r#"
            (func (export "envoy_on_stats_update") (param i32) (param $size i32)
                (call $log (local.get $size))
                (call $check (call $bytes (i32.const 8) (i32.const 0) (i32.const 99) (i32.const 8) (i32.const 12))
                    (i32.const 0))
                (call $numbers (i32.load (i32.const 8))))
            (func $numbers (param $at i32)
                (call $log (i32.load (local.get $at)))
                (call $log (i32.load offset=4 (local.get $at)))
                (call $log (i32.load offset=8 (local.get $at)))
                (call $log (i32.load offset=12 (local.get $at)))
                (call $text (i32.add (local.get $at) (i32.const 16)) (i32.const 3))
                (call $log (i32.load offset=24 (local.get $at)))
                (call $log (i32.load offset=32 (local.get $at)))
                (call $log (i32.load offset=40 (local.get $at)))
                (call $log (i32.load offset=44 (local.get $at)))
                (call $log (i32.load offset=56 (local.get $at)))
                (call $log (i32.load offset=64 (local.get $at))))"#,
        ..Guest::default()
    });
    let statistics = Statistics::new().counter("rqs", 12, 2).gauge("open", 3);
    host.stats_update(&statistics);
    // Size of all; size, type and number of counters; name, value and growth; the same of gauges, whose value is aligned.
    let expected = [
        "92",
        "40",
        "1",
        "1",
        "3",
        "rqs",
        "12",
        "2",
        "52",
        "2",
        "1852141679",
        "3",
    ];
    assert_eq!(texts(&mut host), expected);
}
