use crate::abi_types::{AbiVersion, Status};
use crate::headers::Headers;
use crate::stream::{Action, EndOfStream, Ending, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_get_header_map_size" (func $size (param i32 i32) (result i32)))
    (import "env" "proxy_get_header_map_pairs" (func $all (param i32 i32 i32) (result i32)))
    (import "env" "proxy_set_header_map_pairs" (func $set_all (param i32 i32 i32) (result i32)))
    (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_replace_header_map_value" (func $replace (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))"#;

/// Runs `body` in `proxy_on_request_headers` and returns the headers that result.
fn on_request_headers(headers: &[(&str, &str)], body: &str) -> Headers {
    let more = format!(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        {body} (i32.const 0))"#
    );
    let data = &[
        (256, "B3name"),
        (
            300,
            "\\01\\00\\00\\00\\01\\00\\00\\00\\01\\00\\00\\00K\\00v\\00",
        ),
    ];
    let mut host = start(&Guest {
        imports: IMPORTS,
        data,
        more: &more,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    let headers: Headers = headers.iter().copied().collect();
    assert_eq!(
        host.request_headers(stream, headers, EndOfStream::Yes),
        Action::Continue,
        "{:#?}",
        host.transcript().lines()
    );
    host.stream(stream)
        .unwrap()
        .request()
        .headers()
        .unwrap()
        .clone()
}

#[test]
fn gives_the_first_value_of_a_header_whatever_the_case_of_its_name() {
    on_request_headers(
        &[("b3", "xy"), ("b3", "z")],
        "(call $check (call $get (i32.const 0) (i32.const 256) (i32.const 2) (i32.const 8) (i32.const 12)) (i32.const 0))
         (call $check (i32.load (i32.const 8)) (i32.const 4096))
         (call $check (i32.load (i32.const 12)) (i32.const 2))
         (call $check (i32.load16_u (i32.const 4096)) (i32.const 0x7978))
         (call $check (i32.load (i32.const 16)) (i32.const 0))",
    );
}

#[test]
fn gives_an_empty_value_without_an_allocation() {
    on_request_headers(
        &[("b3", "")],
        "(i32.store (i32.const 8) (i32.const -1))
         (call $check (call $get (i32.const 0) (i32.const 256) (i32.const 2) (i32.const 8) (i32.const 12)) (i32.const 0))
         (call $check (i32.load (i32.const 8)) (i32.const 0))
         (call $check (i32.load (i32.const 12)) (i32.const 0))",
    );
}

#[test]
fn gives_all_pairs_and_the_bytes_of_names_and_values() {
    on_request_headers(
        &[("a", "1"), ("bc", "")],
        "(call $check (call $all (i32.const 0) (i32.const 8) (i32.const 12)) (i32.const 0))
         (call $check (i32.load (i32.const 12)) (i32.const 28))
         (call $check (i32.load (i32.const 4096)) (i32.const 2))
         (call $check (call $size (i32.const 0) (i32.const 8)) (i32.const 0))
         (call $check (i32.load (i32.const 8)) (i32.const 4))",
    );
}

#[test]
fn adds_replaces_and_removes() {
    let headers = on_request_headers(
        &[("b3", "1"), ("name", "x"), ("b3", "2")],
        "(call $check (call $replace (i32.const 0) (i32.const 256) (i32.const 2) (i32.const 258) (i32.const 4))
            (i32.const 0))
         (call $check (call $remove (i32.const 0) (i32.const 258) (i32.const 4)) (i32.const 0))
         (call $check (call $remove (i32.const 0) (i32.const 258) (i32.const 4)) (i32.const 0))
         (call $check (call $add (i32.const 0) (i32.const 256) (i32.const 2) (i32.const 256) (i32.const 1))
            (i32.const 0))",
    );
    assert_eq!(headers, Headers::from([("b3", "name"), ("b3", "B")]));
}

#[test]
fn replaces_a_whole_map_and_lower_cases_its_names() {
    let headers = on_request_headers(
        &[("a", "1")],
        "(call $check (call $set_all (i32.const 0) (i32.const 300) (i32.const 16)) (i32.const 0))",
    );
    assert_eq!(headers, Headers::from([("k", "v")]));
}

#[test]
fn wipes_a_map_when_the_new_pairs_are_malformed() {
    let headers = on_request_headers(
        &[("a", "1")],
        "(call $check (call $set_all (i32.const 0) (i32.const 300) (i32.const 15)) (i32.const 0))",
    );
    assert_eq!(headers, Headers::new());
}

#[test]
fn answers_not_found_bad_argument_and_invalid_memory_access() {
    on_request_headers(
        &[("b3", "1")],
        "(call $check (call $get (i32.const 0) (i32.const 258) (i32.const 4) (i32.const 8) (i32.const 12)) (i32.const 1))
         (call $check (call $get (i32.const 8) (i32.const 256) (i32.const 2) (i32.const 8) (i32.const 12)) (i32.const 2))
         (call $check (call $get (i32.const 2) (i32.const 256) (i32.const 2) (i32.const 8) (i32.const 12)) (i32.const 2))
         (call $check (call $get (i32.const 0) (i32.const -1) (i32.const 2) (i32.const 8) (i32.const 12)) (i32.const 6))
         (call $check (call $get (i32.const 0) (i32.const 256) (i32.const 2) (i32.const -3) (i32.const 12)) (i32.const 6))
         (call $check (call $all (i32.const 8) (i32.const 8) (i32.const 12)) (i32.const 2))
         (call $check (call $all (i32.const 0) (i32.const 8) (i32.const -3)) (i32.const 6))
         (call $check (call $size (i32.const 8) (i32.const 8)) (i32.const 2))
         (call $check (call $size (i32.const 6) (i32.const 8)) (i32.const 2))
         (call $check (call $size (i32.const 0) (i32.const -3)) (i32.const 6))
         (call $check (call $add (i32.const 2) (i32.const 256) (i32.const 2) (i32.const 256) (i32.const 1)) (i32.const 2))
         (call $check (call $add (i32.const 0) (i32.const 256) (i32.const 2) (i32.const -1) (i32.const 9)) (i32.const 6))
         (call $check (call $replace (i32.const 7) (i32.const 256) (i32.const 2) (i32.const 256) (i32.const 1))
            (i32.const 2))
         (call $check (call $replace (i32.const 0) (i32.const -1) (i32.const 2) (i32.const 256) (i32.const 1))
            (i32.const 6))
         (call $check (call $remove (i32.const 3) (i32.const 256) (i32.const 2)) (i32.const 2))
         (call $check (call $remove (i32.const 0) (i32.const -1) (i32.const 2)) (i32.const 6))
         (call $check (call $set_all (i32.const 2) (i32.const 300) (i32.const 16)) (i32.const 2))
         (call $check (call $set_all (i32.const 0) (i32.const -1) (i32.const 16)) (i32.const 6))",
    );
}

#[test]
fn gives_nothing_and_ok_for_all_pairs_of_a_map_that_is_not_there() {
    on_request_headers(
        &[],
        "(call $check (call $all (i32.const 2) (i32.const 8) (i32.const 12)) (i32.const 0))
         (call $check (i32.load (i32.const 12)) (i32.const 0))",
    );
}

#[test]
fn shows_request_headers_no_more_once_they_went_on_but_again_in_on_log() {
    let get =
        "(call $get (i32.const 0) (i32.const 256) (i32.const 2) (i32.const 8) (i32.const 12))";
    let add =
        "(call $add (i32.const 0) (i32.const 256) (i32.const 2) (i32.const 256) (i32.const 1))";
    let more = format!(
        r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
            (call $check {get} (i32.const 2)) (i32.const 0))
        (func (export "proxy_on_log") (param i32)
            (call $check {get} (i32.const 0))
            (call $check {add} (i32.const 2))
            (call $check (call $get (i32.const 3) (i32.const 256) (i32.const 2) (i32.const 8) (i32.const 12))
                (i32.const 1))
            (call $log (i32.const 7)))"#
    );
    let mut host = start(&Guest {
        imports: IMPORTS,
        data: &[(256, "b3")],
        more: &more,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [("b3", "0")], EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(
        host.response_headers(stream, [(":status", "200")], EndOfStream::Yes),
        Action::Continue
    );
    host.end(stream, Ending::Complete);
    assert_eq!(texts(&mut host), ["7"], "{:#?}", host.transcript().lines());
    let refusal = host.transcript().refusals().next().unwrap();
    assert_eq!(refusal.status, Status::BadArgument);
    assert!(
        refusal
            .reason
            .starts_with("request headers are not available in proxy_on_response_headers")
    );
}

#[test]
fn makes_trailers_up_in_the_last_body_callback() {
    let add =
        "(call $add (i32.const 1) (i32.const 256) (i32.const 2) (i32.const 258) (i32.const 1))";
    let more = format!(
        r#"(func (export "proxy_on_request_body") (param $c i32) (param $size i32) (param $end i32) (result i32)
            (call $check {add} (select (i32.const 0) (i32.const 2) (local.get $end))) (i32.const 0))"#
    );
    let mut host = start(&Guest {
        imports: IMPORTS,
        data: &[(256, "b31")],
        more: &more,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [("a", "b")], EndOfStream::No),
        Action::Continue
    );
    assert_eq!(
        host.request_body(stream, b"x", EndOfStream::No),
        Action::Continue
    );
    assert_eq!(
        host.request_body(stream, b"y", EndOfStream::Yes),
        Action::Continue
    );
    let request = host.stream(stream).unwrap().request();
    assert_eq!(request.trailers(), Some(&Headers::from([("b3", "1")])));
    assert!(request.is_complete());
}

#[test]
fn answers_ok_and_empty_for_a_missing_header_in_abi_0_1_0() {
    let get =
        "(call $get (i32.const 0) (i32.const 256) (i32.const 2) (i32.const 8) (i32.const 12))";
    let more = format!(
        r#"(func (export "proxy_on_request_headers") (param i32 i32) (result i32)
            (call $check {get} (i32.const 0))
            (call $check (i32.load (i32.const 12)) (i32.const 0)) (i32.const 0))"#
    );
    let abi = AbiVersion::V0_1_0;
    let mut host = start(&Guest {
        abi,
        imports: IMPORTS,
        data: &[(256, "b3")],
        more: &more,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [("a", "b")], EndOfStream::Yes),
        Action::Continue
    );
}
