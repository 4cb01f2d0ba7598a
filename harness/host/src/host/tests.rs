use std::time::Duration;

use crate::headers::Headers;
use crate::host::{Host, Shutdown, StartFailure};
use crate::module::{Fuel, Module};
use crate::settings::FailurePolicy;
use crate::shared::Shared;
use crate::stream::{Action, EndOfStream, Ending, LocalReply, Origin, StreamProperties};
use crate::testing::{Guest, start, texts};

/// A guest that exports every callback of a stream, and pauses nowhere.
const EVERYTHING: &str = r#"
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_done") (param i32) (result i32) (i32.const 1))
    (func (export "proxy_on_log") (param i32))
    (func (export "proxy_on_delete") (param i32))"#;

/// Returns the callbacks since the start, each with its context.
fn callbacks(host: &Host) -> Vec<String> {
    let lines = host.transcript().lines().iter();
    lines
        .filter_map(|line| line.strip_prefix("--> proxy_on_"))
        .map(|line| line.replace("context=", ""))
        .collect()
}

fn everything() -> Host {
    start(&Guest {
        more: EVERYTHING,
        ..Guest::default()
    })
}

#[test]
fn starts_in_envoys_order() {
    let host = start(&Guest {
        more: &format!(
            r#"{EVERYTHING}
            (func (export "_initialize"))
            (func (export "main") (param i32 i32) (result i32) (i32.const 0))
            (func (export "_start") unreachable)"#
        ),
        ..Guest::default()
    });
    let lines: Vec<_> = host
        .transcript()
        .lines()
        .iter()
        .filter(|line| line.starts_with("-->"))
        .collect();
    let expected = [
        "--> _initialize(context=0)",
        "--> main(context=0)",
        "--> proxy_on_context_create(context=1)",
        "--> proxy_on_vm_start(context=1)",
        "--> proxy_on_configure(context=1)",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn drives_a_stream_through_every_callback_in_envoys_order() {
    let mut host = everything();
    host.clear_transcript();
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [(":method", "POST")], EndOfStream::No),
        Action::Continue
    );
    assert_eq!(
        host.request_body(stream, b"x", EndOfStream::No),
        Action::Continue
    );
    assert_eq!(
        host.request_trailers(stream, [("t", "1")]),
        Action::Continue
    );
    assert_eq!(
        host.response_headers(stream, [(":status", "200")], EndOfStream::No),
        Action::Continue
    );
    assert_eq!(
        host.response_body(stream, b"y", EndOfStream::No),
        Action::Continue
    );
    assert_eq!(
        host.response_trailers(stream, [("t", "2")]),
        Action::Continue
    );
    let ended = host.end(stream, Ending::Complete).unwrap();
    let expected = [
        "context_create(2)",
        "request_headers(2)",
        "request_body(2)",
        "request_trailers(2)",
        "response_headers(2)",
        "response_body(2)",
        "response_trailers(2)",
        "log(2)",
        "done(2)",
        "delete(2)",
    ];
    assert_eq!(callbacks(&host), expected);
    assert!(ended.request().is_complete() && ended.response().is_complete());
    assert_eq!(
        (ended.request().body(), ended.response().body()),
        (&b"x"[..], &b"y"[..])
    );
    assert!(
        host.end(stream, Ending::Complete).is_none(),
        "a stream ends once"
    );
    assert_eq!(
        host.request_body(stream, b"", EndOfStream::Yes),
        Action::Reset
    );
}

#[test]
fn logs_a_stream_that_never_had_headers() {
    let mut host = everything();
    host.clear_transcript();
    let stream = host.open_stream(StreamProperties::new());
    host.end(stream, Ending::ClientAbort);
    assert_eq!(
        callbacks(&host),
        ["context_create(2)", "log(2)", "done(2)", "delete(2)"]
    );
}

#[test]
fn shows_a_reply_of_the_proxy_to_the_filter() {
    let mut host = everything();
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
        Action::Continue
    );
    host.clear_transcript();
    let reply = LocalReply::new(503, "upstream reset").body("no upstream");
    assert_eq!(host.local_reply(stream, reply), Action::LocalReply);
    let ended = host.end(stream, Ending::ConnectFailure).unwrap();
    assert_eq!(
        callbacks(&host),
        [
            "response_headers(2)",
            "response_body(2)",
            "log(2)",
            "done(2)",
            "delete(2)"
        ]
    );
    assert_eq!(
        ended
            .response()
            .headers()
            .unwrap()
            .text(":status")
            .as_deref(),
        Some("503")
    );
    assert_eq!(ended.local_reply().unwrap().details, "upstream_reset");
}

#[test]
fn can_end_after_each_callback() {
    for steps in 0..=4 {
        let mut host = everything();
        host.clear_transcript();
        let stream = host.open_stream(StreamProperties::new());
        if steps > 0 {
            let _ = host.request_headers(stream, [(":method", "POST")], EndOfStream::No);
        }
        if steps > 1 {
            let _ = host.request_body(stream, b"x", EndOfStream::No);
        }
        if steps > 2 {
            let _ = host.response_headers(stream, [(":status", "200")], EndOfStream::No);
        }
        if steps > 3 {
            let _ = host.response_body(stream, b"y", EndOfStream::No);
        }
        host.end(stream, Ending::ClientAbort);
        let callbacks = callbacks(&host);
        assert_eq!(
            callbacks[callbacks.len() - 3..],
            ["log(2)", "done(2)", "delete(2)"],
            "{steps}"
        );
        assert_eq!(
            host.transcript().callback_count("proxy_on_context_create"),
            1,
            "{steps}"
        );
    }
}

#[test]
fn answers_503_once_the_vm_has_failed_closed() {
    let more = r#"(func $deep unreachable)
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $deep) (i32.const 0))
        (func (export "proxy_on_log") (param i32) (call $log (i32.const 9)))"#;
    let mut host = start(&Guest {
        more,
        ..Guest::default()
    });
    for _ in 0..2 {
        let stream = host.open_stream(StreamProperties::new());
        assert_eq!(
            host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes),
            Action::LocalReply
        );
        let ended = host.end(stream, Ending::Complete).unwrap();
        assert_eq!(
            ended.response().headers(),
            Some(&Headers::from([(":status", "503")]))
        );
        let reply = ended.local_reply().unwrap();
        assert_eq!(
            (reply.origin, reply.details.as_str()),
            (Origin::FailedVm, "wasm_fail_stream")
        );
    }
    let trap = host.trap().unwrap();
    assert_eq!(trap.callback, "proxy_on_request_headers");
    assert_eq!(trap.backtrace[0], "deep");
    let logs = texts(&mut host);
    assert_eq!(logs.len(), 1, "nothing is logged for a stream without a VM");
    assert!(
        logs[0].starts_with("Function: proxy_on_request_headers failed: wasm trap: "),
        "{}",
        logs[0]
    );
    assert!(
        logs[0].contains("Proxy-Wasm plugin in-VM backtrace:\n  0: deep"),
        "{}",
        logs[0]
    );
}

#[test]
fn passes_streams_by_once_the_vm_has_failed_open() {
    let more = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable)"#;
    let guest = Guest {
        more,
        ..Guest::default()
    };
    let mut host = guest
        .builder()
        .failure_policy(FailurePolicy::FailOpen)
        .start()
        .unwrap();
    let first = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(first, [("a", "b")], EndOfStream::Yes),
        Action::LocalReply,
        "it does not save this one"
    );
    let second = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(second, [("a", "b")], EndOfStream::No),
        Action::Continue
    );
    assert_eq!(
        host.request_body(second, b"x", EndOfStream::Yes),
        Action::Continue
    );
    assert_eq!(
        host.response_headers(second, [(":status", "200")], EndOfStream::Yes),
        Action::Continue
    );
    let ended = host.end(second, Ending::Complete).unwrap();
    assert!(ended.request().is_complete() && ended.response().is_complete());
    assert_eq!(ended.request().body(), b"x");
}

#[test]
fn resets_a_stream_whose_vm_fails_after_the_response_has_begun() {
    let more =
        r#"(func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) unreachable)"#;
    let mut host = start(&Guest {
        more,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    let _ = host.request_headers(stream, [(":method", "GET")], EndOfStream::Yes);
    let _ = host.response_headers(stream, [(":status", "200")], EndOfStream::No);
    assert_eq!(
        host.response_body(stream, b"x", EndOfStream::Yes),
        Action::Reset
    );
}

#[test]
fn keeps_logs_and_metrics_of_a_start_that_failed() {
    let more = r#"(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $log (i32.const 8)) (i32.const 0))"#;
    let mut error = Guest {
        more,
        ..Guest::default()
    }
    .builder()
    .start()
    .unwrap_err();
    assert_eq!(error.reason, StartFailure::VmStart);
    assert_eq!(texts(&mut error.host), ["8"]);
    let stream = error.host.open_stream(StreamProperties::new());
    assert_eq!(
        error
            .host
            .request_headers(stream, [("a", "b")], EndOfStream::Yes),
        Action::LocalReply
    );
}

#[test]
fn takes_host_calls_while_the_module_is_instantiated() {
    let more = r#"(func $begin (call $log (i32.const 6))) (start $begin)"#;
    assert_eq!(
        texts(&mut start(&Guest {
            more,
            ..Guest::default()
        })),
        ["6"]
    );
    let trap = r#"(func $begin unreachable) (start $begin)"#;
    let error = Guest {
        more: trap,
        ..Guest::default()
    }
    .builder()
    .start()
    .unwrap_err();
    assert!(matches!(error.reason, StartFailure::Trap(trap) if trap.callback == "instantiation"));
}

/// A guest that refuses a configuration that begins with "b".
const CHOOSY: &str = r#"
    (import "env" "proxy_get_buffer_bytes" (func $bytes (param i32 i32 i32 i32 i32) (result i32)))"#;

#[test]
fn replaces_a_configuration_and_ends_the_old_one_with_its_last_stream() {
    let mut host = everything();
    let old = host.open_stream(StreamProperties::new());
    let _ = host.request_headers(old, [("a", "b")], EndOfStream::Yes);
    host.clear_transcript();
    host.reconfigure("other").unwrap();
    let new = host.open_stream(StreamProperties::new());
    let _ = host.request_headers(new, [("a", "b")], EndOfStream::Yes);
    host.end(new, Ending::Complete);
    host.end(old, Ending::Complete);
    let expected = [
        "context_create(3)",
        "vm_start(3)",
        "configure(3)",
        "context_create(4)",
        "request_headers(4)",
        "log(4)",
        "done(4)",
        "delete(4)",
        "log(2)",
        "done(2)",
        "delete(2)",
        "done(1)",
        "delete(1)",
    ];
    assert_eq!(callbacks(&host), expected);
    assert_eq!(host.shutdown(), Shutdown::Done);
}

#[test]
fn goes_on_with_the_old_configuration_when_the_new_one_is_refused() {
    let more = r#"(func (export "proxy_on_vm_start") (param i32 i32) (result i32)
        (call $check (call $bytes (i32.const 6) (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 12)) (i32.const 0))
        (i32.const 1))"#;
    let refuse = r#"
        (drop (call $bytes (i32.const 7) (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 12)))
        (if (i32.eq (i32.load8_u (i32.load (i32.const 8))) (i32.const 98)) (then (return (i32.const 0))))"#;
    let guest = Guest {
        imports: CHOOSY,
        on_configure: refuse,
        more,
        ..Guest::default()
    };
    let mut host = start(&guest);
    host.clear_transcript();
    let error = host.reconfigure("bad").unwrap_err();
    assert_eq!(error.reason, StartFailure::Configure);
    assert!(callbacks(&host).is_empty(), "the canary is another VM");
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [("a", "b")], EndOfStream::Yes),
        Action::Continue
    );
}

#[test]
fn replaces_a_failed_vm_with_the_next_configuration() {
    let more = r#"(global $count (mut i32) (i32.const 0))
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) unreachable)"#;
    let mut host = start(&Guest {
        more,
        ..Guest::default()
    });
    let open = |host: &mut Host| {
        let stream = host.open_stream(StreamProperties::new());
        assert_eq!(
            host.request_headers(stream, [("a", "b")], EndOfStream::No),
            Action::Continue
        );
        stream
    };
    let (caught, waiting) = (open(&mut host), open(&mut host));
    assert_eq!(
        host.request_body(caught, b"x", EndOfStream::Yes),
        Action::LocalReply
    );
    host.reconfigure("other").unwrap();
    assert_eq!(host.trap(), None);
    let fresh = open(&mut host);
    assert!(fresh.context() > waiting.context());
    assert_eq!(
        host.request_body(waiting, b"x", EndOfStream::Yes),
        Action::LocalReply,
        "its VM is gone"
    );
    assert_eq!(
        texts(&mut host).len(),
        1,
        "the log of the trap is still there"
    );
    host.end(waiting, Ending::Complete);
    assert!(!host.end(fresh, Ending::ClientAbort).unwrap().is_reset());
}

#[test]
fn shows_no_response_to_a_filter_that_has_not_seen_the_request() {
    let mut host = everything();
    host.clear_transcript();
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.local_reply(stream, LocalReply::new(400, "bad").body("bad")),
        Action::LocalReply
    );
    assert_eq!(host.stream(stream).unwrap().response().body(), b"bad");
    host.end(stream, Ending::Complete);
    assert_eq!(
        callbacks(&host),
        ["context_create(2)", "log(2)", "done(2)", "delete(2)"]
    );
}

#[test]
fn answers_503_when_the_vm_fails_over_the_filters_own_answer() {
    let mut host = start(&Guest {
        imports: r#"
            (import "env" "proxy_send_local_response"
                (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))"#,
        more: r#"
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (call $reply (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                    (i32.const 0) (i32.const 0) (i32.const -1)))
            (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) unreachable)"#,
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    assert_eq!(
        host.request_headers(stream, [("a", "b")], EndOfStream::Yes),
        Action::LocalReply
    );
    let reply = host.stream(stream).unwrap().local_reply().unwrap();
    assert_eq!((reply.status, reply.origin), (503, Origin::FailedVm));
}

#[test]
fn shares_metrics_between_hosts() {
    let guest = Guest {
        imports: r#"
            (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
            (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))"#,
        data: &[(256, "workers")],
        on_configure: "
            (call $check (call $define (i32.const 1) (i32.const 256) (i32.const 7) (i32.const 8)) (i32.const 0))
            (call $check (call $increment (i32.load (i32.const 8)) (i64.const 1)) (i32.const 0))",
        ..Guest::default()
    };
    let shared = Shared::new();
    let hosts = [0, 1].map(|_| guest.builder().shared(&shared).start().unwrap());
    assert_eq!(hosts.map(|host| host.gauge("workers")), [Some(2); 2]);
}

#[test]
fn runs_hosts_of_one_module_on_several_threads_at_once() {
    let guest = Guest {
        imports: r#"(import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))"#,
        on_configure: "(call $check (call $period (i32.const 1000)) (i32.const 0))",
        more: r#"(func (export "proxy_on_tick") (param i32) (call $log (local.get 0)))"#,
        ..Guest::default()
    };
    let module = guest.module();
    std::thread::scope(|scope| {
        let threads = [1_u64, 2, 3, 4].map(|seconds| {
            // A host runs on another thread than the one that has started it.
            let mut host = Host::builder(&module).start().unwrap();
            scope.spawn(move || {
                host.advance(Duration::from_secs(seconds));
                (seconds, host.transcript().callback_count("proxy_on_tick"))
            })
        });
        for thread in threads {
            let (seconds, ticks) = thread.join().unwrap();
            assert_eq!(seconds, ticks);
        }
    });
}

#[test]
fn counts_the_same_instructions_for_the_same_inputs() {
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 0))
            (func (export "proxy_on_tick") (param i32)))"#,
    );
    let wasm = wasm.unwrap();
    let fuel = |fuel| {
        Host::builder(&Module::builder().fuel(fuel).compile(&wasm).unwrap())
            .start()
            .unwrap()
            .fuel_used()
    };
    assert_eq!(fuel(Fuel::Unmetered), None);
    assert_eq!(fuel(Fuel::Metered), fuel(Fuel::Metered));
    assert!(fuel(Fuel::Metered).is_some());
}

#[test]
fn refuses_memory_above_one_gibibyte() {
    let more = r#"(func (export "proxy_on_tick") (param i32))"#;
    let body = "(call $check (memory.grow (i32.const 16383)) (i32.const -1))
                (call $check (memory.grow (i32.const 16382)) (i32.const 2))";
    let mut host = start(&Guest {
        on_configure: body,
        more,
        ..Guest::default()
    });
    assert_eq!(host.trap(), None);
    host.advance(Duration::from_secs(1));
}

#[test]
fn traps_in_the_allocator_end_the_vm() {
    let wasm = wat::parse_str(
        r#"(module
            (import "env" "proxy_get_buffer_bytes" (func $bytes (param i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) unreachable)
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
                (call $bytes (i32.const 7) (i32.const 0) (i32.const 9) (i32.const 8) (i32.const 12))))"#,
    );
    let module = Module::compile(&wasm.unwrap()).unwrap();
    let error = Host::builder(&module)
        .plugin_configuration("x")
        .start()
        .unwrap_err();
    assert!(
        matches!(error.reason, StartFailure::Trap(trap) if trap.callback == "proxy_on_configure")
    );
}

#[test]
fn can_be_sent_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Host>();
    is_send::<Module>();
}

#[test]
fn a_guest_that_does_not_return_is_stopped() {
    let stuck = "(loop $for_ever (br $for_ever))";
    let limit = Duration::from_millis(50);
    let message = "the guest did not return within 50ms and was stopped";
    let more = format!(
        r#"(func $stuck {stuck}) (func (export "proxy_on_log") (param i32) (call $stuck))"#
    );
    let guest = Guest {
        more: &more,
        ..Guest::default()
    };
    let mut host = guest.builder().callback_limit(limit).start().unwrap();
    let stream = host.open_stream(StreamProperties::new());
    host.end(stream, Ending::Complete);
    let trap = host.trap().unwrap();
    assert_eq!(
        (
            trap.callback,
            trap.message.as_str(),
            trap.backtrace[0].as_str()
        ),
        ("proxy_on_log", message, "stuck")
    );
    for (callback, more) in [
        (
            "instantiation",
            format!("(func $begin {stuck}) (start $begin)"),
        ),
        (
            "_initialize",
            format!(r#"(func (export "_initialize") {stuck})"#),
        ),
    ] {
        let guest = Guest {
            more: &more,
            ..Guest::default()
        };
        let error = guest.builder().callback_limit(limit).start().unwrap_err();
        let trap = error.host.trap().unwrap();
        assert_eq!((trap.callback, trap.message.as_str()), (callback, message));
    }
}

mod policies;
