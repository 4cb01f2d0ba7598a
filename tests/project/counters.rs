//! Every counter and gauge of the README, moved in the compiled guest by its documented cause.

mod formats;

use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_host::Headers;
use sidespan_tests::accounts::assert_accounted;
use sidespan_tests::worlds::{Guest, Header};

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";
const OTHER: &str = "11111111111111111111111111111111";

const EXPORTING: &str = r#"{
    "sampling": {"percentage": 100},
    "export": {
        "otlp": {"cluster": "collector", "protocol": "http/protobuf"},
        "batch": {"maxSpans": 2},
        "queue": {"maxSpans": 4},
        "retry": {"initial": "1s", "max": "1s", "attempts": 2}
    }
}"#;

fn bytes(headers: &[(&'static str, &str)]) -> Vec<Header> {
    headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes().to_vec()))
        .collect()
}

/// Returns the counters that one request moves, but for the exporter's.
fn moved(configuration: &str, headers: &[(&'static str, &str)]) -> Vec<String> {
    let mut guest = Guest::start(configuration);
    guest.request(Direction::Inbound, &bytes(headers), 200);
    guest.host.advance(Duration::from_secs(2));
    guest
        .counters()
        .into_keys()
        .filter(|name| {
            !["spans.", "export.", "worker."]
                .iter()
                .any(|other| name.starts_with(other))
        })
        .collect()
}

#[test]
fn contexts_and_refusals_are_counted_one_by_one() {
    let zeros = "0".repeat(32);
    let parent = |version: &str, trace_id: &str, span_id: &str, flags: &str| {
        format!("{version}-{trace_id}-{span_id}-{flags}")
    };
    let traceparents = [
        (parent("00", T, S, "01"), "context.tracecontext.valid", ""),
        (parent("00", T, S, "0"), MALFORMED, "context.refused.length"),
        (
            parent("000", T, S, "01"),
            MALFORMED,
            "context.refused.delimiter",
        ),
        (
            parent("ff", T, S, "01"),
            MALFORMED,
            "context.refused.version",
        ),
        (
            parent("00", &T.to_uppercase(), S, "01"),
            MALFORMED,
            "context.refused.trace_id",
        ),
        (
            parent("00", &zeros, S, "01"),
            MALFORMED,
            "context.refused.trace_id_zero",
        ),
        (
            parent("00", T, &S.to_uppercase(), "01"),
            MALFORMED,
            "context.refused.span_id",
        ),
        (
            parent("00", T, &zeros[..16], "01"),
            MALFORMED,
            "context.refused.span_id_zero",
        ),
        (parent("00", T, S, "0x"), MALFORMED, "context.refused.flags"),
    ];
    for (value, format, refusal) in &traceparents {
        let decided = if refusal.is_empty() {
            "sampled.received"
        } else {
            "sampled.default"
        };
        let expected: Vec<&str> = [*refusal, *format, decided]
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect();
        assert_eq!(
            moved(EXPORTING, &[("traceparent", value)]),
            expected,
            "{value}"
        );
    }
    let valid = parent("00", T, S, "01");
    assert_eq!(
        moved(
            EXPORTING,
            &[("traceparent", &valid), ("traceparent", &valid)]
        ),
        ["context.refused.duplicate", MALFORMED, "sampled.default"]
    );
}

const MALFORMED: &str = "context.tracecontext.malformed";

#[test]
fn b3_is_counted_in_each_of_its_forms() {
    let single = format!("{T}-{S}-1");
    assert_eq!(
        moved(EXPORTING, &[("b3", &single)]),
        ["context.b3.valid", "sampled.received"]
    );
    assert_eq!(
        moved(EXPORTING, &[("b3", "x-y")]),
        [
            "context.b3.malformed",
            "context.refused.trace_id",
            "sampled.default"
        ]
    );
    let ids = [("x-b3-traceid", T), ("x-b3-spanid", S)];
    assert_eq!(
        moved(EXPORTING, &[ids[0], ids[1], ("x-b3-flags", "1")]),
        ["context.b3multi.valid", "sampled.debug"]
    );
    assert_eq!(
        moved(EXPORTING, &[ids[0], ids[1], ("x-b3-sampled", "2")]),
        [
            "context.b3multi.malformed",
            "context.refused.sampled",
            "sampled.default"
        ]
    );
}

#[test]
fn conflicts_and_tracestates_are_counted() {
    let parent = format!("00-{T}-{S}-00");
    let other = format!("{OTHER}-{S}-1");
    assert_eq!(
        moved(EXPORTING, &[("traceparent", &parent), ("b3", &other)]),
        [
            "context.b3.valid",
            "context.conflict",
            "context.tracecontext.valid",
            "dropped.received"
        ]
    );
    let long: Vec<_> = (0..20)
        .map(|n| format!("k{n}={}", "v".repeat(250)))
        .collect();
    for (state, counter) in [
        ("jaeger=sampled=1", "context.tracestate.malformed"),
        (&*long.join(","), "context.tracestate.truncated"),
    ] {
        assert_eq!(
            moved(
                EXPORTING,
                &[("traceparent", &parent), ("tracestate", state)]
            ),
            ["context.tracecontext.valid", counter, "dropped.received"]
        );
    }
}

#[test]
fn a_tracestate_that_is_put_back_is_counted() {
    let mut guest = Guest::start(EXPORTING);
    let parent = format!("00-{T}-{S}-01");
    let state = ("tracestate", "ot=th:c;rv:f0000000000000");
    let sent = bytes(&[("traceparent", &parent)]);
    let came_in = bytes(&[("traceparent", &parent), state]);
    guest.request(Direction::Outbound, &sent, 200);
    guest.request(Direction::Inbound, &came_in, 200);
    guest.request(Direction::Outbound, &sent, 200);
    guest.host.advance(Duration::from_secs(2));
    assert_eq!(
        guest.counters().get("context.tracestate.restored"),
        Some(&1)
    );
}

#[test]
fn decisions_are_counted_with_their_reason() {
    for (sampling, counter) in [
        (r#"{"percentage": 100}"#, "sampled.default"),
        (r#"{"percentage": 0}"#, "dropped.default"),
        (r#"{"namespaces": {"payments": 100}}"#, "sampled.namespace"),
        (r#"{"namespaces": {"pay*": 0}}"#, "dropped.namespace"),
    ] {
        let configuration = format!(r#"{{"sampling": {sampling}}}"#);
        assert_eq!(moved(&configuration, &[]), [counter], "{sampling}");
    }
}

#[test]
fn excluded_requests_are_counted_and_nothing_else_of_them() {
    let parent = format!("00-{T}-{S}-01");
    for (headers, expected) in [
        ([(":path", "/healthz"), ("x-y", "1")], "dropped.exclude"),
        (
            [(":path", "/healthz"), ("traceparent", &parent)],
            "dropped.exclude",
        ),
        ([(":path", "/health-z"), ("x-y", "1")], "sampled.default"),
    ] {
        assert_eq!(moved(EXPORTING, &headers), [expected], "{headers:?}");
    }
}

fn answer(guest: &mut Guest, status: &str, body: &[u8]) -> usize {
    let calls = guest.host.calls();
    for call in &calls {
        guest
            .host
            .reply(call.token, [(":status", status)], body, Headers::new())
            .expect("a call under way");
    }
    calls.len()
}

#[test]
fn every_span_is_accounted_for_through_failure_retry_and_overflow() {
    let mut guest = Guest::start(EXPORTING);
    let second = Duration::from_secs(1);
    let send = |guest: &mut Guest, count: usize| {
        for _ in 0..count {
            guest.request(Direction::Inbound, &[], 200);
        }
        guest.host.advance(second);
        assert_accounted(guest.host.shared());
    };
    let count = |guest: &Guest, name: &str| guest.counters().get(name).copied().unwrap_or(0);

    send(&mut guest, 2);
    assert_eq!(
        guest.host.gauge("sidespan.queue.spans"),
        Some(2),
        "under way"
    );
    assert!(guest.host.gauge("sidespan.queue.bytes") > Some(100));
    assert_eq!(answer(&mut guest, "200", b""), 1);
    guest.host.advance(second);
    assert_eq!(count(&guest, "spans.exported"), 2);
    assert_eq!(guest.host.gauge("sidespan.queue.bytes"), Some(0));

    // Partial success: one of two rejected.
    send(&mut guest, 2);
    answer(&mut guest, "200", b"\x0a\x02\x08\x01");
    guest.host.advance(second);
    assert_eq!(count(&guest, "spans.rejected"), 1);
    assert_eq!(count(&guest, "spans.exported"), 3);

    // Unavailable twice: two requests, then the batch is dropped.
    send(&mut guest, 2);
    answer(&mut guest, "503", b"");
    guest.host.advance(3 * second);
    assert_eq!(count(&guest, "export.retries"), 1);
    assert_eq!(answer(&mut guest, "503", b""), 1);
    guest.host.advance(second);
    assert_eq!(count(&guest, "export.failures"), 2);
    assert_eq!(count(&guest, "spans.dropped_export"), 2);

    // Two spans are under way without an answer, four are in the queue, and three are too many.
    send(&mut guest, 2);
    send(&mut guest, 7);
    assert_eq!(count(&guest, "spans.dropped_queue"), 3);
    assert_eq!(count(&guest, "export.requests"), 5);

    assert!(count(&guest, "worker.ticks") >= 8);
}

#[test]
fn a_configuration_that_is_refused_first_shows_in_the_gauge() {
    for (configuration, expected) in [("{}", 0), (r#"{"sampling": 1}"#, 1)] {
        let guest = Guest::start(configuration);
        assert_eq!(guest.host.gauge("sidespan.config.refused"), Some(expected));
    }
}

#[test]
fn a_full_batch_asks_for_the_tick_once_until_it_comes() {
    let mut guest = Guest::start(EXPORTING);
    guest.host.clear_transcript();
    for _ in 0..10 {
        guest.request(Direction::Inbound, &[], 200);
    }
    let asked = |guest: &Guest| {
        guest
            .host
            .transcript()
            .count("proxy_set_tick_period_milliseconds")
    };
    assert_eq!(
        asked(&guest),
        1,
        "asked again, it would come later each time"
    );
    guest.host.advance(Duration::from_millis(1));
    assert_eq!(guest.host.calls().len(), 1, "it came, and a batch went");
    assert_eq!(asked(&guest), 2, "and then the usual again");
}

#[test]
fn a_refused_configuration_repeats_its_errors_once_a_minute() {
    let mut guest = Guest::start(r#"{"sampling": 1}"#);
    let said = |guest: &mut Guest| {
        let logs = guest.host.take_logs();
        logs.iter()
            .filter(|line| line.text.contains("$.sampling"))
            .count()
    };
    assert_eq!(said(&mut guest), 1);
    guest.host.advance(Duration::from_secs(59));
    assert_eq!(said(&mut guest), 0);
    guest.host.advance(Duration::from_secs(2));
    assert_eq!(said(&mut guest), 1);
}
