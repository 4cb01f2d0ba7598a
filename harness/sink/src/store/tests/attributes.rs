//! The search by attributes alone, where the sieve knows all rows, some, and none.

use super::*;
use crate::store::tests::bounds::full;

fn with(trace: u8, value: &str) -> Span {
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![1; 8],
        start_time_unix_nano: 1_000 + u64::from(trace),
        end_time_unix_nano: 2_000,
        attributes: vec![
            pair("own", Any::StringValue(value.into())),
            pair("all", Any::IntValue(7)),
        ],
        ..Span::default()
    }
}

async fn found(store: &Store, key: &str, value: &str) -> Vec<String> {
    let query = Query {
        attributes: vec![(key.into(), value.into())],
        limit: 500,
        ..Query::default()
    };
    let traces = store.search(query).await.unwrap();
    let mut ids: Vec<String> = traces
        .into_iter()
        .map(|trace| trace.trace_id[..2].to_owned())
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn what_was_there_before_the_start_is_found_as_what_comes_after() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("spans.db"));
    let limits = Limits {
        max_spans: 150,
        ..Limits::default()
    };
    let store = Store::open(place.clone(), limits).unwrap();
    for trace in 1..=100 {
        keep(&store, vec![with(trace, &format!("v{trace}"))]).await;
    }
    assert_eq!(found(&store, "own", "v1").await, ["01"]);
    assert_eq!(found(&store, "own", "v100").await, ["64"]);
    assert_eq!(found(&store, "own", "v101").await, [""; 0]);
    assert_eq!(found(&store, "all", "7").await.len(), 100);
    drop(store);
    let store = Store::open(place, limits).unwrap();
    for trace in 101..=200 {
        assert_eq!(found(&store, "own", "v60").await, ["3c"], "{trace}");
        keep(&store, vec![with(trace, &format!("v{trace}"))]).await;
        let value = format!("v{trace}");
        assert_eq!(found(&store, "own", &value).await.len(), 1, "{value}");
    }
    assert_eq!(store.size().spans, 150);
    assert_eq!(found(&store, "own", "v50").await, [""; 0], "evicted");
    assert_eq!(found(&store, "own", "v51").await, ["33"]);
    assert_eq!(found(&store, "all", "7").await.len(), 150);
}

#[tokio::test]
async fn an_eviction_that_did_not_happen_hides_nothing() {
    let limits = Limits {
        max_spans: 200,
        ..Limits::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Place::File(folder.path().join("spans.db")), limits).unwrap();
    for trace in 1..=200 {
        keep(&store, vec![with(trace, &format!("v{trace}"))]).await;
    }
    let pages = full(&store);
    let large = Span {
        name: "x".repeat(1 << 20),
        ..with(250, "large")
    };
    let refused = store.insert(batch(vec![large]), |_| ()).await;
    assert!(matches!(refused, Err(Refused::Storage(_))), "{refused:?}");
    for trace in 1..=200u8 {
        let own = found(&store, "own", &format!("v{trace}")).await;
        assert_eq!(own, [format!("{trace:02x}")]);
    }
    drop(pages);
}
