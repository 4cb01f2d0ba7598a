//! The contents of a sink: spans by trace, and the last requests, within bounds.
//!
//! A trace with a missing span is worse than no trace, so room is made by evicting whole traces, the oldest by arrival
//! first. Only a single trace that is larger than the store loses spans, and then the answer counts them as rejected. OTLP
//! allows a sender to repeat a request whose answer was lost: a span that the store has already is counted and not kept
//! twice. Invariants: `spans <= max_spans`, `bytes <= max_bytes`, `requests <= max_requests`.

mod request_record;
#[cfg(test)]
pub(crate) mod samples;
mod span;
mod value;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

pub use request_record::{Answer, RequestRecord, Transport};
pub use span::{Event, Link, Resource, Scope, SpanKind, SpanStatus, StatusCode, StoredSpan};
pub use value::{Attribute, Value};

/// The bounds of a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of spans.
    pub max_spans: usize,
    /// The memory of the spans, as estimated from their content.
    pub max_bytes: usize,
    /// The size of one request, on the wire and inflated. The default is OTLP's recommendation, 64 MiB.
    pub max_request_bytes: usize,
    /// The number of request records.
    pub max_requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_spans: 100_000,
            max_bytes: 256 << 20,
            max_request_bytes: 64 << 20,
            max_requests: 1_000,
        }
    }
}

/// The counts since the start of a sink; clearing does not reset them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests for the traces path, whatever their answer.
    pub requests: u64,
    /// Spans kept, evicted spans included.
    pub accepted: u64,
    /// Spans refused because their ids are invalid.
    pub invalid: u64,
    /// Spans refused because their trace alone fills the store.
    pub too_large: u64,
    /// Spans refused because a script asks for it.
    pub scripted: u64,
    /// Spans that the store had already, equal in every field.
    pub duplicates: u64,
    /// Spans with the ids of a stored span but another content: two spans claim one id.
    pub conflicts: u64,
    /// Spans evicted with their trace to make room.
    pub evicted: u64,
    /// Requests for logs or metrics.
    pub other_signals: u64,
}

/// The result of keeping one span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// A span that is now in the store.
    New,
    /// A span that was in the store already.
    Again,
    /// A span whose trace alone fills the store.
    TooLarge,
}

#[derive(Debug, Default)]
struct Trace {
    arrival: u64,
    bytes: usize,
    spans: Vec<Arc<StoredSpan>>,
    by_id: HashMap<String, usize>,
}

/// The spans and requests of one sink.
#[derive(Debug)]
pub(crate) struct Store {
    limits: Limits,
    counts: Counts,
    traces: HashMap<String, Trace>,
    /// Trace ids by arrival: the first is the oldest.
    order: BTreeMap<u64, String>,
    arrivals: u64,
    spans: usize,
    bytes: usize,
    requests: VecDeque<Arc<RequestRecord>>,
    next_request: u64,
}

impl Store {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            counts: Counts::default(),
            traces: HashMap::new(),
            order: BTreeMap::new(),
            arrivals: 0,
            spans: 0,
            bytes: 0,
            requests: VecDeque::new(),
            next_request: 0,
        }
    }

    /// Keeps a span, and evicts the oldest other traces until the span fits.
    pub(crate) fn keep(&mut self, span: StoredSpan) -> Kept {
        if let Some(known) = self.find(&span) {
            if *known == span {
                self.counts.duplicates += 1;
            } else {
                self.counts.conflicts += 1;
                log::warn!(
                    "two spans have the id {} of trace {}",
                    span.span_id,
                    span.trace_id
                );
            }
            return Kept::Again;
        }
        let cost = span.cost_bytes();
        let (own_spans, own_bytes) = self
            .traces
            .get(&span.trace_id)
            .map_or((0, 0), |trace| (trace.spans.len(), trace.bytes));
        if own_spans >= self.limits.max_spans
            || own_bytes.saturating_add(cost) > self.limits.max_bytes
        {
            self.counts.too_large += 1;
            return Kept::TooLarge;
        }
        while self.spans >= self.limits.max_spans
            || self.bytes.saturating_add(cost) > self.limits.max_bytes
        {
            if !self.evict_oldest_but(&span.trace_id) {
                break;
            }
        }
        self.insert(span, cost);
        Kept::New
    }

    fn find(&self, span: &StoredSpan) -> Option<&StoredSpan> {
        let trace = self.traces.get(&span.trace_id)?;
        let index = trace.by_id.get(&span.span_id)?;
        trace.spans.get(*index).map(Arc::as_ref)
    }

    fn insert(&mut self, span: StoredSpan, cost: usize) {
        let trace = self.traces.entry(span.trace_id.clone()).or_insert_with(|| {
            self.arrivals += 1;
            self.order.insert(self.arrivals, span.trace_id.clone());
            Trace {
                arrival: self.arrivals,
                ..Trace::default()
            }
        });
        trace.by_id.insert(span.span_id.clone(), trace.spans.len());
        trace.bytes += cost;
        trace.spans.push(Arc::new(span));
        self.spans += 1;
        self.bytes += cost;
        self.counts.accepted += 1;
    }

    fn evict_oldest_but(&mut self, trace_id: &str) -> bool {
        let oldest = self.order.values().find(|id| id.as_str() != trace_id);
        let Some(trace) = oldest.and_then(|id| self.traces.remove(id)) else {
            return false;
        };
        self.order.remove(&trace.arrival);
        self.spans -= trace.spans.len();
        self.bytes -= trace.bytes;
        self.counts.evicted += u64::try_from(trace.spans.len()).unwrap_or(u64::MAX);
        true
    }

    /// Adds the record of a request and returns its number.
    pub(crate) fn open(&mut self, record: RequestRecord) -> u64 {
        let number = self.next_request;
        self.next_request += 1;
        self.counts.requests += 1;
        self.requests
            .push_back(Arc::new(RequestRecord { number, ..record }));
        while self.requests.len() > self.limits.max_requests {
            self.requests.pop_front();
        }
        number
    }

    /// Changes the record of a request, unless the record has left the store.
    pub(crate) fn amend(&mut self, number: u64, change: impl FnOnce(&mut RequestRecord)) {
        let found = self.requests.iter_mut().rev().find(|r| r.number == number);
        if let Some(record) = found {
            change(Arc::make_mut(record));
        }
    }

    /// Removes all spans and requests; the counts stay.
    pub(crate) fn clear(&mut self) {
        self.traces.clear();
        self.order.clear();
        self.requests.clear();
        self.spans = 0;
        self.bytes = 0;
    }

    /// Returns the counts, for additions.
    pub(crate) fn counts_mut(&mut self) -> &mut Counts {
        &mut self.counts
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns all spans: traces in the order of arrival, and within a trace spans in the order of arrival.
    pub(crate) fn spans(&self) -> Vec<Arc<StoredSpan>> {
        let traces = self.order.values().filter_map(|id| self.traces.get(id));
        traces
            .flat_map(|trace| trace.spans.iter().cloned())
            .collect()
    }

    pub(crate) fn requests(&self) -> Vec<Arc<RequestRecord>> {
        self.requests.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::samples::span;
    use super::*;

    fn store(max_spans: usize, max_bytes: usize) -> Store {
        Store::new(Limits {
            max_spans,
            max_bytes,
            ..Limits::default()
        })
    }

    fn in_trace(trace: char, id: &str) -> StoredSpan {
        StoredSpan {
            trace_id: trace.to_string().repeat(32),
            ..span(id, None)
        }
    }

    fn kept(store: &Store) -> Vec<String> {
        let short = |s: &Arc<StoredSpan>| format!("{}{}", &s.trace_id[..1], &s.span_id[15..]);
        store.spans().iter().map(short).collect()
    }

    #[test]
    fn makes_room_by_dropping_the_whole_oldest_trace() {
        let mut store = store(4, usize::MAX);
        for (trace, id) in [('a', "1"), ('b', "1"), ('a', "2"), ('b', "2"), ('c', "1")] {
            assert_eq!(store.keep(in_trace(trace, id)), Kept::New);
        }
        assert_eq!(kept(&store), ["b1", "b2", "c1"]);
        assert_eq!(store.counts().evicted, 2);
    }

    #[test]
    fn never_drops_the_trace_that_a_span_arrives_for() {
        let mut store = store(3, usize::MAX);
        for (trace, id) in [('a', "1"), ('b', "1"), ('c', "1"), ('a', "2")] {
            store.keep(in_trace(trace, id));
        }
        assert_eq!(kept(&store), ["a1", "a2", "c1"]);
    }

    #[test]
    fn refuses_spans_of_a_trace_that_alone_fills_the_store() {
        let mut store = store(2, usize::MAX);
        store.keep(in_trace('b', "1"));
        let answers = ["1", "2", "3"].map(|id| store.keep(in_trace('a', id)));
        assert_eq!(answers, [Kept::New, Kept::New, Kept::TooLarge]);
        assert_eq!(kept(&store), ["a1", "a2"]);
        assert_eq!(store.counts().too_large, 1);
    }

    #[test]
    fn stays_within_its_bytes_whatever_comes() {
        let one = in_trace('a', "1").cost_bytes();
        let mut store = store(usize::MAX, one * 3);
        for trace in "abcdefgh".chars() {
            store.keep(in_trace(trace, "1"));
            let sum: usize = store.spans().iter().map(|s| s.cost_bytes()).sum();
            assert_eq!(sum, store.bytes);
            assert!(sum <= one * 3);
        }
        assert_eq!(kept(&store), ["f1", "g1", "h1"]);
        let huge = StoredSpan {
            name: "x".repeat(one * 3),
            ..in_trace('i', "1")
        };
        assert_eq!(store.keep(huge), Kept::TooLarge);
        assert_eq!(kept(&store), ["f1", "g1", "h1"], "room is not made in vain");
    }

    #[test]
    fn keeps_a_repeated_span_once_and_tells_a_conflict_from_a_retry() {
        let mut store = store(9, usize::MAX);
        store.keep(in_trace('a', "1"));
        assert_eq!(store.keep(in_trace('a', "1")), Kept::Again);
        let other = StoredSpan {
            name: "another".into(),
            ..in_trace('a', "1")
        };
        assert_eq!(store.keep(other), Kept::Again);
        assert_eq!(
            store.keep(in_trace('b', "1")),
            Kept::New,
            "ids are per trace"
        );
        let counts = store.counts();
        assert_eq!((counts.duplicates, counts.conflicts), (1, 1));
        assert_eq!(kept(&store), ["a1", "b1"]);
    }

    #[test]
    fn a_cleared_store_takes_the_same_spans_again() {
        let mut store = store(9, usize::MAX);
        store.keep(in_trace('a', "1"));
        store.clear();
        assert_eq!(store.keep(in_trace('a', "1")), Kept::New);
        assert_eq!(store.counts().accepted, 2);
    }
}
