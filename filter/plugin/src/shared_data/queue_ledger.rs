//! The spans that this worker has queued, noted where all workers see them, so that they are counted should this VM trap.

use sidespan_abi::hostcalls;
use sidespan_abi::types::Status;
use sidespan_core::shared_data::queue_ledger::{QueueLedger, QueuedSpans};

use crate::host::clock;

/// Changes that other workers' entries have made necessary.
#[derive(Clone, Copy, Default)]
pub(crate) struct Noted {
    /// Spans of workers that are gone.
    pub(crate) lost: QueuedSpans,
    /// Spans of this worker that another had counted as lost.
    pub(crate) reclaimed: QueuedSpans,
}

/// Writes this worker's entry, if it has changed. `None` if others were quicker each time: until a later try has written the
/// entry, no metric may be written that it does not say.
pub(crate) fn note(ledger: &mut QueueLedger, held: QueuedSpans) -> Option<Noted> {
    let now = clock::now();
    if !ledger.is_due(held, now) {
        return Some(Noted::default());
    }
    for _ in 0..TRIES {
        let (list, version) = hostcalls::get_shared_data(LIST);
        let change = ledger.change(&list, held, now);
        let swap = match &change.list {
            Some(list) => hostcalls::swap_shared_data(LIST, list, version),
            None => Ok(()),
        };
        match swap {
            Ok(()) => {
                ledger.done(&change);
                return Some(Noted {
                    lost: change.lost,
                    reclaimed: change.reclaimed,
                });
            }
            Err(Status::CasMismatch) => {}
            // No worker can share anything in this proxy.
            Err(_) => return Some(Noted::default()),
        }
    }
    None
}

/// The key of all entries.
const LIST: &str = "sidespan.queues";
/// Tries to write: each is lost to a worker that has won, and a worker writes once a tick.
const TRIES: usize = 64;
