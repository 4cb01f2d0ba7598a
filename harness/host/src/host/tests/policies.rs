//! Failure policies, capabilities, versions and limits: what Envoy's configuration says beside the plugin.

use std::time::Duration;

use crate::builder::HostBuilder;
use crate::explanations::Situation;
use crate::host::{Host, StartFailure};
use crate::settings::{EndOfBody, EnvoyVersion, FailurePolicy};
use crate::stream::{Action, EndOfStream, Ending, StreamId, StreamProperties};
use crate::testing::{Guest, texts};

const TRAPS: &str = r#"
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $log (i32.const 1)) (i32.const 1))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) unreachable)"#;

/// A guest that answers body callbacks with 1, buffer, but the last one.
const BUFFERS: &str = r#"
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
        (call $log (local.get 1)) (i32.eqz (local.get 2)))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
        (call $log (local.get 1)) (i32.eqz (local.get 2)))"#;

fn builder(more: &str) -> HostBuilder {
    Guest {
        more,
        ..Guest::default()
    }
    .builder()
}

fn post(host: &mut Host) -> StreamId {
    let stream = host.open_stream(StreamProperties::new());
    let _ = host.request_headers(stream, [(":method", "POST")], EndOfStream::No);
    stream
}

fn status(host: &Host, stream: StreamId) -> Option<String> {
    host.stream(stream)?.response().headers()?.text(":status")
}

fn situations(host: &Host) -> Vec<Situation> {
    host.explanations()
        .filter_map(|explanation| explanation.situation)
        .collect()
}

#[test]
fn passes_the_failing_stream_too_under_the_old_field() {
    let policy = FailurePolicy::FailOpenField;
    let mut host = builder(TRAPS).failure_policy(policy).start().unwrap();
    let stream = post(&mut host);
    assert_eq!(
        host.request_body(stream, b"x", EndOfStream::Yes),
        Action::Continue
    );
    assert!(host.trap().is_some());
    assert_eq!(host.stream(stream).unwrap().request().body(), b"x");
}

#[test]
fn passes_only_streams_that_come_after_the_failure_under_the_policy() {
    let policy = FailurePolicy::FailOpen;
    let mut host = builder(TRAPS).failure_policy(policy).start().unwrap();
    let [waiting, caught] = [post(&mut host), post(&mut host)];
    let _ = host.request_body(caught, b"x", EndOfStream::Yes);
    assert_eq!(status(&host, waiting), None, "nothing happens to it yet");
    let _ = host.request_body(waiting, b"x", EndOfStream::Yes);
    for stream in [waiting, caught] {
        assert_eq!(status(&host, stream).as_deref(), Some("503"));
    }
    let after = post(&mut host);
    let passed = host.request_body(after, b"x", EndOfStream::Yes);
    assert_eq!((passed, status(&host, after)), (Action::Continue, None));
}

#[test]
fn reloads_a_vm_once_its_back_off_is_over() {
    let policy = FailurePolicy::reload();
    let mut host = builder(TRAPS).failure_policy(policy).start().unwrap();
    let caught = post(&mut host);
    let _ = host.request_body(caught, b"x", EndOfStream::Yes);
    assert_eq!(status(&host, caught).as_deref(), Some("503"));
    host.advance(Duration::from_millis(999));
    let early = post(&mut host);
    assert_eq!(status(&host, early).as_deref(), Some("503"));
    host.advance(Duration::from_millis(501));
    let fresh = post(&mut host);
    assert_eq!(status(&host, fresh), None);
    assert_eq!(host.trap(), None);
    let reloads = host.reloads();
    assert_eq!(
        (reloads.success, reloads.failure, reloads.backoff),
        (1, 0, 1)
    );
    let lines = texts(&mut host);
    assert_eq!(
        (&lines[0], &lines[2]),
        (&"1".to_owned(), &"1".to_owned()),
        "it has started twice"
    );
    host.end(caught, Ending::Complete);
    let _ = host.request_body(fresh, b"x", EndOfStream::Yes);
    let again = post(&mut host);
    assert_eq!(
        status(&host, again).as_deref(),
        Some("503"),
        "the time counts from the last load"
    );
}

#[test]
fn never_reloads_a_vm_that_did_not_start() {
    let more = r#"(func (export "proxy_on_vm_start") (param i32 i32) (result i32) unreachable)"#;
    let policy = FailurePolicy::reload();
    let mut error = builder(more).failure_policy(policy).start().unwrap_err();
    error.host.advance(Duration::from_secs(9));
    let stream = post(&mut error.host);
    assert_eq!(status(&error.host, stream).as_deref(), Some("503"));
    assert_eq!(error.host.reloads().success, 0);
}

#[test]
fn allows_what_the_capabilities_have_and_nothing_else() {
    let guest = Guest {
        imports: r#"
            (import "env" "proxy_get_log_level" (func $level (param i32) (result i32)))
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))"#,
        on_configure: "
            (call $check (call $level (i32.const 8)) (i32.const 10))
            (call $check (call $random (i32.const 8) (i32.const 8)) (i32.const 76))
            (call $check (call $yield) (i32.const 76))",
        more: r#"(func (export "proxy_on_vm_start") (param i32 i32) (result i32) unreachable)"#,
        ..Guest::default()
    };
    let builder = guest.builder().capability("proxy_on_configure");
    let mut host = builder.start().unwrap();
    let expected = [
        "Attempted call to restricted proxy-wasm capability: proxy_get_log_level",
        "Attempted call to restricted WASI capability: random_get",
        "Attempted call to restricted WASI capability: sched_yield",
    ];
    assert_eq!(texts(&mut host), expected);
    assert!(
        host.logs().iter().all(|line| line.prefix.is_none()),
        "they are Envoy's lines"
    );
}

#[test]
fn refuses_a_module_that_an_older_envoy_would_not_load() {
    let guest = Guest {
        imports: r#"(import "wasi_snapshot_preview1" "fd_tell" (func (param i32 i32) (result i32)))"#,
        ..Guest::default()
    };
    let start = |version| guest.builder().envoy_version(version).start();
    assert!(start(EnvoyVersion::V1_40).is_ok());
    let error = start(EnvoyVersion::V1_36).unwrap_err();
    let import = "wasi_snapshot_preview1.fd_tell".to_owned();
    assert_eq!(error.reason, StartFailure::Import(import));
}

#[test]
fn answers_413_when_a_request_is_buffered_beyond_the_limit() {
    let mut host = builder(BUFFERS).buffer_limit(3).start().unwrap();
    let fitting = post(&mut host);
    assert_eq!(
        host.request_body(fitting, b"abc", EndOfStream::No),
        Action::Pause
    );
    assert_eq!(
        host.request_body(fitting, b"", EndOfStream::Yes),
        Action::Continue
    );
    let at_once = post(&mut host);
    assert_eq!(
        host.request_body(at_once, b"abcd", EndOfStream::No),
        Action::LocalReply
    );
    let in_parts = post(&mut host);
    let _ = host.request_body(in_parts, b"ab", EndOfStream::No);
    assert_eq!(
        host.request_body(in_parts, b"cd", EndOfStream::Yes),
        Action::LocalReply,
        "whatever the filter answers"
    );
    for stream in [at_once, in_parts] {
        assert_eq!(status(&host, stream).as_deref(), Some("413"));
        let reply = host.stream(stream).unwrap().local_reply().unwrap();
        assert_eq!(
            (&reply.body[..], &*reply.details),
            (&b"Payload Too Large"[..], "request_payload_too_large")
        );
    }
    assert_eq!(texts(&mut host), ["3", "3", "4", "17", "2", "4", "17"]);
    assert_eq!(situations(&host), [Situation::BufferLimit; 2]);
}

#[test]
fn resets_a_response_that_is_buffered_beyond_the_limit_or_answers_500_while_its_headers_wait() {
    let mut host = builder(BUFFERS).buffer_limit(3).start().unwrap();
    let stream = post(&mut host);
    let _ = host.response_headers(stream, [(":status", "200")], EndOfStream::No);
    assert_eq!(
        host.response_body(stream, b"abcd", EndOfStream::No),
        Action::Reset
    );
    assert_eq!(
        host.stream(stream).unwrap().code_details().as_deref(),
        Some("response_payload_too_large")
    );
    let held = BUFFERS.to_owned()
        + r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 1))"#;
    let builder = builder(&held).allow_on_headers_stop_iteration(true);
    let mut host = builder.buffer_limit(3).start().unwrap();
    let stream = post(&mut host);
    let _ = host.response_headers(stream, [(":status", "200")], EndOfStream::No);
    assert_eq!(
        host.response_body(stream, b"abcd", EndOfStream::No),
        Action::LocalReply
    );
    assert_eq!(status(&host, stream).as_deref(), Some("500"));
}

#[test]
fn stops_reading_below_a_watermark_beyond_the_limit() {
    let more = r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
        (call $log (local.get 1)) (i32.const 2))"#;
    let mut host = builder(more).buffer_limit(3).start().unwrap();
    let stream = post(&mut host);
    for part in ["ab", "cd", "ef"] {
        let _ = host.request_body(stream, part.as_bytes(), EndOfStream::No);
    }
    assert_eq!(texts(&mut host), ["2", "2"], "the third is not read");
    assert_eq!(situations(&host), [Situation::Stalled]);
}

#[test]
fn holds_back_headers_alone_where_the_plugin_allows_it() {
    let more = BUFFERS.to_owned()
        + r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))"#;
    let start = |allow| {
        builder(&more)
            .allow_on_headers_stop_iteration(allow)
            .start()
            .unwrap()
    };
    let mut host = start(true);
    let stream = post(&mut host);
    assert_eq!(
        host.request_body(stream, b"ab", EndOfStream::No),
        Action::Pause
    );
    assert!(!host.stream(stream).unwrap().request().has_passed_headers());
    assert_eq!(
        host.request_body(stream, b"cd", EndOfStream::Yes),
        Action::Continue
    );
    let request = host.stream(stream).unwrap().request();
    assert_eq!(
        (request.body(), request.is_complete()),
        (&b"abcd"[..], true)
    );
    assert_eq!(texts(&mut host), ["2", "4"]);
    let mut host = start(false);
    let stream = post(&mut host);
    assert_eq!(
        host.request_body(stream, b"ab", EndOfStream::Yes),
        Action::Pause
    );
    assert!(texts(&mut host).is_empty(), "no body callback without it");
}

#[test]
fn gives_the_end_of_a_body_apart_as_the_codec_of_http_1_does() {
    let mut host = builder(BUFFERS)
        .end_of_body(EndOfBody::Apart)
        .start()
        .unwrap();
    let stream = post(&mut host);
    assert_eq!(
        host.request_body(stream, b"abc", EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(
        texts(&mut host),
        ["3", "3"],
        "the second callback is about the end"
    );
}

#[test]
fn knows_the_plugin_in_each_line_of_its_log() {
    let more =
        r#"(func (export "proxy_on_context_create") (param i32 i32) (call $log (i32.const 1)))"#;
    let mut host = builder(more).start().unwrap();
    post(&mut host);
    let lines: Vec<_> = host.logs().iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["wasm log root vm: 1", "wasm log name root vm: 1"]);
}

#[test]
fn has_the_old_properties_of_1_32_and_not_yet_its_foreign_function() {
    let guest = Guest {
        imports: r#"
            (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
            (import "env" "proxy_call_foreign_function" (func $foreign (param i32 i32 i32 i32 i32 i32) (result i32)))"#,
        data: &[(256, "node\\00id"), (300, "clear_route_cache")],
        on_configure: "
            (call $log (call $property (i32.const 256) (i32.const 7) (i32.const 8) (i32.const 12)))
            (call $log (call $foreign (i32.const 300) (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
        ..Guest::default()
    };
    let statuses = |version| {
        let builder = guest.builder().property("xds.node.id", "n");
        texts(&mut builder.envoy_version(version).start().unwrap())
    };
    assert_eq!(statuses(EnvoyVersion::V1_32), ["0", "1"]);
    assert_eq!(statuses(EnvoyVersion::V1_33), ["1", "0"]);
}
