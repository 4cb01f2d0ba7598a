//! Load on the whole path while something changes, and what it tells.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sidespan_envoy::wait_for;
use sidespan_tests::caller::Caller;
use sidespan_tests::http::{Outcome, Request, open_loop};
use sidespan_tests::peers::istio::{Mesh, Path, SPANS};

use super::super::path::wait_until_whole;

/// Requests a second.
pub(super) const RATE: u32 = 200;

/// All requests of a load, and the spans that each left.
pub(super) struct Report {
    pub(super) outcomes: Vec<Outcome>,
    spans: Vec<usize>,
}

/// Sends requests through the whole path, each with a sampled context of its own, while `change` runs. It gets a function that
/// returns after a time of load.
pub(super) fn under_load(
    mesh: &Mesh,
    path: &Path,
    change: impl FnOnce(&dyn Fn(Duration)),
) -> Report {
    let (outcomes, traces) = load(path, change);
    // What a later request left says that all earlier spans have arrived.
    wait_until_whole(mesh, path);
    let mut of_trace: BTreeMap<String, usize> = BTreeMap::new();
    for span in mesh.collector().sink().spans() {
        *of_trace.entry(span.trace_id.clone()).or_default() += 1;
    }
    let spans = traces.iter();
    let spans = spans.map(|trace| of_trace.get(trace).copied().unwrap_or(0));
    Report {
        outcomes,
        spans: spans.collect(),
    }
}

/// Sends requests as [`under_load`] does, where no spans are to be: of none is it told that spans are missing.
pub(super) fn untraced(path: &Path, change: impl FnOnce(&dyn Fn(Duration))) -> Report {
    let (outcomes, _) = load(path, change);
    let spans = vec![SPANS; outcomes.len()];
    Report { outcomes, spans }
}

/// Sends the requests, and returns what became of each and the trace that it was to be in.
fn load(path: &Path, change: impl FnOnce(&dyn Fn(Duration))) -> (Vec<Outcome>, Vec<String>) {
    let callers = Mutex::new(BTreeMap::new());
    let make = |number| {
        let caller = Caller::fresh();
        let request = Request::get("/load").header("traceparent", caller.traceparent());
        let mut callers = callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.insert(number, caller.trace_id);
        request
    };
    let outcomes = open_loop(path.gateway.address(), RATE, make, |elapsed| {
        change(&|time| {
            let until = elapsed() + time;
            wait_for(time * 2, || (elapsed() >= until).then_some(()));
        });
    });
    let callers = callers.into_inner().unwrap_or_else(PoisonError::into_inner);
    (outcomes, callers.into_values().collect())
}

impl Report {
    /// Returns the requests that were not answered 200.
    pub(super) fn failures(&self) -> Vec<&Outcome> {
        let all = self.outcomes.iter();
        all.filter(|outcome| outcome.status != Some(200)).collect()
    }

    /// Returns the number of requests that took longer than this.
    pub(super) fn slower_than(&self, limit: Duration) -> usize {
        let all = self.outcomes.iter();
        all.filter(|outcome| outcome.took > limit).count()
    }

    /// Returns the number of requests that left less than their whole trace, and the time between the first and the last of them.
    pub(super) fn missing(&self) -> (usize, Duration) {
        let partial: Vec<_> = self
            .outcomes
            .iter()
            .zip(&self.spans)
            .filter(|(_, spans)| **spans != SPANS)
            .map(|(outcome, _)| outcome.due)
            .collect();
        let first = partial.first().copied().unwrap_or_default();
        let last = partial.last().copied().unwrap_or_default();
        (partial.len(), last.saturating_sub(first))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slowest = self.outcomes.iter().map(|outcome| outcome.took).max();
        let (partial, time) = self.missing();
        write!(
            out,
            "{} requests, {} not answered 200, slowest {:.3} s, {} over 1 s; {partial} without all spans, over {:.3} s",
            self.outcomes.len(),
            self.failures().len(),
            slowest.unwrap_or_default().as_secs_f64(),
            self.slower_than(Duration::from_secs(1)),
            time.as_secs_f64(),
        )
    }
}
