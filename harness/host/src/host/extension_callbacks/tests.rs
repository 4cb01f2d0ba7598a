use std::time::Duration;

use crate::host::Host;
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
        ["2", "20", "\u{1}\0\0\0\u{5}\0\0\0127.0.0.1:0\0"]
    );
    assert!(host.answer_dns(2, &[]).is_err());
}
