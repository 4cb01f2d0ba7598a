//! Several calls at once: their number, their order, and what a failure of one means for the others.

use super::*;

/// An exporter whose calls have the tokens 0, 1, 2 …
struct Scene {
    exporter: Exporter,
    stats: Stats,
    now: Nanos,
    sent: u32,
}

impl Scene {
    fn new(change: impl FnOnce(&mut Export)) -> Self {
        Self {
            exporter: exporter(change),
            stats: Stats::default(),
            now: Nanos(SECOND),
            sent: 0,
        }
    }

    fn push(&mut self, count: usize) {
        for _ in 0..count {
            self.exporter.push(&span(), self.now, &mut self.stats);
        }
    }

    /// Sends all that is due, and returns the number of calls.
    fn send(&mut self, trigger: SendTrigger) -> usize {
        let mut count = 0;
        while self
            .exporter
            .next(self.now, trigger, &mut self.stats)
            .is_some()
        {
            self.exporter.sent(self.sent);
            self.sent += 1;
            count += 1;
        }
        assert_accounted(&self.exporter, &self.stats);
        count
    }

    fn answer(&mut self, token: u32, outcome: ExportOutcome) -> Option<LogEvent<Failure>> {
        let event = self
            .exporter
            .answered(token, outcome, self.now, NO_JITTER, &mut self.stats);
        assert_accounted(&self.exporter, &self.stats);
        event
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
    }
}

fn batches_of_two(export: &mut Export) {
    export.batch_max_spans = 2;
}

const DOWN: Failure = Failure::HttpStatus(503);

#[test]
fn sz_4_four_calls_are_under_way_while_more_than_a_full_batch_waits() {
    let mut scene = Scene::new(batches_of_two);
    scene.push(2);
    assert_eq!(scene.send(SendTrigger::Tick), 1);
    scene.push(2);
    assert!(!scene.exporter.is_full(), "no more than a full batch");
    scene.wait(5_000);
    assert_eq!(scene.send(SendTrigger::Tick), 0, "however old it is");
    scene.push(1);
    assert!(scene.exporter.is_full());
    assert_eq!(scene.send(SendTrigger::Tick), 1);
    scene.push(20);
    assert_eq!(scene.send(SendTrigger::Answer), 2);
    assert!(!scene.exporter.is_full(), "four are under way");
    assert_eq!(scene.exporter.spans(), 25, "none has arrived");
    // In any order.
    for (token, exported) in [(2, 2), (0, 4), (3, 6)] {
        scene.answer(token, TAKEN);
        assert_eq!(scene.stats.get(Counter::SpansExported), exported);
        assert_eq!(scene.send(SendTrigger::Answer), 1);
    }
    assert_eq!(scene.answer(2, TAKEN), None, "answered already");
    assert_eq!(scene.stats.get(Counter::SpansExported), 6);
}

#[test]
fn at_the_end_the_last_spans_leave_beside_the_others() {
    let mut scene = Scene::new(batches_of_two);
    scene.push(5);
    assert_eq!(scene.send(SendTrigger::Drain), 3);
    assert!(scene.exporter.can_send_until(Nanos(9 * SECOND), scene.now));
    for token in [1, 2, 0] {
        assert!(scene.exporter.can_send_until(Nanos(9 * SECOND), scene.now));
        scene.answer(token, TAKEN);
    }
    assert!(!scene.exporter.can_send_until(Nanos(9 * SECOND), scene.now));
}

#[test]
fn the_end_waits_for_an_answer_although_a_retry_comes_too_late() {
    let mut scene = Scene::new(batches_of_two);
    scene.push(4);
    assert_eq!(scene.send(SendTrigger::Drain), 2);
    let asked = ExportOutcome::Retry {
        failure: DOWN,
        after: Some(Duration::from_secs(7)),
    };
    scene.answer(0, asked);
    let soon = scene.now.after(Duration::from_secs(2));
    assert!(scene.exporter.can_send_until(soon, scene.now), "under way");
    scene.answer(1, TAKEN);
    assert!(!scene.exporter.can_send_until(soon, scene.now));
}

#[test]
fn a_collector_that_fails_gets_one_call_at_a_time_until_it_works() {
    let mut scene = Scene::new(batches_of_two);
    scene.push(20);
    assert_eq!(scene.send(SendTrigger::Tick), 4);
    assert_eq!(scene.answer(1, DOWN.again()), Some(LogEvent::Failing(DOWN)));
    scene.wait(10_000);
    assert_eq!(scene.send(SendTrigger::Drain), 0, "three are under way");
    assert!(!scene.exporter.is_full());
    assert_eq!(scene.answer(0, TAKEN), None, "it was sent before");
    scene.answer(2, DOWN.again());
    assert_eq!(scene.send(SendTrigger::Answer), 0);
    scene.answer(3, TAKEN);
    assert_eq!(scene.send(SendTrigger::Answer), 0, "the delay begins anew");
    scene.wait(1_000);
    assert_eq!(scene.send(SendTrigger::Answer), 1);
    assert_eq!(scene.answer(4, TAKEN), Some(LogEvent::Recovered));
    // The other retry goes first, and new batches beside it.
    assert_eq!(scene.send(SendTrigger::Answer), 4);
    assert_eq!(scene.stats.get(Counter::ExportRetries), 2);
    for token in 5..9 {
        scene.answer(token, TAKEN);
    }
    assert_eq!(scene.stats.get(Counter::SpansExported), 14);
}

#[test]
fn a_refusal_for_good_ends_the_calls_side_by_side_too() {
    let mut scene = Scene::new(batches_of_two);
    scene.push(20);
    assert_eq!(scene.send(SendTrigger::Tick), 4);
    scene.answer(0, ExportOutcome::Refused(DOWN));
    assert_eq!(scene.send(SendTrigger::Answer), 0);
    for token in 1..4 {
        scene.answer(token, TAKEN);
    }
    assert_eq!(scene.send(SendTrigger::Answer), 1, "at once, as it is new");
    scene.answer(4, TAKEN);
    assert_eq!(scene.send(SendTrigger::Answer), 4);
}

#[test]
fn calls_that_fail_together_are_one_failure_and_the_longest_delay_counts() {
    let asked = ExportOutcome::Retry {
        failure: DOWN,
        after: Some(Duration::from_secs(7)),
    };
    for (second, delay) in [(DOWN.again(), 1_000), (asked, 7_000)] {
        let mut scene = Scene::new(batches_of_two);
        scene.push(20);
        scene.send(SendTrigger::Tick);
        for (token, outcome) in [
            (3, DOWN.again()),
            (0, second),
            (1, DOWN.again()),
            (2, DOWN.again()),
        ] {
            scene.answer(token, outcome);
        }
        scene.wait(delay - 1);
        assert_eq!(scene.send(SendTrigger::Tick), 0);
        scene.wait(1);
        assert_eq!(scene.send(SendTrigger::Tick), 1);
        scene.answer(4, DOWN.again());
        scene.wait(1_999);
        assert_eq!(scene.send(SendTrigger::Tick), 0);
        scene.wait(1);
        assert_eq!(scene.send(SendTrigger::Tick), 1, "twice the first delay");
    }
}

#[test]
fn a_batch_whose_attempts_are_used_up_spares_the_collector_the_next_retry() {
    let mut scene = Scene::new(|export| {
        batches_of_two(export);
        export.retry_attempts = 2;
    });
    scene.push(4);
    assert_eq!(scene.send(SendTrigger::Drain), 2);
    scene.answer(0, DOWN.again());
    scene.answer(1, DOWN.again());
    scene.wait(1_000);
    assert_eq!(scene.send(SendTrigger::Drain), 1);
    scene.answer(2, DOWN.again());
    assert_eq!(scene.stats.get(Counter::SpansDroppedExport), 2);
    assert_eq!(scene.send(SendTrigger::Drain), 0, "not at once");
    scene.wait(2_000);
    assert_eq!(scene.send(SendTrigger::Drain), 1);
}

#[test]
fn sz_3_the_queue_and_all_calls_but_one_keep_to_the_bounds() {
    let mut scene = Scene::new(|export| {
        batches_of_two(export);
        export.queue_max_spans = 20;
    });
    scene.push(20);
    assert_eq!(scene.send(SendTrigger::Tick), 4);
    scene.push(20);
    assert_eq!(scene.exporter.spans(), 22);
    for token in 0..4 {
        scene.answer(token, DOWN.again());
    }
    scene.push(20);
    assert_eq!(scene.exporter.spans(), 22, "retries, too");
    scene.wait(1_000);
    for token in 4..8 {
        scene.send(SendTrigger::Answer);
        scene.answer(token, TAKEN);
    }
    for token in 8..scene.sent {
        scene.answer(token, TAKEN);
    }
    scene.push(30);
    assert_eq!(scene.exporter.spans(), 20, "what has left takes no room");
}

#[test]
fn a_close_counts_what_all_calls_held() {
    let mut scene = Scene::new(batches_of_two);
    scene.push(11);
    scene.send(SendTrigger::Tick);
    scene.answer(0, DOWN.again());
    scene.exporter.close(&mut scene.stats);
    assert_eq!(scene.stats.get(Counter::SpansDroppedShutdown), 11);
    assert_eq!((scene.exporter.spans(), scene.exporter.bytes()), (0, 0));
    assert_eq!(scene.answer(1, TAKEN), None, "too late");
    assert_eq!(scene.stats.get(Counter::SpansExported), 0);
}
