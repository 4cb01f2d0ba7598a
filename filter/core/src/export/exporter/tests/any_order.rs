//! Answers, failures and times at random: whatever comes, the calls keep to the rules, and every span is accounted for.

use alloc::collections::BTreeMap;

use super::*;
use crate::export::calls::MAX_CALLS;

const DOWN: Failure = Failure::HttpStatus(503);

/// The calls as they are seen from outside.
#[derive(Default)]
struct Model {
    under_way: Vec<Known>,
    // The number of failures so far.
    failures: usize,
    is_failing: bool,
    // The end of the longest delay that the collector asked for.
    not_before: u64,
    tries: BTreeMap<Vec<u8>, u32>,
    settled: Vec<Vec<u8>>,
}

struct Known {
    token: u32,
    body: Vec<u8>,
    since: Nanos,
    failures_before: usize,
}

/// Draws answers, failures, their order and all times at random, and holds what is sent to the rules.
#[test]
fn any_answers_in_any_order_keep_to_the_rules() {
    const BATCH: usize = 4;
    const QUEUE: usize = 40;
    const QUEUE_BYTES: usize = 4_000;
    const ATTEMPTS: u32 = 3;
    let mut seed = 1_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let (mut most, mut retries, mut overdue) = (0, 0, 0);
    for round in 0..200 {
        let mut exporter = exporter(|export| {
            export.batch_max_spans = BATCH;
            export.queue_max_spans = QUEUE;
            export.queue_max_bytes = QUEUE_BYTES;
            export.retry_attempts = ATTEMPTS;
            export.retry_initial = Duration::from_millis(50);
        });
        let (mut stats, mut model) = (Stats::default(), Model::default());
        let (mut now, mut number) = (Nanos(SECOND), 0);
        // Of 8 answers.
        let mut failures = 0;
        for step in 0..400 {
            let what = (round, step);
            if random(40) == 0 {
                failures = [0, 0, 1, 4, 8][usize::try_from(random(5)).unwrap()];
            }
            now = now.after(Duration::from_millis(random(30) * random(30)));
            for _ in 0..random(8) {
                number += 1;
                let mut span = span();
                span.start = Nanos(number);
                span.trace_state = alloc::vec![b'a'; usize::try_from(random(100)).unwrap()];
                exporter.push(&span, now, &mut stats);
            }
            if random(2) == 0 && !model.under_way.is_empty() {
                let at = random(u64::try_from(model.under_way.len()).unwrap());
                let call = model.under_way.remove(usize::try_from(at).unwrap());
                let outcome = match (random(8) < failures, random(4)) {
                    (true, 0) => ExportOutcome::Refused(DOWN),
                    (true, 1) => ExportOutcome::Retry {
                        failure: DOWN,
                        after: Some(Duration::from_millis(1 + random(3_000))),
                    },
                    (true, _) => DOWN.again(),
                    (false, kind) => ExportOutcome::Accepted {
                        rejected: kind.saturating_sub(2),
                        warns: false,
                    },
                };
                model.ends(&call, outcome, now);
                let jitter = u8::try_from(random(256)).unwrap();
                exporter.answered(call.token, outcome, now, jitter, &mut stats);
            }
            while let Some(token) = exporter.overdue(now) {
                overdue += 1;
                let at = model.under_way.iter().position(|call| call.token == token);
                let call = model.under_way.remove(at.unwrap());
                assert!(now >= call.since.after(Duration::from_secs(10)), "{what:?}");
                let outcome = Failure::NoAnswer.again();
                model.ends(&call, outcome, now);
                exporter.answered(token, outcome, now, NO_JITTER, &mut stats);
            }
            let trigger = [SendTrigger::Tick, SendTrigger::Answer, SendTrigger::Drain]
                [usize::try_from(random(3)).unwrap()];
            loop {
                let (waited, tried) = (exporter.queue.spans(), stats.get(Counter::ExportRetries));
                let Some((body, _)) = exporter.next(now, trigger, &mut stats) else {
                    break;
                };
                let call = Known {
                    token: u32::try_from(step * 10 + model.under_way.len()).unwrap(),
                    body: body.to_vec(),
                    since: now,
                    failures_before: model.failures,
                };
                let is_retry = stats.get(Counter::ExportRetries) > tried;
                let tries = model.tries.entry(call.body.clone()).or_default();
                *tries += 1;
                assert_eq!(*tries > 1, is_retry, "{what:?}");
                assert!(*tries <= ATTEMPTS, "{what:?}");
                assert!(!model.settled.contains(&call.body), "{what:?}");
                assert!(!is_retry || now.0 >= model.not_before, "{what:?}");
                let is_beside = !model.under_way.is_empty();
                assert!(!(is_beside && model.is_failing), "{what:?}");
                let is_more = is_retry || trigger == SendTrigger::Drain || waited > BATCH;
                assert!(is_more || !is_beside, "{what:?}");
                if random(16) < failures.min(2) {
                    let error = SendError::NotSent;
                    model.ends(&call, Failure::SendError(error).again(), now);
                    exporter.not_sent(error, now, NO_JITTER, &mut stats);
                    break;
                }
                exporter.sent(call.token);
                model.under_way.push(call);
                assert!(model.under_way.len() <= MAX_CALLS, "{what:?}");
                most = most.max(model.under_way.len());
            }
            assert_accounted(&exporter, &stats);
            assert!(exporter.spans() <= QUEUE + BATCH, "{what:?}");
            // The largest request has four spans of some 200 bytes, and the frame.
            assert!(exporter.bytes() <= QUEUE_BYTES + 1_500, "{what:?}");
        }
        retries += stats.get(Counter::ExportRetries);
        // The collector works again, and takes everything that is left.
        for _ in 0..100 {
            for call in core::mem::take(&mut model.under_way) {
                exporter.answered(call.token, TAKEN, now, NO_JITTER, &mut stats);
            }
            now = now.after(Duration::from_secs(31));
            for token in 0.. {
                if exporter.next(now, SendTrigger::Drain, &mut stats).is_none() {
                    break;
                }
                exporter.sent(token);
                model.under_way.push(Known {
                    token,
                    body: Vec::new(),
                    since: now,
                    failures_before: 0,
                });
            }
        }
        assert_eq!((exporter.spans(), exporter.bytes()), (0, 0), "{round}");
        assert_accounted(&exporter, &stats);
    }
    assert_eq!(most, MAX_CALLS);
    assert!(retries > 1_000 && overdue > 10, "{retries} {overdue}");
}

impl Model {
    fn ends(&mut self, call: &Known, outcome: ExportOutcome, now: Nanos) {
        match outcome {
            ExportOutcome::Accepted { .. } => {
                self.settled.push(call.body.clone());
                self.is_failing &= call.failures_before != self.failures;
            }
            ExportOutcome::Refused(_) | ExportOutcome::Retry { .. } => {
                self.failures += 1;
                self.is_failing = true;
            }
        }
        match outcome {
            ExportOutcome::Refused(_) => self.settled.push(call.body.clone()),
            ExportOutcome::Retry {
                after: Some(after), ..
            } => self.not_before = self.not_before.max(now.after(after).0),
            _ => {}
        }
    }
}
