//! The stream of traces that change, as server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! What changes while the client reads is told once: a trace of many requests has one event for all that came meanwhile.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::timeout;

use super::produced::{Broken, Pipe};
use super::summary::write_summary;
use crate::store::{Query, Store};

/// The time without an event after which a comment tells both ends that the other is there.
const QUIET: Duration = Duration::from_secs(15);

type Arrivals = Receiver<Arc<[[u8; 16]]>>;

/// Writes the summary of each trace that changes and that the conditions find, until nobody reads.
pub(super) async fn follow(
    store: Store,
    query: Query,
    mut arrivals: Arrivals,
    pipe: Pipe,
) -> Result<(), Broken> {
    let mut is_read = pipe
        .send(Bytes::from_static(b": following\n\n"))
        .await
        .is_ok();
    while is_read {
        let (changed, missed) = match timeout(QUIET, arrivals.recv()).await {
            Err(_) => {
                is_read = pipe.send(Bytes::from_static(b": quiet\n\n")).await.is_ok();
                continue;
            }
            Ok(Err(RecvError::Closed)) => break,
            Ok(Err(RecvError::Lagged(missed))) => gather(&mut arrivals, Vec::new(), missed),
            Ok(Ok(first)) => gather(&mut arrivals, first.to_vec(), 0),
        };
        if missed > 0 {
            let event = format!("event: lagged\ndata: {{\"requests\":{missed}}}\n\n");
            is_read = pipe.send(Bytes::from(event)).await.is_ok();
        }
        for id in changed {
            let summary = store.summary_if(id, query.clone()).await;
            let summary = summary.map_err(|error| {
                log::error!("a follower is left: {error}");
                Broken
            })?;
            if let Some(summary) = summary {
                let event = format!("data: {}\n\n", write_summary(&summary));
                is_read = pipe.send(Bytes::from(event)).await.is_ok();
            }
        }
    }
    Ok(())
}

/// Adds all that has arrived by now; returns each trace once, in the order of their last change, and the number of
/// requests that came and went unseen.
fn gather(
    arrivals: &mut Arrivals,
    mut changed: Vec<[u8; 16]>,
    mut missed: u64,
) -> (Vec<[u8; 16]>, u64) {
    loop {
        match arrivals.try_recv() {
            Ok(ids) => changed.extend(ids.iter()),
            Err(TryRecvError::Lagged(more)) => missed = missed.saturating_add(more),
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    let mut seen = HashSet::new();
    let mut last: Vec<[u8; 16]> = changed
        .into_iter()
        .rev()
        .filter(|id| seen.insert(*id))
        .collect();
    last.reverse();
    (last, missed)
}
