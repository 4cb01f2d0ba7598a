//! The handling of an export request that both transports share: its record, a scripted answer, and its spans.
//!
//! The record of a request changes on the store's thread right after the commit of its spans, so that a test that has seen
//! the spans also sees the answer. Invariant: a change is announced after it is visible, never before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use http::request::Parts;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use tokio::sync::watch;

use super::memory::{Memory, Share};
use super::message::Message;
use super::received::{Counters, Received};
use super::refusal::Refusal;
use super::signal::Signal;
use crate::forward::Destinations;
use crate::metrics::Metrics;
use crate::script::{Faults, Plan, Reply, Script};
use crate::store::request_log::RequestLog;
use crate::store::{
    Answer, Counts, Limits, RecordedHeaders, Refused, RequestRecord, SpanBatch, Store, Transport,
};
use crate::wait::Snapshot;

/// The part of a sink that all its connections share.
#[derive(Debug)]
pub(crate) struct Ingest {
    limits: Limits,
    store: Store,
    destinations: Destinations,
    requests: Arc<RequestLog>,
    script: Mutex<Script>,
    memory: Memory,
    counters: Counters,
    metrics: Metrics,
    changes: watch::Sender<u64>,
}

/// A reset of the connection or stream, because a script asks for it or the client broke off.
#[derive(Debug, thiserror::Error)]
#[error("reset")]
pub(crate) struct Reset;

impl Ingest {
    pub(crate) fn new(
        store: Store,
        destinations: Destinations,
        limits: Limits,
        faults: Faults,
        metrics: Metrics,
    ) -> Self {
        Self {
            limits,
            store,
            destinations,
            requests: Arc::new(RequestLog::new(limits.max_requests)),
            script: Mutex::new(Script::new(faults)),
            memory: Memory::new(limits.max_request_bytes),
            counters: Counters::default(),
            metrics,
            changes: watch::Sender::new(0),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        held(&self.script).append(replies);
    }

    /// Takes the plan for the next request; one whose body is refused as too large takes none.
    pub(crate) fn plan(&self, message: &Result<Message, Refusal>) -> Plan {
        match message {
            Err(refusal) if refusal.http == StatusCode::PAYLOAD_TOO_LARGE => Plan {
                delay: None,
                reply: Reply::Ok,
            },
            _ => held(&self.script).take(),
        }
    }

    /// Returns the memory of one request, of which none is taken yet.
    pub(crate) fn share(&self) -> Share {
        self.memory.share()
    }

    /// Returns the counts of what is refused or dropped before it reaches the store, for additions.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns those counts.
    pub(crate) fn received(&self) -> Received {
        self.counters.now()
    }

    /// Returns the metrics.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Records a request that has arrived, and returns its number.
    pub(crate) fn open(&self, parts: &Parts, transport: Transport, wire_bytes: usize) -> u64 {
        let headers = parts.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let record = RequestRecord {
            number: 0,
            transport,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            headers: RecordedHeaders::new(headers),
            wire_bytes,
            spans: 0,
            answer: Answer::Pending,
        };
        self.store.count(|counts| counts.requests += 1);
        let number = self.requests.open(record);
        self.announce();
        number
    }

    /// Records the answer to a request whose spans are not kept.
    pub(crate) fn answer(&self, number: u64, answer: Answer) {
        self.requests.amend(number, |record| record.answer = answer);
        self.announce();
    }

    /// Records and counts the refusal of a request.
    pub(crate) fn refuse(&self, number: u64, answer: Answer, refusal: &Refusal) {
        self.counters.refusal(refusal);
        self.answer(number, answer);
    }

    /// Keeps the spans of a request, records the answer, and returns the body of a success. The last `withheld` spans are
    /// not kept, or else as many as the faults reject.
    ///
    /// # Errors
    /// A refusal, when the store cannot keep them.
    pub(crate) async fn keep(
        &self,
        number: u64,
        answer: Answer,
        mut batch: SpanBatch,
        withheld: Option<usize>,
    ) -> Result<ExportTraceServiceResponse, Refusal> {
        let found = batch.found();
        let rejected = withheld.unwrap_or_else(|| held(&self.script).reject(batch.len()));
        let withheld = batch.withhold(rejected);
        let (invalid, reason) = batch.invalid();
        let (store, requests) = (self.store.numbers(), Arc::clone(&self.requests));
        let changes = self.changes.clone();
        let committed = move |result: &Result<_, Refused>| {
            if result.is_ok() {
                store.count(|counts| {
                    counts.invalid += u64::try_from(invalid).unwrap_or(u64::MAX);
                    counts.scripted += u64::try_from(withheld).unwrap_or(u64::MAX);
                });
                requests.amend(number, |record| {
                    record.answer = answer;
                    record.spans = found;
                });
            }
            changes.send_modify(|count| *count += 1);
        };
        let inserted = self.store.insert(batch, committed).await;
        let inserted = inserted.map_err(|refused| Refusal::not_stored(&refused))?;
        let own = u64::try_from(invalid + withheld).unwrap_or(u64::MAX);
        let rejected = inserted.rejected.saturating_add(own);
        let scripted = (withheld > 0).then_some("as scripted");
        let reason = reason.or(inserted.reason).or(scripted);
        // Present and empty on success, because the Collector sends these very bytes.
        Ok(ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
                error_message: reason.unwrap_or_default().to_owned(),
            }),
        })
    }

    /// Counts a request for logs or metrics, and its records.
    pub(crate) fn count_other_signal(&self, signal: Signal, records: u64) {
        self.counters.dropped(signal, records);
        self.store.count(|counts| counts.other_signals += 1);
        self.announce();
    }

    pub(crate) fn clear(&self) {
        if let Err(error) = self.store.clear() {
            log::error!("cannot clear the store: {error}");
        }
        self.requests.clear();
        self.announce();
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the destinations that spans are forwarded to.
    pub(crate) fn destinations(&self) -> &Destinations {
        &self.destinations
    }

    pub(crate) fn counts(&self) -> Counts {
        self.store.counts()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let (requests, numbers) = (Arc::clone(&self.requests), self.store.numbers());
        match self.store.all(move || (requests.all(), numbers.counts())) {
            Ok((spans, (requests, counts))) => Snapshot {
                spans,
                requests,
                counts,
            },
            Err(error) => {
                log::error!("cannot read the store: {error}");
                Snapshot::default()
            }
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

/// Locks a mutex, even after a panic, because no half-done change matters more than that the sink goes on.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ingest of a sink, as each connection holds it.
pub(crate) type Shared = Arc<Ingest>;
