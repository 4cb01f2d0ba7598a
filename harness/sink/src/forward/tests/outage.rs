//! Destinations that are away, and sinks that end meanwhile.

use super::*;
use crate::Limits;

fn numbers(count: u64) -> Vec<u64> {
    (0..count).collect()
}

#[tokio::test]
async fn a_destination_that_was_away_gets_everything_once_and_in_order() {
    for is_grpc in [true, false] {
        let second = sink().await;
        let destination = if is_grpc {
            grpc(&second)
        } else {
            http(&second)
        };
        let first = forwarding(to(vec![destination])).await;
        for number in 0..30 {
            if number == 10 {
                arrived(&second, 10).await;
                second.pause().await;
            }
            if number == 20 {
                let bad = state(&first, |it| it.failed_attempts >= 3).await;
                assert!(bad.failure.is_some(), "{bad:?}");
                assert!(bad.backlog.messages >= 10, "{bad:?}");
                second.resume().await.unwrap();
            }
            keep(&first, [number]).await;
        }
        assert_eq!(arrived(&second, 30).await, numbers(30));
        let well = state(&first, |it| it.backlog.messages == 0).await;
        first.stop().await;
        assert_eq!((well.delivered_spans, well.failure), (30, None));
        assert_eq!(second.counts().accepted, 30);
    }
}

/// Keeps messages for a destination that is away, then lets it come back with a script, and returns its requests.
async fn waited(second: &Sink, count: u64, script: Vec<Reply>) -> Forwarding {
    second.pause().await;
    let forward = Forward {
        max_request_bytes: Forward::default().max_request_bytes,
        ..to(vec![grpc(second)])
    };
    let first = forwarding(forward).await;
    for number in 0..count {
        keep(&first, [number]).await;
    }
    // An attempt that is under way may have begun with fewer.
    let begun = state(&first, |_| true).await.failed_attempts;
    state(&first, |it| it.failed_attempts >= begun + 2).await;
    second.script(script);
    second.resume().await.unwrap();
    state(&first, |it| it.backlog.messages == 0).await
}

#[tokio::test]
async fn what_waits_goes_out_in_one_request() {
    let second = sink().await;
    let state = waited(&second, 50, vec![]).await;
    assert_eq!(state.delivered_spans, 50);
    assert_eq!(arrived(&second, 50).await, numbers(50));
    assert_eq!(second.requests().len(), 1);
}

#[tokio::test]
async fn of_a_request_that_is_refused_only_the_part_is_set_aside_that_is_refused_alone() {
    let second = sink().await;
    let refused = || Reply::Status(400, None);
    let script = vec![refused(), Reply::Ok, refused(), Reply::Ok];
    let state = waited(&second, 4, script).await;
    assert_eq!((state.delivered_spans, state.refused_spans), (3, 1));
    assert_eq!(state.backlog.set_aside, 1);
    assert_eq!(arrived(&second, 3).await, [0, 2, 3]);
    assert_eq!(second.requests().len(), 5);
}

#[tokio::test]
async fn one_that_is_down_does_not_hold_up_another() {
    let (second, third) = (sink().await, sink().await);
    third.pause().await;
    let first = forwarding(to(vec![http(&third), grpc(&second)])).await;
    for number in 0..10 {
        keep(&first, [number]).await;
    }
    assert_eq!(arrived(&second, 10).await, numbers(10));
    let waiting = first.forwarding().await.unwrap()[0].backlog.spans;
    assert_eq!(waiting, 10);
    third.resume().await.unwrap();
    assert_eq!(arrived(&third, 10).await, numbers(10));
}

#[tokio::test]
async fn what_waits_in_a_file_goes_out_with_the_next_sink() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("spans.db"));
    let second = sink().await;
    second.pause().await;
    let first = keeping(place.clone(), to(vec![grpc(&second)])).await;
    for number in 0..10 {
        keep(&first, [number]).await;
    }
    first.stop().await;
    second.resume().await.unwrap();
    let again = keeping(place, to(vec![grpc(&second)])).await;
    keep(&again, [10]).await;
    assert_eq!(arrived(&second, 11).await, numbers(11));
    again.stop().await;
    assert_eq!(second.counts().accepted, 11);
}

#[tokio::test]
async fn a_sink_that_stops_sends_what_is_taken_at_once() {
    let second = sink().await;
    second.pause().await;
    let first = forwarding(Forward {
        retry: Retry {
            initial: NEVER,
            max: NEVER,
            max_asked: NEVER,
        },
        ..to(vec![grpc(&second)])
    })
    .await;
    for number in 0..10 {
        keep(&first, [number]).await;
    }
    state(&first, |it| it.failed_attempts == 1).await;
    second.resume().await.unwrap();
    first.stop_forwarding().await;
    let [end] = first.forwarding().await.unwrap().try_into().unwrap();
    assert_eq!((end.delivered_spans, end.backlog.messages), (10, 0));
    assert_eq!(arrived(&second, 10).await, numbers(10));
}

#[tokio::test]
async fn a_sink_that_stops_waits_no_longer_than_it_is_told() {
    let second = sink().await;
    second.script([Reply::Delay(NEVER)]);
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("spans.db"));
    let forward = Forward {
        flush: Duration::from_millis(20),
        ..to(vec![grpc(&second)])
    };
    let first = keeping(place.clone(), forward.clone()).await;
    keep(&first, [1]).await;
    second.wait_for_requests(1, LIMIT).await.unwrap();
    first.stop_forwarding().await;
    let [end] = first.forwarding().await.unwrap().try_into().unwrap();
    assert_eq!((end.delivered_spans, end.backlog.messages), (0, 1));
    first.stop().await;
    let _again = keeping(place, forward).await;
    assert_eq!(arrived(&second, 1).await, [1]);
}

#[tokio::test]
async fn a_destination_that_answers_too_late_is_asked_again() {
    let second = sink().await;
    second.script([Reply::Delay(NEVER)]);
    let forward = Forward {
        timeout: Duration::from_millis(100),
        ..to(vec![http(&second)])
    };
    let first = forwarding(forward).await;
    keep(&first, [1]).await;
    assert_eq!(arrived(&second, 1).await, [1]);
    let state = state(&first, |it| it.delivered_spans == 1).await;
    assert!(state.failed_attempts >= 1, "{state:?}");
}

#[tokio::test]
async fn a_full_queue_drops_its_oldest_and_counts_them() {
    let second = sink().await;
    second.pause().await;
    let config = SinkConfig {
        limits: Limits {
            max_forward_bytes: 300,
            ..Limits::default()
        },
        forward: to(vec![grpc(&second)]),
        ..SinkConfig::default()
    };
    let first = Sink::start(config).await.unwrap();
    for number in 0..100 {
        keep(&first, [number]).await;
    }
    let full = state(&first, |it| it.failed_attempts > 0).await.backlog;
    assert!(full.bytes <= 300, "{full:?}");
    assert_eq!(full.spans + full.dropped_spans, 100);
    second.resume().await.unwrap();
    let left = usize::try_from(full.spans).unwrap();
    let newest: Vec<u64> = (full.dropped_spans..100).collect();
    assert_eq!(arrived(&second, left).await, newest);
}
