//! What this worker holds, noted where all workers see it, so that it is counted should this VM trap.

use sidespan_abi::hostcalls;
use sidespan_abi::types::Status;
use sidespan_core::shared_data::queue_ledger::{QueueLedger, QueuedSpans};

use crate::host::clock;

/// What others have, or have done.
#[derive(Clone, Copy, Default)]
pub(crate) struct Noted {
    /// What workers held that are gone.
    pub(crate) lost: QueuedSpans,
    /// What was taken back of this worker's, which was taken for gone.
    pub(crate) reclaimed: QueuedSpans,
}

/// Notes it, if there is anything to note. `None`: others were quicker each time, and it is to be tried again later; until
/// then nothing may be written that the note does not say.
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
            // Nobody can note anything here.
            Err(_) => return Some(Noted::default()),
        }
    }
    None
}

const LIST: &str = "sidespan.queues";
/// Each loses to one that has won, and a worker writes once a tick.
const TRIES: usize = 64;
