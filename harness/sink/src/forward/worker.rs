//! The task that empties the queue of one destination: one message at a time, in order.

use std::sync::Arc;

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
            let next = match self.store.waiting(self.progress.url()).await {
                Ok(Some(message)) => self.attempt(message).await,
                Ok(None) if self.is_stopping() => Next::End,
                Ok(None) => {
                    tokio::select! {
                        // Also when it lags: something has arrived.
                        _ = arrivals.recv() => {}
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

    /// Sends a message once, and does what the answer asks for.
    async fn attempt(&mut self, message: Message) -> Next {
        let Message { id, body, spans } = message;
        match self.sender.send(body).await {
            Answer::Taken {
                rejected,
                message: told,
            } => {
                self.backoff.reset();
                let ended = self.end(id, None).await;
                self.progress.taken(spans, rejected, &told);
                ended
            }
            Answer::Refused { cause } => {
                self.backoff.reset();
                let ended = self.end(id, Some(&cause)).await;
                self.progress.refused(spans, &cause);
                ended
            }
            Answer::Again { after, cause } => self.fail(cause, after).await,
        }
    }

    /// Takes a message out of the queue, or sets it aside with the reason. A database that fails is asked again, because the
    /// message must not be sent again meanwhile.
    async fn end(&mut self, message: i64, refused: Option<&str>) -> Next {
        loop {
            let url = self.progress.url();
            let written = match refused {
                None => self.store.delivered(url, message).await,
                Some(reason) => self.store.set_aside(url, message, reason).await,
            };
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
    async fn fail(&mut self, cause: String, after: Option<std::time::Duration>) -> Next {
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
