//! The handling of an export request that both transports share: its record, a scripted answer, and its spans.
//!
//! The record of a request changes on the store's thread right after the commit of its spans, so that a test that has seen
//! the spans also sees the answer. Invariant: a change is announced after it is visible, never before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use tokio::sync::watch;

use crate::script::{Reply, Script};
use crate::store::request_log::RequestLog;
use crate::store::{Answer, Counts, Limits, Refused, RequestRecord, SpanBatch, Store, Transport};
use crate::wait::Snapshot;

/// The part of a sink that all its connections share.
#[derive(Debug)]
pub(crate) struct Ingest {
    limits: Limits,
    store: Store,
    requests: Arc<RequestLog>,
    script: Mutex<Script>,
    changes: watch::Sender<u64>,
}

/// A reset of the connection or stream, because a script asks for it or the client broke off.
#[derive(Debug, thiserror::Error)]
#[error("reset")]
pub(crate) struct Reset;

/// The reasons for a missing body.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// A body over the limit.
    TooLarge,
    /// A client that broke off.
    Lost,
}

impl Ingest {
    pub(crate) fn new(store: Store, limits: Limits) -> Self {
        Self {
            limits,
            store,
            requests: Arc::new(RequestLog::new(limits.max_requests)),
            script: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        held(&self.script).append(replies);
    }

    /// Takes the scripted reply to the next request.
    pub(crate) fn take_reply(&self) -> Reply {
        held(&self.script).take()
    }

    /// Records a request that has arrived, and returns its number.
    pub(crate) fn open(&self, parts: &Parts, transport: Transport, wire_bytes: usize) -> u64 {
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let record = RequestRecord {
            number: 0,
            transport,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            headers: headers.collect(),
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

    /// Returns true if a request has no answer yet.
    pub(crate) fn is_pending(&self, number: u64) -> bool {
        self.requests.is_pending(number)
    }

    /// Keeps the spans of a request except the last `withheld`, records the answer, and returns the body of a success.
    ///
    /// # Errors
    /// [`Refused`] when the store takes nothing of the request; the record then has no answer yet.
    pub(crate) async fn keep(
        &self,
        number: u64,
        answer: Answer,
        mut batch: SpanBatch,
        withheld: usize,
    ) -> Result<ExportTraceServiceResponse, Refused> {
        let found = batch.found();
        let withheld = batch.withhold(withheld);
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
        let inserted = self.store.insert(batch, committed).await?;
        let rejected = inserted.rejected + u64::try_from(invalid).unwrap_or(u64::MAX);
        // Present and empty on success, because the Collector sends these very bytes.
        Ok(ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
                error_message: reason.or(inserted.reason).unwrap_or_default().to_owned(),
            }),
        })
    }

    /// Counts a request for logs or metrics.
    pub(crate) fn count_other_signal(&self) {
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

/// Reads a body of at most `limit` bytes.
///
/// A larger body is read on and dropped for a while, because most clients look for an answer only after they have sent
/// everything, and would see a broken connection in place of the reason.
pub(crate) async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let mut kept = Vec::new();
    let mut size = 0usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Lost)?.into_data() else {
            continue;
        };
        size = size.saturating_add(data.len());
        if size <= limit {
            kept.extend_from_slice(&data);
        } else {
            kept = Vec::new();
        }
        if size / READ_ON > limit {
            break;
        }
    }
    if size > limit {
        return Err(BodyError::TooLarge);
    }
    Ok(Bytes::from(kept))
}

/// The multiple of the limit at which the connection is broken off.
const READ_ON: usize = 4;

/// Makes the success that a script asks for in place of the normal one.
pub(crate) fn scripted_success(rejected: usize, message: &str) -> ExportTraceServiceResponse {
    ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
            error_message: message.to_owned(),
        }),
    }
}

/// Locks a mutex, even after a panic, because no half-done change matters more than that the sink goes on.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ingest of a sink, as each connection holds it.
pub(crate) type Shared = Arc<Ingest>;
