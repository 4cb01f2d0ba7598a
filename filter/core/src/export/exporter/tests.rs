use alloc::vec::Vec;

use super::*;
use crate::config::Config;
use crate::export::grpc_frame;
use crate::export::settings::Otlp;
use crate::ids::{SpanId, TraceId};
use crate::semconv::resource::Resource;
use crate::span::attributes::Attributes;
use crate::span::{SpanKind, Status};

const SECOND: u64 = 1_000_000_000;

fn exporter(change: impl FnOnce(&mut Export)) -> Exporter {
    let mut export = Config::default().export;
    export.otlp = Some(Otlp {
        cluster: "collector".into(),
        authority: "collector".into(),
        protocol: Protocol::HttpProtobuf,
        path: "/v1/traces".into(),
        compression: Compression::None,
        timeout: Duration::from_secs(5),
        headers: Vec::new(),
    });
    change(&mut export);
    let frame = RequestFrame::new(&Resource::default(), "sidespan", "1", "01234567", "");
    Exporter::new(&export, frame).unwrap()
}

fn span() -> Span {
    Span {
        trace_id: TraceId::from_bytes([1; 16]).unwrap(),
        span_id: SpanId::from_bytes([1; 8]).unwrap(),
        parent_span_id: None,
        trace_state: Vec::new(),
        flags: 0,
        name: "GET".into(),
        kind: SpanKind::Server,
        start: Nanos(1),
        end: Nanos(2),
        attributes: Attributes::default(),
        link: None,
        status: Status::Unset,
    }
}

const TAKEN: ExportOutcome = ExportOutcome::Accepted {
    rejected: 0,
    warns: false,
};
/// No jitter: the middle of its range.
const NO_JITTER: u8 = 20;

/// Answers the call that was started last.
fn answer(
    exporter: &mut Exporter,
    outcome: ExportOutcome,
    now: Nanos,
    jitter: u8,
    stats: &mut Stats,
) -> Option<LogEvent<Failure>> {
    exporter.sent(0);
    exporter.answered(0, outcome, now, jitter, stats)
}

/// Everything that entered has left through exactly one counter, or is still here.
fn assert_accounted(exporter: &Exporter, stats: &Stats) {
    let left = [
        Counter::SpansExported,
        Counter::SpansRejected,
        Counter::SpansDroppedQueue,
        Counter::SpansDroppedExport,
        Counter::SpansDroppedShutdown,
    ]
    .map(|counter| stats.get(counter))
    .iter()
    .sum::<u64>();
    let here = u64::try_from(exporter.spans()).unwrap();
    assert_eq!(stats.get(Counter::SpansFinished), left + here, "{stats:?}");
}

#[test]
fn sends_nothing_while_there_is_nothing() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|_| {});
    assert_eq!(
        exporter.next(Nanos(0), SendTrigger::Drain, &mut stats),
        None
    );
    assert_eq!(stats, Stats::default());
}

#[test]
fn sends_a_span_before_it_has_waited_longer_than_the_delay() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|export| export.batch_max_delay = Duration::from_secs(5));
    exporter.push(&span(), Nanos(0), &mut stats);
    let mut now = 0;
    while exporter
        .next(Nanos(now), SendTrigger::Tick, &mut stats)
        .is_none()
    {
        now += u64::try_from(exporter.tick_period().as_nanos()).unwrap();
    }
    assert!(now <= 5 * SECOND, "{now}");
    assert!(now >= 4 * SECOND, "{now}");
}

#[test]
fn sz_4_sends_a_full_batch_at_once() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|export| {
        export.batch_max_spans = 2;
        export.batch_max_delay = Duration::from_secs(5);
    });
    for _ in 0..3 {
        exporter.push(&span(), Nanos(0), &mut stats);
    }
    assert!(exporter.is_full());
    assert!(
        exporter
            .next(Nanos(0), SendTrigger::Tick, &mut stats)
            .is_some()
    );
    assert!(!exporter.is_full(), "one is under way");
    assert!(
        exporter
            .next(Nanos(0), SendTrigger::Tick, &mut stats)
            .is_none()
    );
    assert_eq!(exporter.spans(), 3, "those under way are not gone yet");
    answer(&mut exporter, TAKEN, Nanos(1), NO_JITTER, &mut stats);
    assert_eq!(stats.get(Counter::SpansExported), 2);
    assert!(
        exporter
            .next(Nanos(2), SendTrigger::Tick, &mut stats)
            .is_none()
    );
    assert!(
        exporter
            .next(Nanos(2), SendTrigger::Drain, &mut stats)
            .is_some()
    );
    assert_accounted(&exporter, &stats);
}

#[test]
fn an_answer_takes_along_only_what_must_not_wait_for_the_tick() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|export| export.batch_max_spans = 2);
    let now = Nanos(SECOND);
    exporter.push(&span(), now, &mut stats);
    assert!(
        exporter
            .next(now, SendTrigger::Answer, &mut stats)
            .is_none()
    );
    exporter.push(&span(), now, &mut stats);
    assert!(
        exporter
            .next(now, SendTrigger::Answer, &mut stats)
            .is_some(),
        "full"
    );
    answer(&mut exporter, TAKEN, now, NO_JITTER, &mut stats);
    exporter.push(&span(), now, &mut stats);
    let late = Nanos(2 * SECOND);
    assert!(
        exporter
            .next(late, SendTrigger::Answer, &mut stats)
            .is_some(),
        "old"
    );
    answer(&mut exporter, TAKEN, late, NO_JITTER, &mut stats);
    exporter.push(&span(), late, &mut stats);
    let tick = Nanos(2 * SECOND + 1);
    assert!(exporter.next(tick, SendTrigger::Tick, &mut stats).is_some());
}

#[test]
fn rt_6_waits_between_tries_even_at_the_end() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|_| {});
    exporter.push(&span(), Nanos(0), &mut stats);
    assert!(
        exporter
            .next(Nanos(0), SendTrigger::Drain, &mut stats)
            .is_some()
    );
    answer(
        &mut exporter,
        Failure::HttpStatus(503).again(),
        Nanos(0),
        NO_JITTER,
        &mut stats,
    );
    assert!(
        exporter
            .next(Nanos(1), SendTrigger::Drain, &mut stats)
            .is_none()
    );
    assert!(exporter.can_send_until(Nanos(SECOND + 1), Nanos(1)));
    assert!(
        !exporter.can_send_until(Nanos(SECOND), Nanos(1)),
        "too late"
    );
    assert!(
        exporter
            .next(Nanos(SECOND), SendTrigger::Drain, &mut stats)
            .is_some()
    );
}

#[test]
fn an_end_waits_for_what_is_there_and_no_longer_than_it_may() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|_| {});
    assert!(!exporter.can_send_until(Nanos(9), Nanos(0)), "nothing");
    exporter.push(&span(), Nanos(0), &mut stats);
    assert!(exporter.can_send_until(Nanos(9), Nanos(8)));
    assert!(!exporter.can_send_until(Nanos(9), Nanos(9)));
    exporter.next(Nanos(0), SendTrigger::Drain, &mut stats);
    assert!(exporter.can_send_until(Nanos(9), Nanos(8)), "under way");
    answer(&mut exporter, TAKEN, Nanos(1), 0, &mut stats);
    assert!(!exporter.can_send_until(Nanos(9), Nanos(8)));
}

#[test]
fn a_clock_that_was_set_back_stops_nothing() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|_| {});
    exporter.push(&span(), Nanos(1000 * SECOND), &mut stats);
    let before = Nanos(10 * SECOND);
    assert!(
        exporter
            .next(before, SendTrigger::Tick, &mut stats)
            .is_some()
    );
    answer(
        &mut exporter,
        Failure::NoAnswer.again(),
        Nanos(1000 * SECOND),
        0,
        &mut stats,
    );
    assert!(
        exporter
            .next(before, SendTrigger::Tick, &mut stats)
            .is_some()
    );
}

#[test]
fn tries_again_with_doubling_delays_and_then_drops() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|export| {
        export.retry_attempts = 4;
        export.retry_max = Duration::from_secs(3);
    });
    exporter.push(&span(), Nanos(0), &mut stats);
    let failure = Failure::GrpcStatus(14);
    let mut now = SECOND;
    for delay in [1, 2, 3] {
        assert!(
            exporter
                .next(Nanos(now), SendTrigger::Tick, &mut stats)
                .is_some()
        );
        answer(
            &mut exporter,
            failure.again(),
            Nanos(now),
            NO_JITTER,
            &mut stats,
        );
        let due = now + delay * SECOND;
        assert!(
            exporter
                .next(Nanos(due - 1), SendTrigger::Tick, &mut stats)
                .is_none()
        );
        now = due;
    }
    assert!(
        exporter
            .next(Nanos(now), SendTrigger::Tick, &mut stats)
            .is_some()
    );
    answer(
        &mut exporter,
        failure.again(),
        Nanos(now),
        NO_JITTER,
        &mut stats,
    );
    assert_eq!(stats.get(Counter::SpansDroppedExport), 1);
    assert_eq!(stats.get(Counter::ExportRequests), 4);
    assert_eq!(stats.get(Counter::ExportRetries), 3);
    assert_eq!(stats.get(Counter::ExportFailures), 4);
    assert_accounted(&exporter, &stats);
}

#[test]
fn keeps_its_delay_from_one_batch_to_the_next() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|export| export.retry_attempts = 1);
    let mut delays = Vec::new();
    for _ in 0..3 {
        exporter.push(&span(), Nanos(0), &mut stats);
        assert!(
            exporter
                .next(Nanos(SECOND), SendTrigger::Drain, &mut stats)
                .is_some()
        );
        answer(
            &mut exporter,
            Failure::NoAnswer.again(),
            Nanos(SECOND),
            NO_JITTER,
            &mut stats,
        );
        delays.push(exporter.calls.delay(NO_JITTER));
    }
    assert_eq!(delays, [1, 2, 4].map(Duration::from_secs));
}

#[test]
fn rt_6_jitters_by_a_fifth_and_does_as_the_collector_asks() {
    let exporter_with = |reply, jitter| {
        let mut stats = Stats::default();
        let mut exporter = exporter(|_| {});
        exporter.push(&span(), Nanos(0), &mut stats);
        exporter.next(Nanos(SECOND), SendTrigger::Tick, &mut stats);
        answer(&mut exporter, reply, Nanos(0), jitter, &mut stats);
        exporter
    };
    let until = |exporter: &Exporter| exporter.calls.paused_until().expect("a retry").0;
    let again = Failure::HttpStatus(503).again();
    assert_eq!(until(&exporter_with(again, 0)), SECOND * 8 / 10);
    assert_eq!(until(&exporter_with(again, 40)), SECOND * 12 / 10);
    for jitter in 0..=255 {
        let due = until(&exporter_with(again, jitter));
        assert!((SECOND * 8 / 10..=SECOND * 12 / 10).contains(&due));
    }
    let asked = ExportOutcome::Retry {
        failure: Failure::HttpStatus(503),
        after: Some(Duration::from_secs(7)),
    };
    assert_eq!(until(&exporter_with(asked, 0)), 7 * SECOND);
}

#[test]
fn rt_2_counts_what_a_partial_success_rejects_and_never_sends_it_again() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|_| {});
    for _ in 0..3 {
        exporter.push(&span(), Nanos(0), &mut stats);
    }
    exporter.next(Nanos(SECOND), SendTrigger::Drain, &mut stats);
    // More than there were: a collector's number is not believed beyond that.
    answer(
        &mut exporter,
        ExportOutcome::Accepted {
            rejected: 2,
            warns: false,
        },
        Nanos(SECOND),
        0,
        &mut stats,
    );
    assert_eq!(stats.get(Counter::SpansRejected), 2);
    assert_eq!(stats.get(Counter::SpansExported), 1);
    exporter.push(&span(), Nanos(0), &mut stats);
    exporter.next(Nanos(SECOND), SendTrigger::Drain, &mut stats);
    answer(
        &mut exporter,
        ExportOutcome::Accepted {
            rejected: u64::MAX,
            warns: false,
        },
        Nanos(SECOND),
        0,
        &mut stats,
    );
    assert_eq!(stats.get(Counter::SpansRejected), 3);
    assert_accounted(&exporter, &stats);
}

#[test]
fn drops_a_batch_that_is_refused_for_good() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|_| {});
    exporter.push(&span(), Nanos(0), &mut stats);
    exporter.next(Nanos(SECOND), SendTrigger::Tick, &mut stats);
    let refused = ExportOutcome::Refused(Failure::HttpStatus(400));
    answer(&mut exporter, refused, Nanos(SECOND), 0, &mut stats);
    assert_eq!(stats.get(Counter::SpansDroppedExport), 1);
    assert_eq!(exporter.spans(), 0);
    assert_accounted(&exporter, &stats);
}

#[test]
fn reports_a_failure_once_and_the_recovery_once() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|_| {});
    let mut now = 0;
    let mut answered = |reply| {
        exporter.push(&span(), Nanos(now), &mut stats);
        now += 60 * SECOND;
        exporter.next(Nanos(now), SendTrigger::Drain, &mut stats);
        answer(&mut exporter, reply, Nanos(now), 0, &mut stats)
    };
    let down = Failure::NoAnswer;
    let other = Failure::HttpStatus(503);
    assert_eq!(answered(TAKEN), None);
    assert_eq!(answered(down.again()), Some(LogEvent::Failing(down)));
    assert_eq!(answered(down.again()), None);
    assert_eq!(answered(other.again()), Some(LogEvent::Failing(other)));
    assert_eq!(
        answered(down.again()),
        None,
        "known, though another came between"
    );
    assert_eq!(answered(TAKEN), Some(LogEvent::Recovered));
    assert_eq!(answered(TAKEN), None);
}

#[test]
fn sz_3_drops_the_oldest_when_the_queue_is_full() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|export| {
        export.queue_max_spans = 3;
        export.batch_max_spans = 3;
    });
    for _ in 0..5 {
        exporter.push(&span(), Nanos(0), &mut stats);
    }
    assert_eq!(stats.get(Counter::SpansDroppedQueue), 2);
    assert_eq!(exporter.spans(), 3);
    assert_accounted(&exporter, &stats);
}

#[test]
fn sz_1_cuts_a_request_at_a_mebibyte() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|export| export.batch_max_spans = 8192);
    let mut large = span();
    large.trace_state = alloc::vec![b'a'; 400_000];
    for _ in 0..3 {
        exporter.push(&large, Nanos(0), &mut stats);
    }
    let (body, _) = exporter
        .next(Nanos(0), SendTrigger::Drain, &mut stats)
        .unwrap();
    assert!(body.len() < queue::REQUEST_BYTES + 1024);
    assert_eq!(exporter.queue.spans(), 1);
}

#[test]
fn frames_the_request_for_grpc_alone() {
    for (protocol, is_framed) in [(Protocol::Grpc, true), (Protocol::HttpProtobuf, false)] {
        let mut stats = Stats::default();
        let mut exporter = exporter(|export| {
            if let Some(otlp) = &mut export.otlp {
                otlp.protocol = protocol;
            }
        });
        exporter.push(&span(), Nanos(0), &mut stats);
        let (body, _) = exporter
            .next(Nanos(0), SendTrigger::Drain, &mut stats)
            .unwrap();
        assert_eq!(grpc_frame::grpc_message(body).is_some(), is_framed);
    }
}

#[test]
fn gives_up_on_an_answer_that_never_comes() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|_| {});
    exporter.push(&span(), Nanos(0), &mut stats);
    exporter.next(Nanos(0), SendTrigger::Drain, &mut stats);
    exporter.sent(0);
    assert_eq!(exporter.overdue(Nanos(9 * SECOND)), None);
    assert_eq!(exporter.overdue(Nanos(10 * SECOND)), Some(0));
}

#[test]
fn sz_5_counts_what_a_shutdown_loses_and_what_comes_after_it() {
    let mut stats = Stats::default();
    let mut exporter = exporter(|export| export.batch_max_spans = 2);
    for _ in 0..3 {
        exporter.push(&span(), Nanos(0), &mut stats);
    }
    exporter.next(Nanos(0), SendTrigger::Drain, &mut stats);
    exporter.close(&mut stats);
    assert_eq!(stats.get(Counter::SpansDroppedShutdown), 3);
    exporter.push(&span(), Nanos(0), &mut stats);
    assert_eq!(stats.get(Counter::SpansDroppedShutdown), 4);
    assert_eq!(answer(&mut exporter, TAKEN, Nanos(1), 0, &mut stats), None);
    assert_eq!((exporter.spans(), exporter.bytes()), (0, 0));
    assert_accounted(&exporter, &stats);
}

mod any_order;
mod side_by_side;
