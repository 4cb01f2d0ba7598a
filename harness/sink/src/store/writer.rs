//! The thread that owns the writing connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// The numbers of a store that are read without asking its thread. Counts and size are under one lock: whoever sees that spans
/// came or went sees them counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers(Arc<Mutex<(Counts, Size)>>);

impl Numbers {
    pub(crate) fn counts(&self) -> Counts {
        self.get().0
    }

    pub(crate) fn size(&self) -> Size {
        self.get().1
    }

    /// Returns the counts and the size of one moment.
    pub(crate) fn get(&self) -> (Counts, Size) {
        *self.held()
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.held().0);
    }

    pub(super) fn set(&self, size: Size, change: impl FnOnce(&mut Counts)) {
        let mut held = self.held();
        held.1 = size;
        change(&mut held.0);
    }

    fn held(&self) -> MutexGuard<'_, (Counts, Size)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Runs one transaction, and counts what it did; takes its changes back if it fails.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Keeper, &mut Outbox) -> Result<T, rusqlite::Error>,
        count: impl FnOnce(&T, &mut Counts),
    ) -> Result<T, rusqlite::Error> {
        let result = self.connection.transaction().and_then(|transaction| {
            let done = work(&transaction, &mut self.keeper, &mut self.outbox)?;
            transaction.commit()?;
            Ok(done)
        });
        if result.is_err() {
            self.reload();
        }
        self.numbers.set(self.keeper.size(), |counts| {
            if let Ok(done) = &result {
                count(done, counts);
            }
        });
        result
    }

    fn insert(&mut self, group: Vec<Insert>) {
        match self.keep(&group) {
            Ok(outcomes) => {
                for (insert, (inserted, outcome)) in group.into_iter().zip(outcomes) {
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
        let work = |connection: &Connection, keeper: &mut Keeper, outbox: &mut Outbox| {
            let mut outcomes = Vec::new();
            for insert in group {
                let mut outcome = Outcome::default();
                let inserted = keeper.keep(connection, &insert.batch, &mut outcome)?;
                if !outbox.is_empty() && inserted.kept > 0 {
                    let max = u64::try_from(keeper.limits.max_forward_bytes).unwrap_or(u64::MAX);
                    for (body, spans) in new_spans(&insert.batch, &outcome) {
                        outbox.push(connection, &body, spans, now(), max)?;
                    }
                }
                outcomes.push((inserted, outcome));
            }
            Ok(outcomes)
        };
        self.transact(work, |outcomes, counts| {
            for (_, outcome) in outcomes {
                add(counts, &outcome.counts);
            }
        })
    }

    fn expire(&mut self) {
        let Some(before) = self.expiry() else {
            return;
        };
        if self.keeper.oldest.is_none_or(|oldest| oldest >= before) {
            return;
        }
        let expired = self.transact(
            |connection, keeper, _| keeper.expire(connection, before),
            |spans, counts| counts.expired += spans,
        );
        if let Err(error) = expired {
            log::error!("cannot remove old traces: {error}");
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

/// Returns the requests that a forwarder sends, each with the number of its spans: those that were not in the store before, in
/// pieces that a server takes which takes gRPC's usual 4 MiB.
fn new_spans(batch: &SpanBatch, outcome: &Outcome) -> Vec<(Vec<u8>, u64)> {
    let mut requests = Vec::new();
    let mut parts: Vec<Part<'_>> = Vec::new();
    let (mut bytes, mut spans) = (0, 0);
    let mut last = None;
    for (at, place) in &outcome.new {
        let Some(group) = batch.groups.get(*at) else {
            continue;
        };
        let Some(cut) = group.spans.get(*place) else {
            continue;
        };
        let around = group.resource.len() + group.scope.len();
        let more = match last == Some(at) {
            true => cut.body.len(),
            false => cut.body.len() + around,
        };
        // What stands around the spans is in each piece, and must not become the most of all of them together.
        if spans > 0 && bytes + more > MAX_PIECE.max(2 * around) {
            requests.push((request(parts.drain(..)), spans));
            (bytes, spans, last) = (0, 0, None);
        }
        if last != Some(at) {
            parts.push(Part {
                resource: &group.resource,
                scope: &group.scope,
                spans: Vec::new(),
            });
            bytes += around;
            last = Some(at);
        }
        if let Some(part) = parts.last_mut() {
            part.spans.push(batch.bytes(&cut.body));
        }
        bytes += cut.body.len();
        spans += 1;
    }
    if spans > 0 {
        requests.push((request(parts), spans));
    }
    requests
}

/// The size up to which new spans are one message of a queue, in bytes.
const MAX_PIECE: usize = 1 << 20;

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
