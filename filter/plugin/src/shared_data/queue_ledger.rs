//! This worker's entry in the queue ledger (shared data): its queued spans, which other workers count if this VM traps.

use sidespan_core::shared_data::queue_ledger::{QueueLedger, QueuedSpans};

use super::change::{Unwritten, change};
use crate::host::clock;

/// Corrections of this worker's metrics that other workers' entries call for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Noted {
    /// Queued spans of workers that are gone.
    pub(crate) lost: QueuedSpans,
    /// Queued spans of this worker that another worker has counted as lost.
    pub(crate) reclaimed: QueuedSpans,
}

/// Writes this worker's entry if it has changed. Returns `None` if other workers' writes came first each time; until a
/// later call has written the entry, no metric may be written that differs from the entry.
pub(crate) fn note(ledger: &mut QueueLedger, held: QueuedSpans) -> Option<Noted> {
    if !ledger.is_due(held, clock::monotonic()) {
        return Some(Noted::default());
    }
    let changed = change(LIST, |list| {
        // Read behind the list, so that no entry in it is younger.
        let now = clock::monotonic();
        let mut change = ledger.change(list, held, now);
        (change.list.take(), change)
    });
    match changed {
        Ok(change) => {
            ledger.done(&change);
            Some(Noted {
                lost: change.lost,
                reclaimed: change.reclaimed,
            })
        }
        Err(Unwritten::NotShared) => Some(Noted::default()),
        Err(Unwritten::Overtaken) => None,
    }
}

/// The key of the list of all entries.
const LIST: &str = "sidespan.queues";
