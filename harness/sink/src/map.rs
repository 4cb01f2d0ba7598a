//! The map of services: who calls whom, how often, with how many errors, how long it takes.
//!
//! ```text
//! Store ── outlines ── fact ── family ── visit ── alias ── call ── place ── tally ── write   JSON
//!                       └ peer
//! ```
//!
//! A request between two services is seen by up to four spans: the CLIENT spans of the caller's SDK and sidecar, the SERVER
//! spans of the callee's sidecar and SDK. Here it counts once. Spans that hang together at one service are a *visit*, which is
//! one request that the service received; the outgoing spans of a visit that hang together are one *call*, however often it
//! was tried. `harness/README.md` says for users what the numbers mean.
//!
//! Everything but the reading is a function of the spans, and runs on a thread where it may take its time.

mod alias;
mod call;
mod fact;
mod family;
mod peer;
mod place;
mod tally;
mod visit;
mod write;

use std::time::SystemTime;

use crate::store::{Outlines, Query, Store, StoreError};

/// Returns the map of the traces that a query finds, as JSON.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub(crate) async fn map(store: &Store, query: Query) -> Result<String, StoreError> {
    let asked = (query.from_unix_nanos, query.to_unix_nanos);
    let outlines = store.outlines(query, MAX_SPANS, &fact::KEYS).await?;
    let drawn = tokio::task::spawn_blocking(move || draw(&outlines, asked)).await;
    drawn.map_err(|_| StoreError::Stopped)
}

/// Returns the map of these spans; `asked` is the range of time that was asked for.
fn draw(outlines: &Outlines, asked: (Option<u64>, Option<u64>)) -> String {
    let mut facts = fact::Facts::default();
    let traces: Vec<visit::Visits> = outlines
        .traces
        .iter()
        .map(|trace| visit::visits(facts.read(trace, &outlines.origins)))
        .collect();
    let aliases = alias::aliases(&traces);
    let calls: Vec<Vec<call::Call>> = traces
        .iter()
        .map(|trace| call::calls(trace, &aliases))
        .collect();
    let places = place::places(calls.iter().flatten());
    let tally = tally::tally(&traces, &calls, &aliases, &places, &facts);
    write::write(&tally, outlines, asked, now())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}

/// The number of spans that a map is made of; the newest traces are taken, and those left out are counted.
const MAX_SPANS: u64 = 100_000;

#[cfg(test)]
mod tests;
