//! What has become of a destination's messages: counts, and the log's lines about it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::store::Backlog;

/// The state of one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// The URL of the destination.
    pub destination: String,
    /// The messages that wait, those set aside, and the spans that a full queue has dropped.
    pub backlog: Backlog,
    /// The spans that the destination has taken since the start.
    pub delivered_spans: u64,
    /// The spans that the destination has rejected in partial successes since the start.
    pub rejected_spans: u64,
    /// The spans of the messages that were set aside since the start.
    pub refused_spans: u64,
    /// The attempts since the start after which a message was to be sent again.
    pub failed_attempts: u64,
    /// The cause of the failure that lasts; `None` while all is well.
    pub failure: Option<String>,
    /// Why the newest message of those set aside was refused; `None` if none is set aside.
    pub refusal: Option<String>,
}

/// The counts of one destination.
#[derive(Debug)]
pub(super) struct Progress {
    url: String,
    counts: Mutex<Counts>,
    // Held while a message leaves the queue and is counted, and while both are read.
    settling: tokio::sync::Mutex<()>,
    resent: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    delivered_spans: u64,
    rejected_spans: u64,
    refused_spans: u64,
    failed_attempts: u64,
    refused_messages: u64,
    partial_answers: u64,
    failure: Option<(Instant, String)>,
}

impl Progress {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            counts: Mutex::default(),
            settling: tokio::sync::Mutex::default(),
            resent: Notify::new(),
        }
    }

    /// Wakes the worker, because messages wait again that it had set aside.
    pub(super) fn resend(&self) {
        self.resent.notify_one();
    }

    /// Waits until messages wait again.
    pub(super) async fn resent(&self) {
        self.resent.notified().await;
    }

    /// Returns the URL of the destination, which is the name of its queue.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until no message is between the queue and the counts, and keeps it so.
    pub(super) async fn settling(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.settling.lock().await
    }

    pub(super) fn with(&self, backlog: Backlog, refusal: Option<String>) -> Forwarding {
        let counts = self.counts();
        Forwarding {
            destination: self.url.clone(),
            backlog,
            delivered_spans: counts.delivered_spans,
            rejected_spans: counts.rejected_spans,
            refused_spans: counts.refused_spans,
            failed_attempts: counts.failed_attempts,
            failure: counts.failure.as_ref().map(|(_, cause)| cause.clone()),
            refusal,
        }
    }

    /// Counts a message that the destination has, and logs partial successes: the first, the second, the fourth, and so on.
    pub(super) fn taken(&self, spans: u64, rejected: u64, message: &str) {
        let url = &self.url;
        let mut counts = self.counts();
        let rejected = rejected.min(spans);
        counts.delivered_spans += spans - rejected;
        counts.rejected_spans += rejected;
        if rejected > 0 || !message.is_empty() {
            counts.partial_answers += 1;
            if counts.partial_answers.is_power_of_two() {
                let total = counts.rejected_spans;
                log::warn!(
                    "{url} has rejected {total} spans, the last {rejected} because: {message}"
                );
            }
        }
        self.recovered(&mut counts);
    }

    /// Counts a message that the destination refuses for good, and logs the first, the second, the fourth, and so on.
    pub(super) fn refused(&self, spans: u64, cause: &str) {
        let url = &self.url;
        let mut counts = self.counts();
        counts.refused_spans += spans;
        counts.refused_messages += 1;
        if counts.refused_messages.is_power_of_two() {
            let total = counts.refused_messages;
            log::error!(
                "{url} has refused {total} requests for good, the last with {spans} spans, which are set aside: {cause}"
            );
        }
        // It answers, whatever it answers.
        self.recovered(&mut counts);
    }

    /// Counts an attempt that failed, and logs the first in a row.
    pub(super) fn failed(&self, cause: String) {
        let mut counts = self.counts();
        counts.failed_attempts += 1;
        let since = match &counts.failure {
            Some((since, _)) => *since,
            None => {
                log::warn!("{} takes no spans, which wait: {cause}", self.url);
                Instant::now()
            }
        };
        counts.failure = Some((since, cause));
    }

    fn recovered(&self, counts: &mut Counts) {
        if let Some((since, _)) = counts.failure.take() {
            let seconds = since.elapsed().as_secs_f64();
            log::warn!("{} answers again, after {seconds:.1} s", self.url);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
