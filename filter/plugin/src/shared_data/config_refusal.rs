//! The note that a newer configuration was refused while a good one of this plugin runs.
//!
//! The refusal happens on one thread, in a root context that the proxy drops at once, so only shared data can tell the
//! workers that go on. The note ends in one of two ways: a configuration is accepted, or the last refusal is an hour old.
//! The second is for who goes back to exactly the configuration that runs, because the proxy sees no change there and
//! tells nobody. Where the bad one is still wanted it is refused anew sooner than that: istiod closes its connections every
//! half an hour (`keepaliveMaxServerConnectionAge` of its chart), and the proxy tries everything that it then gets.

use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_core::time::Nanos;

use crate::host::clock;
use crate::host::plugin_key::plugin_key;

/// Writes the note.
pub(crate) fn note() {
    let Nanos(now) = clock::monotonic();
    hostcalls::set_shared_data(key(), &now.to_le_bytes());
}

/// Returns true if there is a note.
pub(crate) fn is_noted() -> bool {
    read().is_some()
}

/// Removes the note if it is an hour old. Returns true if it was.
pub(crate) fn expire() -> bool {
    let is_over = read().is_some_and(|noted| clock::monotonic().is_past(noted, LIFETIME));
    if is_over {
        take_back();
    }
    is_over
}

/// Removes the note.
pub(crate) fn take_back() {
    if is_noted() {
        hostcalls::set_shared_data(key(), &[]);
    }
}

fn read() -> Option<Nanos> {
    let (note, _) = hostcalls::get_shared_data(key());
    let time = <[u8; 8]>::try_from(note).ok()?;
    Some(Nanos(u64::from_le_bytes(time)))
}

fn key() -> String {
    format!("{}.refused", plugin_key())
}

/// Twice the time after which istiod closes a connection.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
