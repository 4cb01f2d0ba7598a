//! What a store keeps, what it evicts, and what it counts.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::store::writer::Writer;

fn store(max_spans: usize, max_bytes: usize) -> Store {
    let limits = Limits {
        max_spans,
        max_bytes,
        ..Limits::default()
    };
    Store::open(Place::Memory, limits).unwrap()
}

#[tokio::test]
async fn makes_room_by_dropping_the_whole_oldest_trace() {
    let store = store(4, usize::MAX);
    for (trace, id) in [('a', 1), ('b', 1), ('a', 2), ('b', 2), ('c', 1)] {
        assert_eq!(keep(&store, vec![wire(trace, id)]).await.kept, 1);
    }
    assert_eq!(kept(&store), ["b1", "b2", "c1"]);
    assert_eq!(store.counts().evicted, 2);
    assert_eq!((store.size().traces, store.size().spans), (2, 3));
}

#[tokio::test]
async fn never_drops_the_trace_that_a_span_arrives_for() {
    let store = store(3, usize::MAX);
    for (trace, id) in [('a', 1), ('b', 1), ('c', 1), ('a', 2)] {
        keep(&store, vec![wire(trace, id)]).await;
    }
    assert_eq!(kept(&store), ["a1", "a2", "c1"]);
}

#[tokio::test]
async fn refuses_spans_of_a_trace_that_alone_fills_the_store() {
    let store = store(2, usize::MAX);
    keep(&store, vec![wire('b', 1)]).await;
    let mut answers = Vec::new();
    for id in 1..=3 {
        answers.push(keep(&store, vec![wire('a', id)]).await.rejected);
    }
    assert_eq!(answers, [0, 0, 1]);
    assert_eq!(kept(&store), ["a1", "a2"]);
    assert_eq!(store.counts().too_large, 1);
}

#[tokio::test]
async fn a_request_larger_than_the_store_leaves_its_last_traces() {
    let store = store(3, usize::MAX);
    keep(&store, vec![wire('z', 1)]).await;
    let many = "abcde".chars().map(|trace| wire(trace, 1)).collect();
    assert_eq!(keep(&store, many).await.kept, 5);
    assert_eq!(kept(&store), ["c1", "d1", "e1"]);
    assert_eq!(store.counts().evicted, 3);
}

#[tokio::test]
async fn stays_within_its_bytes_whatever_comes() {
    let all = store(usize::MAX, usize::MAX);
    keep(&all, vec![wire('a', 1)]).await;
    let one = usize::try_from(all.size().bytes).unwrap();
    let store = store(usize::MAX, one * 3);
    for trace in "abcdefgh".chars() {
        keep(&store, vec![wire(trace, 1)]).await;
        assert!(store.size().bytes <= 3 * all.size().bytes);
    }
    assert_eq!(kept(&store), ["f1", "g1", "h1"]);
    let huge = Span {
        name: "x".repeat(one * 3),
        ..wire('i', 1)
    };
    let answer = keep(&store, vec![huge]).await;
    assert_eq!(
        (answer.rejected, answer.reason),
        (1, Some("the trace alone fills this sink"))
    );
    assert_eq!(kept(&store), ["f1", "g1", "h1"], "room is not made in vain");
}

#[tokio::test]
async fn resources_count_as_bytes_and_leave_with_their_spans() {
    let store = store(usize::MAX, 250_000);
    for number in 0..50u8 {
        let service = format!("{number}-{}", "x".repeat(20_000));
        let mut span = wire('a', 1);
        span.trace_id = vec![number + 1; 16];
        let batch = SpanBatch::from_request(&request(&service, vec![span]));
        store.insert(batch, |_| ()).await.unwrap();
        assert!(store.size().bytes <= 250_000);
    }
    assert_eq!(store.size().traces, 4);
    assert_eq!(store.services().await.unwrap().len(), 4);
}

#[tokio::test]
async fn one_trace_with_a_new_resource_for_every_span_stays_within_the_bytes_too() {
    let store = store(usize::MAX, 100_000);
    for number in 1..=50u8 {
        let service = format!("{number}-{}", "x".repeat(20_000));
        let batch = SpanBatch::from_request(&request(&service, vec![wire('a', number)]));
        store.insert(batch, |_| ()).await.unwrap();
        assert!(store.size().bytes <= 100_000);
    }
}

#[tokio::test]
async fn refuses_a_span_that_is_too_large_to_be_shown() {
    let limits = Limits {
        max_span_bytes: 100,
        ..Limits::default()
    };
    let store = Store::open(Place::Memory, limits).unwrap();
    let huge = Span {
        name: "x".repeat(100),
        ..wire('a', 1)
    };
    let answer = keep(&store, vec![huge, wire('a', 2)]).await;
    assert_eq!((answer.kept, answer.rejected), (1, 1));
    assert_eq!(answer.reason, Some("the span is too large for this sink"));
}

#[tokio::test]
async fn keeps_a_copy_once_and_tells_a_conflict_from_a_retry() {
    let store = store(9, usize::MAX);
    keep(&store, vec![wire('a', 1)]).await;
    assert_eq!(
        keep(&store, vec![wire('a', 1), wire('a', 1)])
            .await
            .duplicates,
        2
    );
    let other = Span {
        name: "another".into(),
        ..wire('a', 1)
    };
    assert_eq!(keep(&store, vec![other]).await.duplicates, 1);
    assert_eq!(
        keep(&store, vec![wire('b', 1)]).await.kept,
        1,
        "ids are per trace"
    );
    let counts = store.counts();
    assert_eq!(
        (counts.duplicates, counts.conflicts, counts.accepted),
        (2, 1, 2)
    );
    assert_eq!(kept(&store), ["a1", "b1"]);
    assert_eq!(store.size().spans, 2);
}

#[tokio::test]
async fn keeps_what_is_no_copy_although_it_has_the_same_ids() {
    let store = store(9, usize::MAX);
    let rows = [
        wire('a', 1),
        Span {
            kind: 3,
            name: "client".into(),
            ..wire('a', 1)
        },
        Span {
            start_time_unix_nano: 7,
            name: "earlier".into(),
            ..wire('a', 1)
        },
        Span {
            start_time_unix_nano: u64::MAX,
            name: "never".into(),
            ..wire('a', 1)
        },
        Span {
            start_time_unix_nano: u64::MAX - 1,
            name: "nearly".into(),
            ..wire('a', 1)
        },
    ];
    assert_eq!(keep(&store, rows.to_vec()).await.kept, 5);
    let elsewhere = SpanBatch::from_request(&request("cart", vec![wire('a', 1)]));
    assert_eq!(store.insert(elsewhere, |_| ()).await.unwrap().kept, 1);
    assert_eq!(
        kept(&store),
        ["a1", "client", "earlier", "never", "nearly", "a1"]
    );
}

#[tokio::test]
async fn a_cleared_store_takes_the_same_spans_again() {
    let store = store(9, usize::MAX);
    keep(&store, vec![wire('a', 1), wire('b', 1)]).await;
    assert_eq!(kept(&store), ["a1", "b1"]);
    store.clear().unwrap();
    assert_eq!(kept(&store), [""; 0]);
    assert_eq!(store.size(), Size::default());
    assert_eq!(keep(&store, vec![wire('a', 1)]).await.kept, 1);
    assert_eq!(kept(&store), ["a1"]);
    assert_eq!(store.counts().accepted, 3);
}

#[tokio::test]
async fn a_reader_sees_new_spans_behind_evicted_ones() {
    let store = store(2, usize::MAX);
    for trace in "abcdef".chars() {
        keep(&store, vec![wire(trace, 1), wire(trace, 2)]).await;
        assert_eq!(kept(&store), [format!("{trace}1"), format!("{trace}2")]);
    }
}

#[tokio::test]
async fn a_trace_leaves_when_its_time_is_up() {
    let limits = Limits {
        max_age: Some(Duration::from_millis(50)),
        ..Limits::default()
    };
    let store = Store::open(Place::Memory, limits).unwrap();
    keep(&store, vec![wire('a', 1), wire('a', 2)]).await;
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while store.size().spans > 0 {
        assert!(std::time::Instant::now() < end, "the trace is still there");
        tokio::task::yield_now().await;
    }
    assert_eq!(store.counts().expired, 2);
    assert_eq!(kept(&store), [""; 0]);
    assert_eq!(keep(&store, vec![wire('a', 1)]).await.kept, 1);
}

#[tokio::test]
async fn whoever_sees_spans_come_or_go_sees_them_counted() {
    let store = store(4, usize::MAX);
    let (watched, done) = (store.clone(), Arc::new(AtomicBool::new(false)));
    let watcher = std::thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let mut seen = HashSet::new();
            while !done.load(Ordering::Relaxed) {
                let (counts, size) = watched.counts_and_size();
                assert_eq!(counts.accepted - counts.evicted, size.spans, "{counts:?}");
                seen.insert(counts.accepted);
            }
            seen.len()
        }
    });
    for trace in "abcdef".chars().cycle().take(1000) {
        keep(&store, vec![wire(trace, 1)]).await;
    }
    done.store(true, Ordering::Relaxed);
    let moments = watcher.join().unwrap();
    assert!(moments > 10, "only {moments} moments were seen");
    assert_eq!(store.counts().accepted, 1000);
}

#[tokio::test]
async fn a_failed_transaction_leaves_everything_as_it_was() {
    let store = store(9, usize::MAX);
    keep(&store, vec![wire('a', 1)]).await;
    let pages = full(&store);
    let large = Span {
        name: "x".repeat(1 << 20),
        ..wire('b', 1)
    };
    let refused = store
        .insert(batch(vec![wire('a', 2), large.clone()]), |_| ())
        .await;
    assert!(
        matches!(&refused, Err(Refused::Storage(cause)) if cause.contains("full")),
        "{refused:?}"
    );
    assert_eq!(kept(&store), ["a1"]);
    assert_eq!((store.size().traces, store.size().spans), (1, 1));
    assert_eq!(store.counts().refused, 2);
    assert_eq!(
        keep(&store, vec![wire('a', 3)]).await.kept,
        1,
        "what fits is taken"
    );
    pages(&store);
    assert_eq!(keep(&store, vec![wire('a', 2), large]).await.kept, 2);
}

/// Makes the database as full as a disk can be, up to the call of what is returned.
pub(super) fn full(store: &Store) -> impl FnOnce(&Store) + use<> {
    let set = |pages: i64| {
        move |writer: &mut Writer| {
            let now: i64 = writer
                .connection
                .query_row("PRAGMA page_count", [], |row| row.get(0))
                .unwrap();
            let pragma = format!("PRAGMA max_page_count = {}", now + pages);
            writer
                .connection
                .query_row(&pragma, [], |_| Ok(()))
                .unwrap();
        }
    };
    store.blocking(set(2)).unwrap();
    move |store| store.blocking(set(1 << 20)).unwrap()
}
