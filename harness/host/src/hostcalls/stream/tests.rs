use std::time::Duration;

use crate::explanations::Situation;
use crate::headers::Headers;
use crate::host::Host;
use crate::stream::{Action, EndOfStream, Ending, Origin, StreamId, StreamProperties};
use crate::testing::{Guest, start, texts};

const IMPORTS: &str = r#"
    (import "env" "proxy_send_local_response"
        (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
    (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
    (import "env" "proxy_get_header_map_size" (func $size (param i32 i32) (result i32)))
    (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))"#;

/// A local reply: 403 "no" with details "not allowed" and the header `k: v`.
const REPLY: &str = "
    (call $check (call $reply (i32.const 403) (i32.const 256) (i32.const 11) (i32.const 270) (i32.const 2)
        (i32.const 300) (i32.const 16) (i32.const -1)) (i32.const 0))";

fn host(on_configure: &str, more: &str) -> Host {
    let data = &[
        (256, "not allowed"),
        (270, "no"),
        (
            300,
            "\\01\\00\\00\\00\\01\\00\\00\\00\\01\\00\\00\\00K\\00v\\00",
        ),
    ];
    start(&Guest {
        imports: IMPORTS,
        data,
        on_configure,
        more,
        ..Guest::default()
    })
}

fn open(host: &mut Host) -> StreamId {
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(stream.context(), 2, "the guests here count on it");
    stream
}

fn situations(host: &Host) -> Vec<Situation> {
    host.explanations()
        .filter_map(|explanation| explanation.situation)
        .collect()
}

/// Returns a callback `proxy_on_request_headers` with this body.
fn on_request_headers(body: &str) -> String {
    format!(r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {body})"#)
}

#[test]
fn answers_here_and_shows_the_answer_to_the_guest() {
    let more = on_request_headers(&format!("{REPLY} (i32.const 0)"))
        + r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
                (call $log (local.get 1)) (i32.const 0))
             (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
                (call $log (local.get 1)) (i32.const 0))"#;
    let mut host = host("", &more);
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::LocalReply
    );
    assert_eq!(
        host.response_headers(stream, [(":status", "200")], EndOfStream::Yes),
        Action::LocalReply,
        "nobody asked it"
    );
    assert_eq!(texts(&mut host), ["4", "2"]);
    let state = host.stream(stream).unwrap();
    let expected = [
        (":status", "403"),
        ("k", "v"),
        ("content-length", "2"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(state.response().headers(), Some(&Headers::from(expected)));
    assert_eq!(state.response().body(), b"no");
    assert!(state.response().is_complete());
    let reply = state.local_reply().unwrap();
    assert_eq!(
        (reply.details.as_str(), reply.origin, reply.grpc_status),
        ("not_allowed", Origin::Filter, None)
    );
}

#[test]
fn answers_a_grpc_request_in_trailers_only() {
    let mut host = host("", &on_request_headers(&format!("{REPLY} (i32.const 1)")));
    let stream = open(&mut host);
    let _ = host.request_headers(
        stream,
        [("content-type", "application/grpc")],
        EndOfStream::No,
    );
    let response = host.stream(stream).unwrap().response();
    let expected = [
        (":status", "200"),
        ("k", "v"),
        ("content-type", "application/grpc"),
        ("grpc-status", "7"),
        ("grpc-message", "no"),
    ];
    assert_eq!(response.headers(), Some(&Headers::from(expected)));
    assert!(response.body().is_empty());
}

#[test]
fn drops_a_second_answer() {
    let mut host = host(
        "",
        &on_request_headers(&format!("{REPLY} {REPLY} (i32.const 1)")),
    );
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::LocalReply
    );
    assert_eq!(situations(&host), [Situation::SecondReply]);
    assert!(texts(&mut host).is_empty(), "the log is the guest's own");
}

#[test]
fn answers_past_the_filters_from_the_callback_of_the_response() {
    let more = format!(
        r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
            (call $log (i32.const 1)) {REPLY} (i32.const 1))"#
    );
    let mut host = host("", &more);
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(
        host.response_headers(stream, [(":status", "200")], EndOfStream::Yes),
        Action::LocalReply
    );
    assert_eq!(texts(&mut host), ["1"]);
    let response = host.stream(stream).unwrap().response();
    assert_eq!(
        response.headers().unwrap().text(":status").as_deref(),
        Some("403")
    );
    assert!(response.is_complete());
}

#[test]
fn does_nothing_in_a_root_context() {
    let none = "(call $check (call $continue (i32.const 0)) (i32.const 0))
                (call $check (call $close (i32.const 0)) (i32.const 0))";
    assert_eq!(host(&format!("{REPLY} {none}"), "").open_streams(), 0);
}

#[test]
fn refuses_as_envoy_does() {
    let _ = host(
        "(call $check (call $continue (i32.const 2)) (i32.const 0))
         (call $check (call $continue (i32.const 3)) (i32.const 12))
         (call $check (call $continue (i32.const 4)) (i32.const 2))
         (call $check (call $close (i32.const 3)) (i32.const 0))
         (call $check (call $close (i32.const 4)) (i32.const 2))
         (call $check (call $reply (i32.const 403) (i32.const -1) (i32.const 11) (i32.const 270) (i32.const 2)
            (i32.const 300) (i32.const 16) (i32.const -1)) (i32.const 6))",
        "",
    );
}

#[test]
fn lets_a_paused_request_go_on_with_what_has_gathered_behind_it() {
    let more = on_request_headers("(i32.const 1)")
        + r#"(func (export "proxy_on_tick") (param i32)
                (call $check (call $effective (i32.const 2)) (i32.const 0))
                (call $check (call $size (i32.const 0) (i32.const 8)) (i32.const 0))
                (call $check (call $continue (i32.const 0)) (i32.const 0))
                (call $check (call $size (i32.const 0) (i32.const 8)) (i32.const 2)))
             (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
                (call $log (local.get 1)) (i32.const 0))
             (func (export "proxy_on_request_trailers") (param i32 i32) (result i32)
                (call $log (local.get 1)) (i32.const 0))"#;
    let mut host = host(
        "(call $check (call $period (i32.const 100)) (i32.const 0))",
        &more,
    );
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "POST")], EndOfStream::No),
        Action::Pause
    );
    assert_eq!(
        host.request_body(stream, b"ab", EndOfStream::No),
        Action::Pause
    );
    assert_eq!(
        host.request_body(stream, b"cd", EndOfStream::No),
        Action::Pause
    );
    assert_eq!(host.request_trailers(stream, [("t", "1")]), Action::Pause);
    assert!(
        texts(&mut host).is_empty(),
        "Envoy calls nothing while the headers are held back"
    );
    assert!(!host.stream(stream).unwrap().request().has_passed_headers());
    host.advance(Duration::from_millis(100));
    assert_eq!(
        texts(&mut host),
        ["4", "1"],
        "{:#?}",
        host.transcript().lines()
    );
    let request = host.stream(stream).unwrap().request();
    assert!(request.is_complete());
    assert_eq!(request.body(), b"abcd");
}

#[test]
fn goes_on_when_it_resumes_and_pauses_in_one_callback_and_only_a_body_waits() {
    let body = "(call $check (call $continue (i32.const 0)) (i32.const 0)) (i32.const 1)";
    let mut host = host("", &on_request_headers(body));
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::Continue
    );
    let stream = host.open_stream(StreamProperties::new());
    let _ = host.request_headers(stream, [(":method", "POST")], EndOfStream::No);
    assert_eq!(
        host.request_body(stream, b"x", EndOfStream::Yes),
        Action::Pause
    );
    let request = host.stream(stream).unwrap().request();
    assert!(request.has_passed_headers() && request.body().is_empty());
    assert_eq!(situations(&host), [Situation::ResumedThenPaused]);
}

#[test]
fn says_that_envoy_sends_a_request_twice_that_is_resumed_and_continued() {
    let body = "(call $check (call $continue (i32.const 0)) (i32.const 0)) (i32.const 0)";
    let mut host = host("", &on_request_headers(body));
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(situations(&host), [Situation::HeadersTwice]);
}

#[test]
fn says_that_envoy_dies_of_a_response_resumed_before_there_is_one() {
    let body = "(call $check (call $continue (i32.const 1)) (i32.const 0)) (i32.const 0)";
    let mut host = host("", &on_request_headers(body));
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::LocalReply
    );
    assert!(host.explanations().next().unwrap().kills_envoy());
    assert_eq!(host.end_of_envoy(), Some(Situation::ResumedNoResponse));
    assert!(host.trap().unwrap().to_string().contains("SIGSEGV"));
}

/// Returns the host after the end of a stream whose last callbacks run this body.
fn ended(callback: &str, body: &str, ending: Ending) -> Host {
    let answer = match callback {
        "proxy_on_done" => "(result i32) (i32.const 1)",
        _ => "",
    };
    let (result, value) = answer.split_at(answer.find(") (").map_or(0, |at| at + 1));
    let more = format!(r#"(func (export "{callback}") (param i32) {result} {body} {value})"#);
    let mut host = host("", &more);
    let stream = open(&mut host);
    let _ = host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes);
    if ending == Ending::Complete {
        let _ = host.response_headers(stream, [(":status", "200")], EndOfStream::Yes);
    }
    host.end(stream, ending).unwrap();
    host
}

#[test]
fn says_that_envoy_dies_of_what_comes_after_an_answer() {
    let close = "(call $check (call $close (i32.const 0)) (i32.const 0))";
    for callback in ["proxy_on_log", "proxy_on_done", "proxy_on_delete"] {
        for (body, situation) in [
            (REPLY, Situation::ReplyAfterEnd),
            (close, Situation::ClosedAfterEnd),
        ] {
            let host = ended(callback, body, Ending::Complete);
            assert_eq!(host.end_of_envoy(), Some(situation), "{callback}");
            let host = ended(callback, body, Ending::ClientAbort);
            assert_eq!(situations(&host), [], "{callback} without an answer");
        }
    }
}

#[test]
fn sends_a_second_answer_from_the_response_phase_of_the_first_past_the_filter() {
    let second = REPLY.replace("403", "503");
    let more = on_request_headers(&format!("{REPLY} (i32.const 1)"))
        + &format!(
            r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) {second} (i32.const 0))
               (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
                (call $log (i32.const 1)) (i32.const 0))"#
        );
    let mut host = host("", &more);
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::LocalReply
    );
    let response = host.stream(stream).unwrap().response();
    assert_eq!(
        response.headers().unwrap().text(":status").as_deref(),
        Some("503")
    );
    assert_eq!(
        (response.body(), response.is_complete()),
        (&b"no"[..], true)
    );
    assert!(
        texts(&mut host).is_empty(),
        "the body of neither comes to the filter"
    );
}

#[test]
fn breaks_off_a_response_that_is_answered_after_its_headers() {
    let more = format!(
        r#"(func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) {REPLY} (i32.const 0))"#
    );
    let mut host = host("", &more);
    let stream = open(&mut host);
    let _ = host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes);
    let _ = host.response_headers(stream, [(":status", "200")], EndOfStream::No);
    assert_eq!(
        host.response_body(stream, b"x", EndOfStream::Yes),
        Action::Reset
    );
    assert_eq!(situations(&host), [Situation::ReplyAfterHeaders]);
    let ended = host.end(stream, Ending::Complete).unwrap();
    assert_eq!(ended.code_details().as_deref(), Some("not_allowed"));
}

#[test]
fn resets_a_stream_that_the_guest_closes() {
    let body = "(call $check (call $close (i32.const 0)) (i32.const 0)) (i32.const 0)";
    let mut host = host("", &on_request_headers(body));
    let stream = open(&mut host);
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::Reset
    );
    assert!(host.end(stream, Ending::Complete).unwrap().is_reset());
    assert_eq!(
        host.transcript().callback_count("proxy_on_log"),
        0,
        "this guest has none"
    );
}

/// Compares with Envoy 1.40, which sends nothing and leaves the request where it is.
#[test]
fn pauses_a_request_whose_guest_replies_from_a_root_context() {
    let body = format!(
        "(call $check (call $effective (i32.const 1)) (i32.const 0)) {REPLY} (i32.const 0)"
    );
    let mut host = host("", &on_request_headers(&body));
    let stream = open(&mut host);
    let headers = [(":method", "GET"), (":path", "/"), (":authority", "shop")];
    assert_eq!(
        host.request_headers(stream, headers, EndOfStream::Yes),
        Action::Pause
    );
    assert_eq!(situations(&host), [Situation::ReplyWithoutStream]);
}
