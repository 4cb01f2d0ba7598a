//! Snapshots of a sink, and waiting until a snapshot satisfies a condition.
//!
//! A waiter looks, then sleeps until something arrives, then looks again: it does not poll, and misses nothing that arrives
//! between looking and sleeping. When time is up, the error shows everything that has arrived, because a reader needs that
//! next.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::store::{Counts, RequestRecord, StoredSpan};

/// The contents of a sink at one moment, cheap to take because spans are shared.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// All spans: traces in the order of arrival, and within a trace spans in the order of arrival.
    pub spans: Vec<Arc<StoredSpan>>,
    /// The last requests, the oldest first.
    pub requests: Vec<Arc<RequestRecord>>,
    /// The counts since the sink was started.
    pub counts: Counts,
}

impl Snapshot {
    /// Returns the spans of one trace, in the order of their arrival.
    pub fn trace(&self, trace_id: &str) -> Vec<StoredSpan> {
        let of_trace = self.spans.iter().filter(|span| span.trace_id == trace_id);
        of_trace.map(|span| StoredSpan::clone(span)).collect()
    }

    /// Returns the ids of all traces, in the order of their arrival.
    pub fn trace_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .spans
            .iter()
            .map(|span| span.trace_id.clone())
            .collect();
        ids.dedup();
        ids
    }
}

/// The error of a wait whose time was up.
#[derive(Clone, Debug)]
pub struct Timeout {
    /// The time that was waited.
    pub waited: Duration,
    /// The sink's contents at the end of the time.
    pub arrived: Box<Snapshot>,
}

impl std::error::Error for Timeout {}

impl fmt::Display for Timeout {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot {
            spans,
            requests,
            counts,
        } = self.arrived.as_ref();
        let (spans_here, waited) = (spans.len(), self.waited);
        write!(
            out,
            "after {waited:?}: {spans_here} spans in {} requests",
            counts.requests
        )?;
        for request in requests.iter().rev().take(SHOWN).rev() {
            let RequestRecord {
                number,
                method,
                path,
                spans,
                answer,
                ..
            } = request.as_ref();
            write!(
                out,
                "\n  request {number}: {method} {path}, {spans} spans, {answer:?}"
            )?;
        }
        let mut traces: BTreeMap<&str, Vec<&StoredSpan>> = BTreeMap::new();
        for span in spans {
            traces.entry(&span.trace_id).or_default().push(span);
        }
        let mut left = SHOWN;
        for (trace_id, spans) in traces {
            if left == 0 {
                return write!(out, "\n  …");
            }
            write!(out, "\n  trace {trace_id}: {} spans", spans.len())?;
            for span in spans.iter().take(left) {
                let parent = span.parent_span_id.as_deref().unwrap_or("none");
                let (service, kind, name, id) =
                    (span.service(), span.kind, &span.name, &span.span_id);
                write!(out, "\n    {service} {kind} {name:?} {id}, parent {parent}")?;
            }
            left = left.saturating_sub(spans.len());
        }
        Ok(())
    }
}

/// The number of requests, and of spans, that an error shows, because a test's output is read by a person.
const SHOWN: usize = 20;

/// Waits until `look` returns a value.
///
/// # Errors
/// [`Timeout`] when `look` has returned no value in time.
pub(crate) async fn until<T>(
    mut changes: watch::Receiver<u64>,
    time: Duration,
    take: impl Fn() -> Snapshot,
    mut look: impl FnMut(&Snapshot) -> Option<T>,
) -> Result<T, Timeout> {
    let end = tokio::time::Instant::now() + time;
    loop {
        // Changes are marked as seen before looking, because a later change must wake the wait below.
        changes.borrow_and_update();
        if let Some(found) = look(&take()) {
            return Ok(found);
        }
        let woken = tokio::time::timeout_at(end, changes.changed()).await;
        if !matches!(woken, Ok(Ok(()))) {
            // One more look, because a change may have arrived together with the end of the time.
            let arrived = take();
            return look(&arrived).ok_or(Timeout {
                waited: time,
                arrived: Box::new(arrived),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::span;

    #[tokio::test]
    async fn is_woken_by_a_change_and_looks_again() {
        let (changed, changes) = watch::channel(0);
        let mut looks = 0;
        let wait = until(changes, Duration::from_secs(60), Snapshot::default, |_| {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        let change = async {
            for n in 1..=9 {
                changed.send_replace(n);
                tokio::task::yield_now().await;
            }
        };
        let (found, ()) = tokio::join!(wait, change);
        assert_eq!(found.unwrap(), 3);
    }

    #[tokio::test]
    async fn shows_what_did_arrive_when_time_is_up() {
        let (_changed, changes) = watch::channel(0);
        let take = || Snapshot {
            spans: vec![Arc::new(span("2", Some("1")))],
            ..Snapshot::default()
        };
        let timeout = until(changes, Duration::from_millis(1), take, |_| None::<()>).await;
        assert_eq!(
            timeout.unwrap_err().to_string(),
            "after 1ms: 1 spans in 0 requests\n  trace aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1 spans\n    \
             shop SERVER \"span 2\" 0000000000000002, parent 0000000000000001"
        );
    }
}
