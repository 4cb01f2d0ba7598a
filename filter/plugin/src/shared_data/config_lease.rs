//! The note that a good configuration of this plugin runs in the process, held by each root context that works.
//!
//! A proxy that shares no data, or whose other VMs were quicker each time, is left without this holder's lease: the next
//! tick finds it missing and tries again.

use sidespan_abi::hostcalls;
use sidespan_core::shared_data::holders::Holders;

use super::change::change;
use crate::host::clock;
use crate::host::plugin_key::plugin_key;

/// Writes this holder's lease.
pub(crate) fn note(identity: [u8; 8]) {
    let _ = change(&plugin_key(), |note| {
        let holders = Holders::read(note);
        (Some(holders.with(identity, clock::monotonic())), ())
    });
}

/// Renews this holder's lease if it is missing or due. Returns true if it was.
pub(crate) fn renew(identity: [u8; 8]) -> bool {
    let was_due = change(&plugin_key(), |note| {
        let (holders, now) = (Holders::read(note), clock::monotonic());
        let is_due = holders.is_due(identity, now);
        (is_due.then(|| holders.with(identity, now)), is_due)
    });
    // Only what is due is written, so what could not be written was.
    was_due.unwrap_or(true)
}

/// Returns true if anybody holds the note.
pub(crate) fn is_noted() -> bool {
    let (note, _) = hostcalls::get_shared_data(plugin_key());
    Holders::read(&note).has_any(clock::monotonic())
}

/// Removes this holder's lease.
pub(crate) fn take_back(identity: [u8; 8]) {
    let _ = change(&plugin_key(), |note| {
        (Holders::read(note).without(identity), ())
    });
}
