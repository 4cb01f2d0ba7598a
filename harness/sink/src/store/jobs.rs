//! The jobs that wait for the thread of the database.
//!
//! Reads go before requests, because somebody waits for them; requests that wait share a transaction. The size of waiting
//! requests is bounded: whoever comes then is asked to come back later.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::batch::SpanBatch;
use super::keep::Inserted;

/// The error of a request that the store did not take: nothing of the request is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much waits for the database.
    #[error("the sink is overloaded")]
    Overloaded {
        /// The time after which the sender may come back.
        retry_after: Duration,
    },
    /// A database that cannot be written, as on a full disk.
    #[error("the sink cannot store spans: {0}")]
    Storage(String),
}

/// Work that is done with the answer, right after the commit.
pub(super) type Committed = Box<dyn FnOnce(&Result<Inserted, Refused>) + Send>;

/// A request that waits, and what is done after its commit.
pub(super) struct Insert {
    pub(super) batch: SpanBatch,
    pub(super) committed: Committed,
    pub(super) answer: oneshot::Sender<Result<Inserted, Refused>>,
}

/// Work on the database that is no request; `W` is what the thread works with.
pub(super) type Task<W> = Box<dyn FnOnce(&mut W) + Send>;

/// The waiting jobs.
pub(super) struct Jobs<W> {
    waiting: Mutex<Waiting<W>>,
    arrival: Condvar,
}

struct Waiting<W> {
    tasks: VecDeque<Task<W>>,
    inserts: VecDeque<Insert>,
    bytes: usize,
    is_closed: bool,
}

/// The next work of the thread.
pub(super) enum Work<W> {
    Tasks(VecDeque<Task<W>>),
    Inserts(Vec<Insert>),
    /// Nothing came in time.
    Idle,
    End,
}

impl<W> Jobs<W> {
    pub(super) fn new() -> Self {
        let waiting = Waiting {
            tasks: VecDeque::new(),
            inserts: VecDeque::new(),
            bytes: 0,
            is_closed: false,
        };
        Self {
            waiting: Mutex::new(waiting),
            arrival: Condvar::new(),
        }
    }

    /// Adds work; the work is dropped if the store has stopped.
    pub(super) fn add(&self, task: Task<W>) {
        let mut waiting = self.waiting();
        if !waiting.is_closed {
            waiting.tasks.push_back(task);
            self.arrival.notify_one();
        }
    }

    /// Adds a request, unless too much waits.
    ///
    /// # Errors
    /// The request again, with the reason.
    pub(super) fn insert(
        &self,
        insert: Insert,
        max_bytes: usize,
    ) -> Result<(), Box<(Insert, Refused)>> {
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return Err(Box::new((
                insert,
                Refused::Storage("the store has stopped".to_owned()),
            )));
        }
        let size = insert.batch.size_bytes();
        // A request always finds room in an empty queue, whatever its size.
        if !waiting.inserts.is_empty() && waiting.bytes.saturating_add(size) > max_bytes {
            let retry_after = RETRY_AFTER;
            return Err(Box::new((insert, Refused::Overloaded { retry_after })));
        }
        waiting.bytes += size;
        waiting.inserts.push_back(insert);
        self.arrival.notify_one();
        Ok(())
    }

    /// Waits for work, and takes it.
    pub(super) fn next(&self, patience: Option<Duration>) -> Work<W> {
        let mut waiting = self.waiting();
        loop {
            if !waiting.tasks.is_empty() {
                return Work::Tasks(std::mem::take(&mut waiting.tasks));
            }
            if !waiting.inserts.is_empty() {
                return Work::Inserts(waiting.group());
            }
            if waiting.is_closed {
                return Work::End;
            }
            waiting = match patience {
                None => self
                    .arrival
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (woken, timeout) = self
                        .arrival
                        .wait_timeout(waiting, patience)
                        .unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && woken.tasks.is_empty() && woken.inserts.is_empty() {
                        return Work::Idle;
                    }
                    woken
                }
            };
        }
    }

    /// Takes no more jobs; those that wait are still done.
    pub(super) fn close(&self) {
        self.waiting().is_closed = true;
        self.arrival.notify_one();
    }

    /// Drops what waits, because nobody will do it; whoever waits for an answer is woken.
    pub(super) fn abandon(&self) {
        let mut waiting = self.waiting();
        waiting.is_closed = true;
        waiting.tasks.clear();
        waiting.inserts.clear();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Waiting<W> {
    /// Takes requests for one transaction.
    fn group(&mut self) -> Vec<Insert> {
        let mut group = Vec::new();
        let mut spans = 0;
        while let Some(insert) = self.inserts.front() {
            spans += insert.batch.len();
            if !group.is_empty() && (spans > MAX_GROUP_SPANS || group.len() >= MAX_GROUP) {
                break;
            }
            self.bytes = self.bytes.saturating_sub(insert.batch.size_bytes());
            group.extend(self.inserts.pop_front());
        }
        group
    }
}

/// The number of requests, and of spans, that share a transaction: a search waits no longer than one.
const MAX_GROUP: usize = 64;
const MAX_GROUP_SPANS: usize = 2_000;

const RETRY_AFTER: Duration = Duration::from_secs(1);
