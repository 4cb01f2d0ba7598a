//! Ten minutes without a collector, in the compiled guest and in virtual time: the counters add up at every second, the
//! queue keeps its limits, the collector gets few requests, the log has one line, and afterwards all queued spans are
//! exported.

use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_host::{Headers, Host, HttpCall};
use sidespan_tests::accounts::assert_accounted;
use sidespan_tests::effort;
use sidespan_tests::worlds::Guest;

/// Ways in which a collector is unavailable.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Absence {
    /// A broken connection: the guest gets an empty response to its call.
    Broken,
    /// No endpoint: Envoy answers by itself.
    Unavailable,
    /// No answer until the timeout.
    Silent,
}

const QUEUE: u64 = 1_000;
const QUEUE_BYTES: u64 = 256 << 10;
const SECOND: Duration = Duration::from_secs(1);

fn configuration(protocol: &str) -> String {
    format!(
        r#"{{
            "sampling": {{"percentage": 100}},
            "export": {{
                "otlp": {{"cluster": "collector", "protocol": "{protocol}", "compression": "gzip"}},
                "batch": {{"maxSpans": 100}},
                "queue": {{"maxSpans": {QUEUE}, "maxBytes": "256KiB"}}
            }}
        }}"#
    )
}

#[test]
fn ten_minutes_without_a_collector_are_accounted_for_to_the_span() {
    for protocol in ["grpc", "http/protobuf"] {
        for absence in [Absence::Broken, Absence::Unavailable, Absence::Silent] {
            outage(protocol, absence);
        }
    }
}

#[test]
fn what_was_kept_late_outlasts_what_was_sampled() {
    // Fewer than are kept in a second.
    const KEPT: u64 = 20;
    let mut guest = Guest::start(&configuration("http/protobuf").replace("gzip", "none"));
    let sampled = |guest: &mut Guest, requests: u64| {
        for _ in 0..requests {
            guest.request(Direction::Inbound, &[], 200);
        }
    };
    // More than may be under way, so that what follows waits.
    sampled(&mut guest, 600);
    for number in 1..=KEPT {
        let context = format!("00-{number:032x}-00f067aa0ba902b7-00").into_bytes();
        guest.request(Direction::Inbound, &[("traceparent", context)], 500);
    }
    sampled(&mut guest, 3 * QUEUE);
    guest.host.advance(SECOND);
    assert!(guest.counters().get("spans.dropped_queue") > Some(&QUEUE));
    let mut spans = Vec::new();
    while guest.host.gauge("sidespan.queue.spans") != Some(0) {
        guest.host.advance(SECOND);
        spans.extend(guest.exported());
        assert_accounted(guest.host.shared());
    }
    let kept = spans.iter().filter(|span| span.flags & 1 == 0).count();
    assert_eq!(u64::try_from(kept), Ok(KEPT), "of {} spans", spans.len());
}

fn outage(protocol: &str, absence: Absence) {
    let what = format!("{protocol}, {absence:?}");
    let minutes = effort::share(10, 2);
    let mut guest = Guest::start(&configuration(protocol));
    let (mut sent, mut most, mut calls) = (0, 0, 0);
    for second in 0..minutes * 60 {
        // Sometimes a burst that fills the queue by itself.
        let requests = if second % 97 == 0 { 1_200 } else { 5 };
        for _ in 0..requests {
            guest.request(Direction::Inbound, &[], 200);
        }
        sent += requests;
        guest.host.advance(SECOND);
        for call in guest.host.calls() {
            calls += 1;
            refuse(&mut guest.host, &call, absence);
        }
        assert_accounted(guest.host.shared());
        let held = guest.host.gauge("sidespan.queue.spans").unwrap_or(0);
        let bytes = guest.host.gauge("sidespan.queue.bytes").unwrap_or(0);
        most = most.max(held);
        assert!(
            held <= QUEUE + 100 && bytes <= QUEUE_BYTES + (1 << 20),
            "{what}: {held} spans, {bytes} bytes"
        );
    }
    let count = |guest: &Guest, name: &str| guest.counters().get(name).copied().unwrap_or(0);
    assert_eq!(count(&guest, "spans.exported"), 0, "{what}");
    for lost in ["spans.dropped_queue", "spans.dropped_export"] {
        assert!(count(&guest, lost) > 0, "{what}: {lost}");
    }
    // At least thirty seconds less a fifth between requests, after the first retries.
    assert!(calls <= 8 + minutes * 60 / 24, "{what}: {calls} calls");
    let lost = ["spans.dropped_queue", "spans.dropped_export"].map(|name| count(&guest, name));

    while guest.host.gauge("sidespan.queue.spans") != Some(0) {
        guest.host.advance(SECOND);
        for call in guest.host.calls() {
            let trailers = match protocol {
                "grpc" => Headers::from([("grpc-status", "0")]),
                _ => Headers::new(),
            };
            let taken = guest
                .host
                .reply(call.token, [(":status", "200")], b"", trailers);
            taken.expect("a call under way");
        }
        assert_accounted(guest.host.shared());
    }
    let exported = count(&guest, "spans.exported");
    println!(
        "{what}: {sent} spans ended in {minutes} minutes, dropped {} by the queue and {} by the export in {calls} calls, \
         at most {most} held, {exported} exported afterwards",
        lost[0], lost[1]
    );
    assert_eq!(
        sent,
        exported + count(&guest, "spans.dropped_queue") + count(&guest, "spans.dropped_export"),
        "{what}"
    );
    let log = guest.host.take_logs();
    for (line, times) in [("fails: ", 1), ("works again", 1)] {
        let said = log.iter().filter(|said| said.text.contains(line)).count();
        assert_eq!(said, times, "{what}: {line}");
    }
}

fn refuse(host: &mut Host, call: &HttpCall, absence: Absence) {
    let is_grpc = call.headers.text("content-type").as_deref() == Some("application/grpc");
    match absence {
        Absence::Broken => host.fail_call(call.token).expect("a call under way"),
        Absence::Unavailable => {
            let headers = if is_grpc {
                Headers::from([(":status", "200"), ("grpc-status", "14")])
            } else {
                Headers::from([(":status", "503")])
            };
            host.reply(call.token, headers, b"no healthy upstream", Headers::new())
                .expect("a call under way");
        }
        Absence::Silent => {}
    }
}
