use super::*;
use alloc::vec;

const SECOND: u64 = 1_000_000_000;
const NOTHING: QueuedSpans = QueuedSpans { spans: 0, bytes: 0 };

fn holding(spans: u64) -> QueuedSpans {
    QueuedSpans {
        spans,
        bytes: spans * 300,
    }
}

fn at(second: u64) -> Nanos {
    Nanos(1_000_000 * SECOND + second * SECOND)
}

/// A place that all see.
#[derive(Default)]
struct Place(Vec<u8>);

impl Place {
    /// A tick of a worker: returns what it found lost, and what it was written off itself.
    fn tick(
        &mut self,
        ledger: &mut QueueLedger,
        held: QueuedSpans,
        now: Nanos,
    ) -> (QueuedSpans, QueuedSpans) {
        if !ledger.is_due(held, now) {
            return (NOTHING, NOTHING);
        }
        let change = ledger.change(&self.0, held, now);
        if let Some(list) = &change.list {
            self.0.clone_from(list);
        }
        ledger.done(&change);
        (change.lost, change.reclaimed)
    }
}

fn workers() -> [QueueLedger; 3] {
    [1, 2, 3].map(|number| QueueLedger::new([number; 8]))
}

#[test]
fn whoever_ticks_next_writes_off_what_nobody_renews() {
    let mut place = Place::default();
    let [mut trapped, mut busy, mut idle] = workers();
    let mut lost = Vec::new();
    for second in 0..60 {
        if second < 10 {
            place.tick(&mut trapped, holding(second), at(second));
        }
        for (worker, held) in [(&mut busy, holding(second % 7)), (&mut idle, NOTHING)] {
            let (gone, own) = place.tick(worker, held, at(second));
            assert_eq!(own, NOTHING);
            if gone != NOTHING {
                lost.push((second, gone));
            }
        }
    }
    assert_eq!(
        lost,
        [(24, holding(9))],
        "once, fifteen seconds after its last word"
    );
}

#[test]
fn a_machine_that_starts_later_writes_off_what_it_finds() {
    let mut place = Place::default();
    let [mut trapped, mut late, _] = workers();
    place.tick(&mut trapped, holding(5), at(0));
    let mut lost = Vec::new();
    for second in 3600..3660 {
        let (gone, _) = place.tick(&mut late, NOTHING, at(second));
        if gone != NOTHING {
            lost.push((second, gone));
        }
    }
    assert_eq!(lost, [(3615, holding(5))]);
    assert!(place.0.is_empty());
}

#[test]
fn an_orderly_end_takes_the_entry_out_and_an_idle_worker_writes_nothing() {
    let mut place = Place::default();
    let [mut ending, mut idle, _] = workers();
    place.tick(&mut ending, holding(5), at(0));
    assert!(!place.0.is_empty());
    place.tick(&mut ending, NOTHING, at(1));
    assert!(place.0.is_empty());
    for second in 2..100 {
        let change = idle.change(&place.0, NOTHING, at(second));
        assert_eq!((change.list.as_ref(), change.lost), (None, NOTHING));
        idle.done(&change);
    }
}

#[test]
fn the_list_is_read_only_when_there_is_something_to_say_or_to_look_after() {
    let [mut worker, ..] = workers();
    let mut place = Place::default();
    let mut reads = 0;
    for second in 0..60 {
        reads += u32::from(worker.is_due(holding(4), at(second)));
        place.tick(&mut worker, holding(4), at(second));
    }
    assert_eq!(reads, 12, "every five seconds");
}

#[test]
fn a_process_that_was_suspended_writes_nobody_off() {
    let mut place = Place::default();
    let mut workers = workers();
    for second in (0..30).chain(5_000..5_060) {
        for worker in &mut workers {
            assert_eq!(
                place.tick(worker, holding(3), at(second)),
                (NOTHING, NOTHING),
                "{second}"
            );
        }
    }
}

#[test]
fn a_clock_that_is_set_writes_nobody_off() {
    let mut place = Place::default();
    let mut workers = workers();
    for second in (5_000..5_030).chain(0..60).chain(9_000..9_060) {
        for worker in &mut workers {
            assert_eq!(
                place.tick(worker, holding(3), at(second)),
                (NOTHING, NOTHING),
                "{second}"
            );
        }
    }
}

#[test]
fn who_was_written_off_and_goes_on_is_told_so() {
    let mut place = Place::default();
    let [mut stopped, mut judge, _] = workers();
    place.tick(&mut stopped, holding(8), at(0));
    let mut lost = 0;
    for second in 0..40 {
        lost += place.tick(&mut judge, NOTHING, at(second)).0.spans;
    }
    assert_eq!(lost, 8);
    assert_eq!(
        place.tick(&mut stopped, holding(6), at(40)),
        (NOTHING, holding(8))
    );
    assert_eq!(
        place.tick(&mut stopped, holding(6), at(41)),
        (NOTHING, NOTHING)
    );
    assert_eq!(
        place.tick(&mut stopped, NOTHING, at(42)),
        (NOTHING, NOTHING)
    );
    assert!(place.0.is_empty());
    // The same for one whose queue has emptied meanwhile.
    let mut again = workers()[0];
    place.tick(&mut again, holding(2), at(50));
    place.0.clear();
    assert_eq!(
        place.tick(&mut again, NOTHING, at(90)),
        (NOTHING, holding(2))
    );
}

#[test]
fn stays_bounded_and_believes_no_byte() {
    let mut list = Vec::new();
    for number in 0..1_100_u64 {
        let ledger = QueueLedger::new(number.to_le_bytes());
        if let Some(changed) = ledger.change(&list, holding(1), at(0)).list {
            list = changed;
        }
    }
    assert_eq!(list.len(), 1024 * 32);
    // Who found no room has noted nothing, and does not take it for a loss.
    let mut last = QueueLedger::new([255; 8]);
    let change = last.change(&list, holding(1), at(0));
    last.done(&change);
    assert_eq!(last.change(&list, holding(1), at(1)).reclaimed, NOTHING);
    let judge = QueueLedger::new([9; 8]);
    for end in 0..100 {
        judge.change(&list[..end], holding(1), at(0));
        judge.change(&vec![0xff; end], holding(1), at(0));
    }
}
