use std::time::Duration;

use crate::chain::{ChainStreamId, FilterChain};
use crate::host::Host;
use crate::logs::LogLine;
use crate::stream::{Action, EndOfStream, Ending, StreamProperties};
use crate::testing::Guest;

const IMPORTS: &str = r#"
    (import "env" "proxy_send_local_response"
        (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
    (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
    (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
    (import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))"#;

/// A filter that logs the number of each callback, and the context.
const LOGGING: &str = r#"
    (func (export "proxy_on_context_create") (param i32 i32) (call $log (i32.add (i32.const 100) (local.get 0))))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (call $log (i32.add (i32.const 200) (local.get 0))) (i32.const 0))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
        (call $log (i32.add (i32.const 300) (local.get 0))) (i32.const 0))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
        (call $log (i32.add (i32.const 400) (local.get 0))) (i32.const 0))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
        (call $log (i32.add (i32.const 500) (local.get 0))) (i32.const 0))
    (func (export "proxy_on_log") (param i32) (call $log (i32.add (i32.const 600) (local.get 0))))
    (func (export "proxy_on_done") (param i32) (result i32)
        (call $log (i32.add (i32.const 700) (local.get 0))) (i32.const 1))
    (func (export "proxy_on_delete") (param i32) (call $log (i32.add (i32.const 800) (local.get 0))))"#;

const REPLY: &str =
    "(drop (call $reply (i32.const 403) (i32.const 256) (i32.const 2) (i32.const 256) (i32.const 2)
    (i32.const 0) (i32.const 0) (i32.const -1)))";

fn guest(more: &str) -> crate::module::Module {
    let data = &[(256, "no"), (260, ":path")];
    Guest {
        imports: IMPORTS,
        data,
        more,
        ..Guest::default()
    }
    .module()
}

/// A chain of guests that each do this in a callback, in a VM of its own.
fn chain(filters: &[&str]) -> FilterChain {
    let mut builder = FilterChain::builder();
    for (place, more) in filters.iter().enumerate() {
        builder = builder.plugin(Host::builder(&guest(more)).vm_id(place.to_string()));
    }
    builder.start().unwrap()
}

fn logging(request_headers: &str) -> String {
    LOGGING.replacen(
        "(call $log (i32.add (i32.const 200) (local.get 0))) (i32.const 0)",
        request_headers,
        1,
    )
}

/// Returns the lines of all VMs in their order, each with the VM in front.
fn lines(chain: &mut FilterChain) -> Vec<String> {
    let line = |line: LogLine| format!("{}:{}", line.prefix.unwrap_or_default(), line.text);
    chain.take_logs().into_iter().map(line).collect()
}

fn get(chain: &mut FilterChain) -> (ChainStreamId, Action) {
    let stream = chain.open_stream(&StreamProperties::new());
    let headers = [
        (":method", "GET"),
        (":path", "/"),
        ("x-forwarded-proto", "http"),
    ];
    let action = chain.request_headers(stream, headers, EndOfStream::Yes);
    (stream, action)
}

#[test]
fn goes_through_the_filters_in_order_and_back_in_reverse() {
    // One VM for both, so that one log has the order.
    let module = guest(LOGGING);
    let plugin = |name| Host::builder(&module).plugin_name(name).root_id(name);
    let mut chain = FilterChain::builder()
        .plugin(plugin("a"))
        .plugin(plugin("b"))
        .start()
        .unwrap();
    assert_eq!(
        chain.vms().len(),
        1,
        "one vm_id, one configuration, one module"
    );
    let stream = chain.open_stream(&StreamProperties::new());
    let _ = chain.request_headers(stream, [(":method", "POST")], EndOfStream::No);
    let _ = chain.request_body(stream, b"x", EndOfStream::Yes);
    let _ = chain.response_headers(stream, [(":status", "200")], EndOfStream::No);
    let _ = chain.response_body(stream, b"y", EndOfStream::Yes);
    let (request, response) = (
        chain.take_request(stream).unwrap(),
        chain.take_response(stream).unwrap(),
    );
    assert_eq!((&request.body[..], request.is_complete), (&b"x"[..], true));
    assert_eq!(
        (&response.body[..], response.is_complete),
        (&b"y"[..], true)
    );
    let ended = chain.end(stream, Ending::Complete).unwrap();
    assert_eq!(ended.details.as_deref(), Some("via_upstream"));
    assert_eq!(chain.end(stream, Ending::Complete), None);
    let logged = chain.take_logs();
    let logged: Vec<_> = logged.iter().map(ToString::to_string).collect();
    let expected = [
        "wasm log a: 101",
        "wasm log b: 102",
        "wasm log a a: 103",
        "wasm log a a: 203",
        "wasm log b b: 104",
        "wasm log b b: 204",
        "wasm log a a: 303",
        "wasm log b b: 304",
        "wasm log b b: 404",
        "wasm log a a: 403",
        "wasm log b b: 504",
        "wasm log a a: 503",
        "wasm log a a: 603",
        "wasm log b b: 604",
        "wasm log a a: 703",
        "wasm log a a: 803",
        "wasm log b b: 704",
        "wasm log b b: 804",
    ];
    assert_eq!(logged, expected);
}

#[test]
fn shows_a_local_reply_to_the_filters_in_front_and_to_none_behind() {
    let replying = logging(&format!("{REPLY} (i32.const 1)"));
    let mut chain = chain(&[LOGGING, &replying, LOGGING]);
    let (stream, action) = get(&mut chain);
    assert_eq!(action, Action::LocalReply);
    assert_eq!(chain.take_request(stream).unwrap().headers, None);
    let response = chain.take_response(stream).unwrap();
    assert_eq!(
        response.headers.unwrap().text(":status").as_deref(),
        Some("403")
    );
    assert_eq!(
        (&response.body[..], response.is_complete),
        (&b"no"[..], true)
    );
    assert_eq!(chain.sent_local_reply(stream).unwrap().details, "no");
    chain.end(stream, Ending::Complete).unwrap();
    let expected = [
        "0:101", "1:101", "2:101", "0:102", "0:202", "1:102", "1:402", "0:402", "1:502", "0:502",
        "0:602", "1:602", "2:102", "2:602", "0:702", "0:802", "1:702", "1:802", "2:702", "2:802",
    ];
    assert_eq!(lines(&mut chain), expected);
}

#[test]
fn shows_the_answer_to_too_large_a_body_to_all_filters_that_have_seen_the_request() {
    let buffering = logging("(i32.const 0)").replacen(
        "(call $log (i32.add (i32.const 300) (local.get 0))) (i32.const 0)",
        "(call $log (local.get 1)) (i32.const 1)",
        1,
    );
    let mut builder = FilterChain::builder();
    for (place, more) in [LOGGING, &buffering, LOGGING].into_iter().enumerate() {
        let plugin = Host::builder(&guest(more)).vm_id(place.to_string());
        builder = builder.plugin(plugin.buffer_limit(3));
    }
    let mut chain = builder.start().unwrap();
    let stream = chain.open_stream(&StreamProperties::new());
    let _ = chain.request_headers(stream, [(":method", "POST")], EndOfStream::No);
    lines(&mut chain);
    assert_eq!(
        chain.request_body(stream, b"abcd", EndOfStream::Yes),
        Action::LocalReply
    );
    let expected = [
        "0:302", "1:4", "2:402", "1:402", "0:402", "2:502", "1:502", "0:502",
    ];
    assert_eq!(lines(&mut chain), expected);
    let response = chain.take_response(stream).unwrap();
    assert_eq!(&response.body[..], b"Payload Too Large");
}

#[test]
fn answers_what_the_filters_together_leave_without_a_path() {
    let remove = "(drop (call $remove (i32.const 0) (i32.const 260) (i32.const 5))) (i32.const 0)";
    let restore = "(drop (call $add (i32.const 0) (i32.const 260) (i32.const 5) (i32.const 256) (i32.const 2))) (i32.const 0)";
    let mut lacking = chain(&[&logging(remove), LOGGING]);
    let (stream, action) = get(&mut lacking);
    assert_eq!(action, Action::LocalReply);
    let response = lacking.take_response(stream).unwrap();
    assert_eq!(
        response.headers.unwrap().text(":status").as_deref(),
        Some("404")
    );
    let ended = lacking.end(stream, Ending::Complete).unwrap();
    assert_eq!(
        (ended.details.as_deref(), ended.flags),
        (Some("route_not_found"), 0x100)
    );
    let mut restored = chain(&[&logging(remove), &logging(restore)]);
    assert_eq!(get(&mut restored).1, Action::Continue);
}

#[test]
fn holds_what_follows_until_a_paused_filter_resumes() {
    let pausing = logging("(i32.const 1)")
        + r#"(func (export "proxy_on_tick") (param i32) (call $log (i32.const 900))
            (drop (call $effective (i32.const 2))) (drop (call $continue (i32.const 0))))
        (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
            (drop (call $period (i32.const 100))) (i32.const 1))"#;
    let mut chain = chain(&[&pausing, LOGGING]);
    let stream = chain.open_stream(&StreamProperties::new());
    let _ = chain.request_headers(stream, [(":method", "POST")], EndOfStream::No);
    let _ = chain.request_body(stream, b"a", EndOfStream::No);
    assert_eq!(
        chain.request_body(stream, b"b", EndOfStream::Yes),
        Action::Pause
    );
    lines(&mut chain);
    chain.advance(std::time::Duration::from_millis(100));
    assert_eq!(
        lines(&mut chain),
        ["0:900", "1:102", "1:202", "0:302", "1:302"]
    );
    let request = chain.take_request(stream).unwrap();
    assert_eq!((&request.body[..], request.is_complete), (&b"ab"[..], true));
    assert_eq!(chain.request_action(stream), Action::Continue);
}

#[test]
fn shares_filter_state_between_its_filters() {
    let set = "(call $check (call $set_property (i32.const 256) (i32.const 2) (i32.const 256) (i32.const 1)) (i32.const 0)) (i32.const 0)";
    let read = "(call $check (call $property (i32.const 256) (i32.const 2) (i32.const 8) (i32.const 12)) (i32.const 0))
        (call $text (i32.load (i32.const 8)) (i32.load (i32.const 12))) (i32.const 0)";
    let mut chain = chain(&[&logging(set), &logging(read)]);
    let _ = get(&mut chain);
    assert!(lines(&mut chain).contains(&"1:n".to_owned()));
}

#[test]
fn starts_canary_main_thread_and_workers_in_envoys_order() {
    let module = guest(LOGGING);
    let plugin = |vm: &str| Host::builder(&module).root_id(vm).vm_id(vm);
    let server = FilterChain::builder()
        .plugin(plugin("a"))
        .plugin(plugin("b"))
        .start_server(1)
        .unwrap();
    let lines: Vec<_> = server
        .start_logs()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected =
        ["a a", "a a", "b b", "b b", "a a", "b b"].map(|vm| format!("wasm log {vm}: 101"));
    assert_eq!(lines, expected);
    let one = FilterChain::builder()
        .plugin(plugin("a"))
        .plugin(plugin("a"))
        .start_server(1)
        .unwrap();
    let lines: Vec<_> = one
        .start_logs()
        .iter()
        .map(|line| line.text.clone())
        .collect();
    assert_eq!(
        lines,
        ["101", "101", "101", "102", "101", "102"],
        "the canary of the second has a VM of its own"
    );
}

#[test]
fn fails_with_the_plugin_that_does_not_start() {
    let good = guest(LOGGING);
    let bad =
        guest(r#"(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 0))"#);
    let builder = FilterChain::builder()
        .plugin(Host::builder(&good))
        .plugin(Host::builder(&bad));
    assert_eq!(builder.start().unwrap_err().filter, 1);
}

#[test]
fn tells_how_much_of_a_body_it_holds() {
    // The first holds back the headers, and the second the body: StopIterationAndWatermark.
    for (more, held) in [
        (
            r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))"#,
            3,
        ),
        (
            r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (i32.const 2))"#,
            3,
        ),
        ("", 0),
    ] {
        let mut chain = chain(&["", more]);
        let stream = chain.open_stream(&StreamProperties::new());
        let _ = chain.request_headers(stream, [(":method", "POST")], EndOfStream::No);
        let _ = chain.request_body(stream, b"abc", EndOfStream::No);
        assert_eq!(chain.held_request_bytes(stream), held, "{more}");
        assert_eq!(chain.held_response_bytes(stream), 0);
        let passed = chain.passed_request(stream).unwrap();
        assert_eq!(passed.body.len(), 3 - held, "{more}");
        assert!(chain.has_stream(stream));
        assert_eq!(chain.passed_response(stream).unwrap().headers, None);
        let _ = chain.end(stream, Ending::ClientAbort);
        assert_eq!(chain.held_request_bytes(stream), 0);
        assert!(!chain.has_stream(stream));
    }
}

#[test]
fn begins_the_second_of_two_replies_of_one_tick_within_the_first() {
    // Contexts 2 and 3 are the two streams.
    let tick = format!(
        r#"(func (export "proxy_on_tick") (param i32)
            (drop (call $effective (i32.const 3))) {REPLY}
            (drop (call $effective (i32.const 2))) {REPLY})"#
    );
    let more = logging("(i32.const 1)") + &tick;
    let guest = Guest {
        imports: IMPORTS,
        data: &[(256, "no")],
        on_configure: "(drop (call $period (i32.const 10)))",
        more: &more,
        ..Guest::default()
    };
    let plugin = Host::builder(&guest.module());
    let mut chain = FilterChain::builder().plugin(plugin).start().unwrap();
    let streams = [0, 1].map(|_| get(&mut chain));
    assert!(streams.iter().all(|(_, action)| *action == Action::Pause));
    chain.take_logs();
    chain.advance(Duration::from_millis(10));
    let texts: Vec<_> = chain
        .take_logs()
        .into_iter()
        .map(|line| line.text)
        .collect();
    assert_eq!(texts, ["403", "402", "502", "503"]);
    for (stream, _) in streams {
        assert!(chain.take_response(stream).unwrap().is_complete);
    }
}

#[test]
fn passes_headers_twice_that_are_resumed_and_continued() {
    let twice = "(drop (call $continue (i32.const 0))) (i32.const 0)";
    let mut chain = chain(&[&logging(twice), LOGGING]);
    let (stream, action) = get(&mut chain);
    assert_eq!(action, Action::Continue);
    let sent = chain.take_request(stream).unwrap();
    assert_eq!((sent.copies, sent.is_complete), (2, true));
    let seen = lines(&mut chain);
    let of_second = seen.iter().filter(|line| line.ends_with(":202"));
    assert_eq!(of_second.count(), 2, "{seen:?}");
}

#[test]
fn keeps_the_status_of_the_upstream_until_the_headers_have_left() {
    let shown = r#"
        (func $code (drop (call $property (i32.const 270) (i32.const 13) (i32.const 8) (i32.const 12)))
            (call $log (i32.load (i32.load (i32.const 8)))))
        (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
            (drop (call $remove (i32.const 2) (i32.const 290) (i32.const 7)))
            (drop (call $add (i32.const 2) (i32.const 290) (i32.const 7) (i32.const 300) (i32.const 3)))
            (call $code) (i32.const 0))
        (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (call $code) (i32.const 0))"#;
    let data = &[(270, "response\\00code"), (290, ":status"), (300, "404")];
    let module = Guest {
        imports: IMPORTS,
        data,
        more: shown,
        ..Guest::default()
    };
    let plugin = Host::builder(&module.module());
    let mut chain = FilterChain::builder().plugin(plugin).start().unwrap();
    let (stream, _) = get(&mut chain);
    let _ = chain.response_headers(stream, [(":status", "200")], EndOfStream::No);
    let _ = chain.response_body(stream, b"x", EndOfStream::Yes);
    let texts: Vec<_> = chain
        .take_logs()
        .into_iter()
        .map(|line| line.text)
        .collect();
    assert_eq!(texts, ["200", "404"]);
}

#[test]
fn keeps_what_a_canary_has_shared() {
    let imports = r#"
        (import "env" "proxy_get_shared_data" (func $get (param i32 i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32)))"#;
    let guest = Guest {
        imports,
        data: &[(256, "key")],
        on_configure: "
            (call $log (call $get (i32.const 256) (i32.const 3) (i32.const 8) (i32.const 12) (i32.const 16)))
            (drop (call $set (i32.const 256) (i32.const 3) (i32.const 256) (i32.const 3) (i32.const 0)))",
        ..Guest::default()
    };
    let shared = crate::shared::Shared::new();
    let builder = FilterChain::builder().plugin(guest.builder());
    let server = builder.shared(&shared).start_server(1).unwrap();
    let texts = server.start_logs().iter().map(|line| line.text.as_str());
    assert_eq!(
        texts.collect::<Vec<_>>(),
        ["1", "0", "0"],
        "NOT_FOUND, then OK"
    );
    let of_worker: Vec<_> = server.start_logs_of_workers().iter().collect();
    assert_eq!((of_worker.len(), server.start_logs_of_main().len()), (1, 2));
    assert!(shared.data("vm", "key").is_some());
    drop(server);
    assert_eq!(shared.data("vm", "key"), None);
}
