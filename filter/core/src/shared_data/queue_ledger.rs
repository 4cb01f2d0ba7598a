//! What each worker holds, told among workers by a list that each renews, so that somebody counts what a trapped one held.
//!
//! A trapped VM ends without a word. The numbers that it wrote to the proxy stay: spans that have ended and went nowhere,
//! and its share of the gauges. Each worker therefore notes here what it wrote to the gauges, in the same breath, and an
//! entry that nobody renews any more is written off by whoever looks next: taken out, taken back from the gauges, counted.
//! The list changes by comparison (`cas`), so one entry is written off by one worker.
//!
//! ```text
//! entries of: 8 bytes who, 8 bytes when (nanoseconds since the epoch), 8 bytes spans, 8 bytes bytes, all little endian
//! ```
//!
//! A worker that stood still and goes on, as in a process that was suspended, may have been written off. It finds its entry
//! missing, and must not take its share back a second time. And who has stood still itself, or has only just begun, is no
//! judge of others: it has to see for as long as an entry lives that nobody renews it. So it is when the clock is set.

use alloc::vec::Vec;

use super::lease::Lease;
use crate::time::Nanos;

/// An amount of waiting spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueuedSpans {
    /// How many.
    pub spans: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl QueuedSpans {
    fn plus(self, other: Self) -> Self {
        Self {
            spans: self.spans.saturating_add(other.spans),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// One worker's view of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLedger {
    holder: [u8; 8],
    noted: QueuedSpans,
    renewed: Nanos,
    looked: Option<Look>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    last: Nanos,
    // Since when one look has followed another.
    awake_since: Nanos,
}

/// What is to become of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The list to write, against the one that was read; `None` where it stays as it is.
    pub list: Option<Vec<u8>>,
    /// What workers held that are gone.
    pub lost: QueuedSpans,
    /// What this worker held when it was taken for gone: its gauges have been taken back, and its spans counted.
    pub reclaimed: QueuedSpans,
    ledger: QueueLedger,
}

impl QueueLedger {
    /// The view of a worker that holds nothing yet. `holder` tells it from all others.
    pub fn new(holder: [u8; 8]) -> Self {
        Self {
            holder,
            noted: QueuedSpans::default(),
            renewed: Nanos::default(),
            looked: None,
        }
    }

    /// Whether the list is to be read now: there is something to say, to renew, or to look after.
    pub fn is_due(&self, held: QueuedSpans, now: Nanos) -> bool {
        let is_due = |when| self.lease(when).is_due(now);
        held != self.noted
            || (!held.is_none() && is_due(self.renewed))
            || self.looked.is_none_or(|look| is_due(look.last))
    }

    /// What is to become of the list that was read. Once it is written, tell so by [`Self::done`].
    pub fn change(&self, list: &[u8], held: QueuedSpans, now: Nanos) -> Change {
        let entries = read(list);
        let is_found = entries.iter().any(|(lease, _)| lease.holder == self.holder);
        let awake_since = self
            .looked
            .filter(|look| self.lease(look.last).is_live(now))
            .map_or(now, |look| look.awake_since);
        let is_judge = !self.lease(awake_since).is_live(now);
        let mut lost = QueuedSpans::default();
        let mut kept = Vec::new();
        for (lease, holding) in entries {
            if lease.holder == self.holder {
                continue;
            }
            if is_judge && !lease.is_live(now) {
                lost = lost.plus(holding);
            } else {
                kept.push((lease, holding));
            }
        }
        let has_entry = !held.is_none() && kept.len() < MAX_ENTRIES;
        let is_stale = held != self.noted || self.lease(self.renewed).is_due(now);
        let is_own_changed = is_found != has_entry || (has_entry && is_stale);
        let renewed = if is_own_changed { now } else { self.renewed };
        let list = (is_own_changed || !lost.is_none()).then(|| {
            kept.extend(has_entry.then(|| (self.lease(renewed), held)));
            write(&kept)
        });
        Change {
            list,
            lost,
            reclaimed: if is_found {
                QueuedSpans::default()
            } else {
                self.noted
            },
            ledger: Self {
                noted: if has_entry {
                    held
                } else {
                    QueuedSpans::default()
                },
                renewed,
                looked: Some(Look {
                    last: now,
                    awake_since,
                }),
                ..*self
            },
        }
    }

    /// The list is as the change wants it.
    pub fn done(&mut self, change: &Change) {
        *self = change.ledger;
    }

    fn lease(&self, renewed: Nanos) -> Lease {
        Lease {
            holder: self.holder,
            renewed,
        }
    }
}

fn read(mut list: &[u8]) -> Vec<(Lease, QueuedSpans)> {
    let mut entries = Vec::new();
    while let Some((lease, rest)) = list.split_first_chunk::<16>()
        && let Some((spans, rest)) = rest.split_first_chunk::<8>()
        && let Some((bytes, rest)) = rest.split_first_chunk::<8>()
    {
        let holding = QueuedSpans {
            spans: u64::from_le_bytes(*spans),
            bytes: u64::from_le_bytes(*bytes),
        };
        entries.extend(Lease::read(lease).map(|lease| (lease, holding)));
        list = rest;
    }
    entries
}

fn write(entries: &[(Lease, QueuedSpans)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (lease, holding) in entries {
        list.extend_from_slice(&lease.to_bytes());
        list.extend_from_slice(&holding.spans.to_le_bytes());
        list.extend_from_slice(&holding.bytes.to_le_bytes());
    }
    list
}

/// Far more workers and listeners than any proxy has; who finds no room is not counted when it traps.
const MAX_ENTRIES: usize = 1024;

#[cfg(test)]
mod tests;
