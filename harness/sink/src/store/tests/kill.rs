//! SIGKILL while spans arrive: this test's own program, started again as the sink that is killed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

const ROLE: &str = "SIDESPAN_TEST_STORE_TO_KILL";

#[tokio::test]
async fn every_acknowledged_span_is_there_once_after_each_of_twenty_kills() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    let mut acknowledged: HashMap<u64, u64> = HashMap::new();
    for round in 0..20u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::tests::kill::keeps_spans_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(ROLE, format!("{round}:{}", path.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after another number of acknowledgements each time, so that each part of a commit is met.
        let mut left = 5 + round * 3;
        for line in lines.map_while(Result::ok) {
            if let Some(trace) = line.strip_prefix("acknowledged ") {
                *acknowledged.entry(trace.parse().unwrap()).or_default() += SPANS;
                left = left.saturating_sub(1);
                if left == 0 {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        assert_eq!(left, 0, "round {round} ended by itself");
    }
    let limits = Limits {
        max_spans: usize::MAX,
        max_bytes: usize::MAX,
        ..Limits::default()
    };
    let store = Store::open(Place::File(path), limits).unwrap();
    assert!(acknowledged.len() > 20);
    for (trace, spans) in &acknowledged {
        let found = store.trace(trace_id(*trace)).await.unwrap();
        assert_eq!(u64::try_from(found.len()).unwrap(), *spans, "trace {trace}");
        let mut ids: Vec<&str> = found.iter().map(|span| span.span_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), found.len(), "trace {trace}");
    }
}

/// The sink that is killed; without its role it does nothing.
#[tokio::test]
#[ignore = "a part of the test above, which starts it"]
async fn keeps_spans_until_it_is_killed() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let (round, path) = role.split_once(':').unwrap();
    let limits = Limits {
        max_spans: usize::MAX,
        max_bytes: usize::MAX,
        ..Limits::default()
    };
    let store = Store::open(Place::File(path.into()), limits).unwrap();
    let round: u64 = round.parse().unwrap();
    let senders: Vec<_> = (0..4u64)
        .map(|sender| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..100_000u64 {
                    let trace = (round << 32) + (sender << 24) + number;
                    let spans = (1..=SPANS).map(|id| Span {
                        trace_id: trace_id(trace).to_vec(),
                        span_id: id.to_be_bytes().to_vec(),
                        ..wire('a', 1)
                    });
                    // Every second request is sent twice, as by a client that has lost the answer.
                    for _ in 0..=number % 2 {
                        store
                            .insert(batch(spans.clone().collect()), |_| ())
                            .await
                            .unwrap();
                    }
                    println!("acknowledged {trace}");
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
}

const SPANS: u64 = 10;

fn trace_id(number: u64) -> [u8; 16] {
    let mut id = [1; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}
