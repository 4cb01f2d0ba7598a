//! The ledger of queued spans: a lease of each worker in shared data, by which the spans of a trapped worker are counted.
//!
//! A trapped VM ends without a callback. The numbers that the VM wrote to the proxy stay: finished spans that were never
//! sent, and the worker's share of the gauges. Each worker therefore writes an entry here whenever it writes to the gauges,
//! and the next worker that reads the list removes an expired entry: the entry's spans are subtracted from the gauges, and
//! counted as lost. The list changes by comparison (`cas`), so one entry is removed by one worker.
//!
//! ```text
//! entries of: 8 bytes holder, 8 bytes time (nanoseconds of the monotonic clock), 8 bytes spans, 8 bytes bytes, all little endian
//! ```
//!
//! After a suspension every entry looks expired. A worker therefore removes others only after it has
//! itself run for one lease lifetime. A suspended worker may find its own entry removed, and must then not subtract its
//! share from the gauges a second time.

use alloc::vec::Vec;

use super::lease::Lease;
use crate::time::Nanos;

/// An amount of queued spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueuedSpans {
    /// The number of spans.
    pub spans: u64,
    /// The bytes of these spans.
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

/// One worker's view of the ledger.
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
    // The first of the looks that have followed each other within a lease lifetime.
    awake_since: Nanos,
}

/// The change that one worker makes to the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The list to write in place of the list that was read; `None` where nothing changes.
    pub list: Option<Vec<u8>>,
    /// Queued spans of the workers whose entries are removed.
    pub lost: QueuedSpans,
    /// Queued spans of this worker's own entry, if another worker has removed it: they are subtracted and counted already.
    pub reclaimed: QueuedSpans,
    ledger: QueueLedger,
}

impl QueueLedger {
    /// Returns the view of a worker without queued spans. `holder` distinguishes the worker from all others.
    pub fn new(holder: [u8; 8]) -> Self {
        Self {
            holder,
            noted: QueuedSpans::default(),
            renewed: Nanos::default(),
            looked: None,
        }
    }

    /// Returns true if the list is to be read now: to write new numbers, to renew the entry, or to look for expired entries.
    pub fn is_due(&self, held: QueuedSpans, now: Nanos) -> bool {
        let is_due = |when| self.lease(when).is_due(now);
        held != self.noted
            || (!held.is_none() && is_due(self.renewed))
            || self.looked.is_none_or(|look| is_due(look.last))
    }

    /// Returns the change to the list that was read. Once the change is written, [`Self::done`] is to be called.
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

    /// Notes that a change is written.
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

/// The largest number of entries, far above the workers and listeners of any proxy; a worker that finds no room is not
/// counted when it traps.
const MAX_ENTRIES: usize = 1024;

#[cfg(test)]
mod tests;
