//! The thread that owns the writing connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::broadcast;

use super::assemble::{Part, request};
use super::batch::SpanBatch;
use super::contents::Contents;
use super::jobs::{Insert, Jobs, Refused, Work};
use super::keep::{Inserted, Keeper, Outcome, now};
use super::limits::{Counts, Size};
use super::observed::{self, Observer};
use super::outbox::Outbox;

/// The numbers of a store that are read without asking its thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    counts: Arc<Mutex<Counts>>,
    size: Arc<Mutex<Size>>,
}

impl Numbers {
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn size(&self) -> Size {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn set_size(&self, size: Size) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = size;
    }
}

/// The ids of traces that got spans.
pub(super) type Arrivals = broadcast::Sender<Arc<[[u8; 16]]>>;

/// The state of the thread.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) keeper: Keeper,
    pub(super) outbox: Outbox,
    pub(super) contents: Contents,
    pub(super) numbers: Numbers,
    pub(super) arrivals: Arrivals,
    /// Whoever is told of new spans.
    pub(super) observer: Option<Observer>,
}

impl Writer {
    /// Works until the store is closed.
    pub(super) fn run(mut self, jobs: &Arc<Jobs<Self>>) {
        // A panic must not leave senders waiting for ever.
        let _abandoned = Abandon(Arc::clone(jobs));
        loop {
            match jobs.next(self.patience()) {
                Work::Tasks(tasks) => tasks.into_iter().for_each(|task| task(&mut self)),
                Work::Inserts(group) => self.insert(group),
                Work::Idle => {}
                Work::End => break,
            }
            self.expire();
        }
    }

    /// Runs one transaction, and takes its changes back if it fails.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Keeper, &mut Outbox) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        let result = self.connection.transaction().and_then(|transaction| {
            let done = work(&transaction, &mut self.keeper, &mut self.outbox)?;
            transaction.commit()?;
            Ok(done)
        });
        if result.is_err() {
            self.reload();
        }
        self.numbers.set_size(self.keeper.size());
        result
    }

    fn insert(&mut self, group: Vec<Insert>) {
        match self.keep(&group) {
            Ok(outcomes) => {
                for (insert, (inserted, outcome)) in group.into_iter().zip(outcomes) {
                    self.numbers.count(|counts| add(counts, &outcome.counts));
                    if let Some(observer) = &mut self.observer {
                        observed::tell(observer, &insert.batch, &outcome.new);
                    }
                    answer(insert, Ok(inserted));
                    if !outcome.changed.is_empty() {
                        // Nobody may be listening.
                        let _ = self.arrivals.send(outcome.changed.into());
                    }
                }
            }
            // One request may be what the database cannot take, and its neighbours are innocent.
            Err(_) if group.len() > 1 => {
                for insert in group {
                    self.insert(vec![insert]);
                }
            }
            Err(error) => {
                log::error!("cannot store spans: {error}");
                for insert in group {
                    let spans = insert.batch.len();
                    self.numbers.count(|counts| {
                        counts.refused += u64::try_from(spans).unwrap_or(u64::MAX);
                    });
                    answer(insert, Err(Refused::Storage(error.to_string())));
                }
            }
        }
    }

    fn keep(&mut self, group: &[Insert]) -> Result<Vec<(Inserted, Outcome)>, rusqlite::Error> {
        self.transact(|connection, keeper, outbox| {
            let mut outcomes = Vec::new();
            for insert in group {
                let mut outcome = Outcome::default();
                let inserted = keeper.keep(connection, &insert.batch, &mut outcome)?;
                if !outbox.is_empty() && inserted.kept > 0 {
                    let body = new_spans(&insert.batch, &outcome);
                    let max = u64::try_from(keeper.limits.max_forward_bytes).unwrap_or(u64::MAX);
                    outbox.push(connection, &body, inserted.kept, now(), max)?;
                }
                outcomes.push((inserted, outcome));
            }
            Ok(outcomes)
        })
    }

    fn expire(&mut self) {
        let Some(before) = self.expiry() else {
            return;
        };
        if self.keeper.oldest.is_none_or(|oldest| oldest >= before) {
            return;
        }
        match self.transact(|connection, keeper, _| keeper.expire(connection, before)) {
            Ok(spans) => self.numbers.count(|counts| counts.expired += spans),
            Err(error) => log::error!("cannot remove old traces: {error}"),
        }
    }

    /// Returns the moment before which a trace must have arrived to be too old.
    fn expiry(&self) -> Option<i64> {
        let age = i64::try_from(self.keeper.limits.max_age?.as_nanos()).unwrap_or(i64::MAX);
        Some(now().saturating_sub(age))
    }

    /// Returns the time until the oldest trace is too old.
    fn patience(&self) -> Option<Duration> {
        let left = self.keeper.oldest?.saturating_sub(self.expiry()?);
        // A little more than needed, because a moment that is met exactly is not yet past.
        Some(Duration::from_nanos(left.max(0).cast_unsigned()) + Duration::from_millis(1))
    }

    fn reload(&mut self) {
        let loaded = self.keeper.reload(&self.connection);
        if let Err(error) = loaded.and_then(|()| self.outbox.reload(&self.connection)) {
            log::error!("cannot read the span database: {error}");
        }
    }
}

fn answer(insert: Insert, result: Result<Inserted, Refused>) {
    (insert.committed)(&result);
    // The sender may have gone.
    let _ = insert.answer.send(result);
}

/// Returns the request that a forwarder sends: the spans that were not in the store before.
fn new_spans(batch: &SpanBatch, outcome: &Outcome) -> Vec<u8> {
    let parts = batch.groups.iter().enumerate().map(|(at, group)| {
        let of_group = outcome.new.iter().filter(move |(group, _)| *group == at);
        Part {
            resource: &group.resource,
            scope: &group.scope,
            spans: of_group
                .filter_map(|(_, span)| group.spans.get(*span))
                .map(|cut| batch.bytes(&cut.body))
                .collect(),
        }
    });
    request(parts.filter(|part| !part.spans.is_empty()))
}

fn add(counts: &mut Counts, more: &Counts) {
    counts.accepted += more.accepted;
    counts.too_large += more.too_large;
    counts.duplicates += more.duplicates;
    counts.conflicts += more.conflicts;
    counts.evicted += more.evicted;
}

struct Abandon(Arc<Jobs<Writer>>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
