//! The searches under a load, and how long each of them takes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::store::{Query, StatusCode, Store};

/// The times of all searches, by what is searched for.
static TIMES: Mutex<BTreeMap<&str, Vec<Duration>>> = Mutex::new(BTreeMap::new());

/// Returns the number of searches and the 99th percentile of their times, and prints each kind's.
pub(super) fn number_and_p99() -> (usize, Duration) {
    let times = std::mem::take(&mut *TIMES.lock().unwrap());
    let mut all = Vec::new();
    for (name, mut times) in times {
        times.sort_unstable();
        let last = *times.last().unwrap();
        println!(
            "\nsearch {name}: {} times, half in {:?}, 99 % in {:?}, all in {last:?}",
            times.len(),
            percentile(&times, 50),
            percentile(&times, 99),
        );
        all.extend(times);
    }
    all.sort_unstable();
    (all.len(), percentile(&all, 99))
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let found = sorted.get(sorted.len() * percent / 100);
    found.copied().unwrap_or_default()
}

/// Searches for one thing after the other, without an end.
pub(super) async fn search_on(store: Store) {
    let text = |text: &str| Some(text.to_owned());
    let one = Query::default;
    let queries = [
        ("newest", one()),
        (
            "operation",
            Query {
                service: text("shop"),
                name: text("GET /orders/7"),
                ..one()
            },
        ),
        (
            "error",
            Query {
                status: Some(StatusCode::Error),
                ..one()
            },
        ),
        (
            "long",
            Query {
                min_duration: Some(Duration::from_secs(2)),
                ..one()
            },
        ),
        (
            "short",
            Query {
                service: text("shop"),
                max_duration: Some(Duration::from_nanos(1)),
                ..one()
            },
        ),
        (
            "absent attribute",
            Query {
                attributes: vec![("tenant".into(), "nobody".into())],
                ..one()
            },
        ),
        (
            "absent value",
            Query {
                attributes: vec![("attribute.number.10".into(), "nobody".into())],
                ..one()
            },
        ),
    ];
    loop {
        for (name, query) in &queries {
            let start = Instant::now();
            store.search(query.clone()).await.unwrap();
            let time = start.elapsed();
            TIMES.lock().unwrap().entry(name).or_default().push(time);
            // A person or a page looks now and then, and does not search without pause.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
