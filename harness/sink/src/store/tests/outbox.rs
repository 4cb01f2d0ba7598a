//! The queues for forwarding.

use super::*;
use prost::Message as _;

fn sent(message: &super::Message) -> Vec<String> {
    let request = ExportTraceServiceRequest::decode(message.body.clone()).unwrap();
    let scopes = request
        .resource_spans
        .iter()
        .flat_map(|resource| &resource.scope_spans);
    scopes
        .flat_map(|scope| &scope.spans)
        .map(|span| span.name.clone())
        .collect()
}

async fn store(place: Place, max_forward_bytes: usize) -> Store {
    let limits = Limits {
        max_forward_bytes,
        max_spans: 2,
        ..Limits::default()
    };
    let store = Store::open(place, limits).unwrap();
    store
        .set_destinations(vec!["one".into(), "two".into()])
        .await
        .unwrap();
    store
}

#[tokio::test]
async fn new_spans_wait_in_order_for_each_destination_and_a_copy_does_not() {
    let store = store(Place::Memory, usize::MAX).await;
    keep(&store, vec![wire('a', 1)]).await;
    keep(&store, vec![wire('a', 1), wire('b', 1)]).await;
    keep(&store, vec![wire('b', 1)]).await;
    for name in ["one", "two"] {
        let first = store.waiting(name).await.unwrap().unwrap();
        assert_eq!(sent(&first), ["a1"]);
        assert_eq!(
            store.waiting(name).await.unwrap().unwrap(),
            first,
            "until it is delivered"
        );
        store.delivered(name, first.id).await.unwrap();
        let second = store.waiting(name).await.unwrap().unwrap();
        assert_eq!((sent(&second), second.spans), (vec!["b1".to_owned()], 1));
        store.delivered(name, second.id).await.unwrap();
        assert_eq!(store.waiting(name).await.unwrap(), None);
        assert_eq!(store.backlog(name).await.unwrap(), Backlog::default());
    }
    let left: i64 = store
        .read(|connection| {
            connection.query_row("SELECT count(*) FROM message", [], |row| row.get(0))
        })
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_is_refused_for_good_is_set_aside_and_the_queue_goes_on() {
    let store = store(Place::Memory, usize::MAX).await;
    keep(&store, vec![wire('a', 1)]).await;
    keep(&store, vec![wire('b', 1)]).await;
    let first = store.waiting("one").await.unwrap().unwrap();
    store.set_aside("one", first.id, "400").await.unwrap();
    assert_eq!(sent(&store.waiting("one").await.unwrap().unwrap()), ["b1"]);
    assert_eq!(sent(&store.waiting("two").await.unwrap().unwrap()), ["a1"]);
    let backlog = store.backlog("one").await.unwrap();
    assert_eq!(
        (backlog.messages, backlog.spans, backlog.set_aside),
        (1, 1, 1)
    );
    assert_eq!(backlog.set_aside_spans, 1);
    assert_eq!(
        store.last_refusal("one").await.unwrap().as_deref(),
        Some("400")
    );
    assert_eq!(store.last_refusal("two").await.unwrap(), None);

    assert_eq!(store.resend("two").await.unwrap(), (0, 0));
    assert_eq!(store.resend("one").await.unwrap(), (1, 1));
    let again = store.waiting("one").await.unwrap().unwrap();
    assert_eq!(sent(&again), ["a1"], "in front of what came later");
    let backlog = store.backlog("one").await.unwrap();
    assert_eq!((backlog.messages, backlog.set_aside), (2, 0));
    assert_eq!(store.last_refusal("one").await.unwrap(), None);
}

#[tokio::test]
async fn a_full_queue_drops_its_oldest_and_counts() {
    let probe = store(Place::Memory, usize::MAX).await;
    keep(&probe, vec![wire('a', 1)]).await;
    let one = probe.backlog("one").await.unwrap().bytes;
    let store = store(Place::Memory, usize::try_from(one * 2).unwrap()).await;
    for trace in "abcd".chars() {
        keep(&store, vec![wire(trace, 1)]).await;
    }
    let backlog = store.backlog("one").await.unwrap();
    assert_eq!(
        (backlog.messages, backlog.bytes, backlog.dropped_spans),
        (2, one * 2, 2)
    );
    assert_eq!(sent(&store.waiting("one").await.unwrap().unwrap()), ["c1"]);
}

#[tokio::test]
async fn what_waits_survives_eviction_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("spans.db"));
    let first = store(place.clone(), usize::MAX).await;
    for trace in "abcd".chars() {
        keep(&first, vec![wire(trace, 1)]).await;
    }
    drop(first);
    let again = store(place, usize::MAX).await;
    assert_eq!(again.backlog("two").await.unwrap().messages, 4);
    assert_eq!(sent(&again.waiting("two").await.unwrap().unwrap()), ["a1"]);
}
