//! The note that a good configuration of this plugin runs in the process, held by each root context that works.

use sidespan_abi::hostcalls;
use sidespan_abi::types::Status;
use sidespan_core::shared_data::holders::Holders;

use crate::host::clock;
use crate::host::plugin_key::plugin_key;

/// Writes this holder's lease.
pub(crate) fn note(identity: [u8; 8]) {
    change(|holders| Some(holders.with(identity, clock::monotonic())));
}

/// Renews this holder's lease if it is missing or due. Returns true if it was.
pub(crate) fn renew(identity: [u8; 8]) -> bool {
    let (note, _) = hostcalls::get_shared_data(plugin_key());
    let is_due = Holders::read(&note).is_due(identity, clock::monotonic());
    if is_due {
        self::note(identity);
    }
    is_due
}

/// Returns true if anybody holds the note.
pub(crate) fn is_noted() -> bool {
    let (note, _) = hostcalls::get_shared_data(plugin_key());
    Holders::read(&note).has_any(clock::monotonic())
}

/// Removes this holder's lease.
pub(crate) fn take_back(identity: [u8; 8]) {
    change(|holders| holders.without(identity));
}

/// Writes what the holders become, unless that is `None`.
fn change(to: impl Fn(&Holders) -> Option<Vec<u8>>) {
    let key = plugin_key();
    for _ in 0..TRIES {
        let (note, version) = hostcalls::get_shared_data(&key);
        let Some(changed) = to(&Holders::read(&note)) else {
            return;
        };
        let written = hostcalls::swap_shared_data(&key, &changed, version);
        if written != Err(Status::CasMismatch) {
            return;
        }
    }
}

/// The most compare-and-set writes in one call. Each failure is another holder's success, and a holder writes seldom.
const TRIES: usize = 64;
