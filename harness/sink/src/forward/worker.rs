//! The task that empties the queue of one destination: one request at a time, in order.
//!
//! Messages that wait are joined: the bytes of two `ExportTraceServiceRequest`s, one behind the other, are one with the spans
//! of both. A request that is refused for good tells nothing of each, so its messages are then sent one by one.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::time::sleep;

use super::answer::Answer;
use super::progress::Progress;
use super::retry::Backoff;
use super::sender::Sender;
use crate::store::{Message, Store, StoreError};

/// One destination at work.
pub(super) struct Worker {
    pub(super) store: Store,
    pub(super) sender: Sender,
    pub(super) backoff: Backoff,
    pub(super) progress: Arc<Progress>,
    /// The size up to which messages are joined.
    pub(super) max_request_bytes: usize,
    /// The number of messages that are sent one by one.
    pub(super) one_by_one: usize,
    /// True when the sink stops: then the queue is emptied as far as the destination takes it without delay.
    pub(super) stopping: watch::Receiver<bool>,
}

/// The next step after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Message,
    End,
}

impl Worker {
    pub(super) async fn run(mut self) {
        loop {
            // Listens before it looks, so that nothing arrives unseen in between.
            let mut arrivals = self.store.arrivals();
            let max_bytes = match self.one_by_one {
                0 => self.max_request_bytes,
                _ => 0,
            };
            let waiting = self.store.waiting_up_to(self.progress.url(), max_bytes);
            let next = match waiting.await {
                Ok(messages) if !messages.is_empty() => self.attempt(messages).await,
                Ok(_) if self.is_stopping() => Next::End,
                Ok(_) => {
                    tokio::select! {
                        // Also when it lags: something has arrived.
                        _ = arrivals.recv() => {}
                        () = self.progress.resent() => {}
                        _ = self.stopping.wait_for(|stopping| *stopping) => {}
                    }
                    Next::Message
                }
                Err(StoreError::Stopped) => Next::End,
                Err(error) => self.fail(error.to_string(), None).await,
            };
            if next == Next::End {
                return;
            }
        }
    }

    /// Sends messages once, and does what the answer asks for.
    async fn attempt(&mut self, messages: Vec<Message>) -> Next {
        let spans = messages.iter().map(|message| message.spans).sum();
        let ids = messages.iter().map(|message| message.id).collect();
        match self.sender.send(joined(&messages)).await {
            Answer::Taken { rejected, message } => {
                self.backoff.reset();
                let count = |progress: &Progress| progress.taken(spans, rejected, &message);
                self.end(ids, None, count).await
            }
            Answer::Refused { .. } if messages.len() > 1 => {
                self.backoff.reset();
                self.one_by_one = messages.len();
                Next::Message
            }
            Answer::Refused { cause } => {
                self.backoff.reset();
                let count = |progress: &Progress| progress.refused(spans, &cause);
                self.end(ids, Some(&cause), count).await
            }
            Answer::Again { after, cause } => self.fail(cause, after).await,
        }
    }

    /// Takes messages out of the queue, or sets them aside with the reason. A database that fails is asked again, because a
    /// message must not be sent again meanwhile. The queue is shorter and the counts are larger at one moment for all who look.
    async fn end(
        &mut self,
        messages: Vec<i64>,
        refused: Option<&str>,
        count: impl Fn(&Progress),
    ) -> Next {
        self.one_by_one = self.one_by_one.saturating_sub(messages.len());
        loop {
            let url = self.progress.url();
            let settling = self.progress.settling().await;
            let written = match (refused, &messages[..]) {
                (Some(reason), [message]) => self.store.set_aside(url, *message, reason).await,
                _ => self.store.all_delivered(url, messages.clone()).await,
            };
            if matches!(written, Ok(()) | Err(StoreError::Stopped)) {
                count(&self.progress);
            }
            drop(settling);
            match written {
                Ok(()) => return Next::Message,
                Err(StoreError::Stopped) => return Next::End,
                Err(error) => {
                    if self.fail(error.to_string(), None).await == Next::End {
                        return Next::End;
                    }
                }
            }
        }
    }

    /// Waits after a failure. A sink that stops meanwhile makes one more attempt, unless the destination has asked for time.
    async fn fail(&mut self, cause: String, after: Option<Duration>) -> Next {
        self.progress.failed(cause);
        if self.is_stopping() {
            return Next::End;
        }
        let time = self.backoff.next(after);
        tokio::select! {
            () = sleep(time) => Next::Message,
            _ = self.stopping.wait_for(|stopping| *stopping) => match after {
                None => Next::Message,
                Some(_) => Next::End,
            },
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

fn joined(messages: &[Message]) -> Bytes {
    match messages {
        [only] => only.body.clone(),
        many => {
            let bodies: Vec<&[u8]> = many.iter().map(|message| &*message.body).collect();
            bodies.concat().into()
        }
    }
}
