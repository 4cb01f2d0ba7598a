//! The note that a good configuration of this plugin runs in the process, in data that all its workers share.

use sidespan_core::lease::Lease;

use crate::host;

/// Leaves the note.
pub(crate) fn note(identity: &[u8; 8]) {
    let lease = Lease {
        holder: *identity,
        renewed: host::now(),
    };
    host::set_shared_data(&key(), &lease.to_bytes());
}

/// Leaves it again where it is missing or getting old.
pub(crate) fn renew(identity: &[u8; 8]) {
    let now = host::now();
    if read().is_none_or(|lease| lease.is_due(now)) {
        note(identity);
    }
}

/// Whether somebody left it and is still there.
pub(crate) fn is_noted() -> bool {
    read().is_some_and(|lease| lease.is_live(host::now()))
}

/// Takes it back, if nobody else has left it since.
pub(crate) fn take_back(identity: &[u8; 8]) {
    if read().is_some_and(|lease| lease.holder == *identity) {
        host::set_shared_data(&key(), &[]);
    }
}

fn read() -> Option<Lease> {
    let (note, _) = host::shared_data(&key());
    Lease::read(&note)
}

fn key() -> String {
    let name = host::property("plugin_name").unwrap_or_default();
    format!("sidespan.running.{}", String::from_utf8_lossy(&name))
}
