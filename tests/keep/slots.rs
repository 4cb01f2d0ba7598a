//! The notes between the two sides of a pod, in a fixed number of slots: however many traces fail, at most a thousand notes
//! stay (`SIDESPAN_LOAD=100000` sends a million, whatever time they take); two traces in one slot lose a hint only.

use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use sidespan_host::Shared;
use sidespan_tests::draw::Draw;
use sidespan_tests::effort;

use super::pod::{Pod, Side, keeping, traceparent};

const WORKERS: u64 = 4;
const SLOTS: usize = 1024;
/// The bytes of a note: its key, the trace's id and a time.
const NOTE_BYTES: usize = 16 + 24;
/// The time after which a slow machine ends the run.
const LIMIT: Duration = Duration::from_secs(12);

#[test]
fn failing_traces_leave_a_thousand_notes_and_no_memory_behind() {
    let shared = Shared::new();
    // Everything else that is shared exists at the start.
    let configuration = keeping(r#"{"spansPerSecond": 1000000000}"#);
    let mut pods: Vec<Pod> = (0..WORKERS)
        .map(|worker| Pod::start(&configuration, &shared, Duration::ZERO, worker))
        .collect();
    let share = effort::share(1_000_000, 20_000) / WORKERS;
    let end = Instant::now() + effort::patience(LIMIT);
    let runs: Vec<Run> = thread::scope(|scope| {
        let running: Vec<_> = pods
            .iter_mut()
            .zip(0..)
            .map(|(pod, worker)| scope.spawn(move || fail(pod, share, worker, end)))
            .collect();
        let runs = running.into_iter().map(|run| run.join());
        runs.map(|run| run.expect("no worker panics")).collect()
    });
    let requests: u64 = runs.iter().map(|run| run.requests).sum();
    let (keys, bytes) = shared.data_size("");
    let memory: Vec<String> = runs.iter().map(Run::to_string).collect();
    println!(
        "{requests} failing requests with ids of their own, all kept and noted: {keys} keys and {bytes} bytes shared; memory of the workers: {}",
        memory.join(", ")
    );
    assert_eq!(shared.counter("sidespan.kept.error"), Some(requests));
    // The notes, and the workers' entries about themselves.
    assert!((SLOTS..SLOTS + 8).contains(&keys), "{keys}");
    assert!(bytes < SLOTS * NOTE_BYTES + 2048, "{bytes}");
    for run in &runs {
        assert_eq!(run.memory[0], run.memory[1], "it does not grow");
    }
}

#[test]
fn two_traces_in_one_slot_lose_a_hint_and_no_span_that_failed_by_itself() {
    let mut pod = Pod::start(&keeping("{}"), &Shared::new(), Duration::ZERO, 0);
    // The last ten bits of the trace id name the slot.
    let [first, second] = [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "11112222333344445555666677778b36",
    ];
    for trace_id in [first, second] {
        let (stream, _) = pod.request(Side::Outbound, &traceparent(trace_id));
        pod.answer(stream, "503", None);
    }
    let mut serve = |trace_id: &str, status: &str| {
        let (stream, _) = pod.request(Side::Inbound, &traceparent(trace_id));
        pod.answer(stream, status, None).is_some()
    };
    assert!(!serve(first, "200"), "the later note is in its place");
    assert!(serve(second, "200"));
    assert!(serve(first, "503"), "it failed by itself");
    pod.host.advance(Duration::from_secs(1));
    let spans = pod.exported();
    let of = |trace_id: &str| -> Vec<(SpanKind, String)> {
        let spans = spans
            .iter()
            .filter(|span| hex::encode(&span.trace_id) == trace_id);
        spans.map(|span| (span.kind(), cause(span))).collect()
    };
    let error = |kind| (kind, "error".to_owned());
    assert_eq!(
        of(first),
        [error(SpanKind::Client), error(SpanKind::Server)]
    );
    let told = (SpanKind::Server, "callee".to_owned());
    assert_eq!(of(second), [error(SpanKind::Client), told]);
}

struct Run {
    requests: u64,
    // After a tenth of the requests, and at the end.
    memory: [usize; 2],
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [early, late] = self.memory.map(|bytes| bytes >> 10);
        write!(f, "{early} KiB early and {late} KiB at the end")
    }
}

/// Sends calls that fail, each of another trace.
fn fail(pod: &mut Pod, count: u64, worker: u64, end: Instant) -> Run {
    let mut random = Draw::of(worker << 32, 0);
    let mut run = Run {
        requests: 0,
        memory: [0; 2],
    };
    for number in 0..count {
        let context = traceparent(&random.trace_id());
        let (stream, _) = pod.request(Side::Outbound, &context);
        pod.answer(stream, "503", None);
        run.requests += 1;
        if number % 500 == 499 {
            pod.host.advance(Duration::from_millis(100));
            pod.exported();
            if number > EARLY && Instant::now() > end {
                break;
            }
        }
        if number == EARLY {
            run.memory[0] = pod.host.memory_bytes();
        }
    }
    run.memory[1] = pod.host.memory_bytes();
    pod.host.advance(Duration::from_secs(1));
    pod.exported();
    run
}

/// The number of requests after which a worker has allocated all that it needs.
const EARLY: u64 = 4_000;

fn cause(span: &Span) -> String {
    let mut found = span
        .attributes
        .iter()
        .filter(|it| it.key == "sidespan.kept");
    let value = found.next().and_then(|it| it.value.clone()?.value);
    match value {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    }
}
