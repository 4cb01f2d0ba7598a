//! The lease that a good configuration of this plugin holds on the process, and log lines that one worker writes for all.

use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_abi::types::Status;
use sidespan_core::shared_data::lease::Lease;
use sidespan_core::time::Nanos;

use crate::host::clock;

/// Writes the lease.
pub(crate) fn note(identity: &[u8; 8]) {
    let lease = Lease {
        holder: *identity,
        renewed: clock::now(),
    };
    hostcalls::set_shared_data(key(), &lease.to_bytes());
}

/// Writes the lease again where it is missing or getting old.
pub(crate) fn renew(identity: &[u8; 8]) {
    let now = clock::now();
    if read().is_none_or(|lease| lease.is_due(now)) {
        note(identity);
    }
}

/// Returns true if no worker has just written this log line on this topic: there is a VM for each worker, and a reader of the
/// log wants one line. All workers come to write the line within one round.
pub(crate) fn is_first_to_say(topic: &str, what: &str, round: Duration) -> bool {
    let key = format!("{}.said.{topic}", key());
    let now = clock::now();
    let (value, version) = hostcalls::get_shared_data(&key);
    let said = value
        .split_first_chunk::<8>()
        .map(|(when, other)| (Nanos(u64::from_le_bytes(*when)), other));
    let is_said =
        said.is_some_and(|(when, other)| other == what.as_bytes() && !now.is_past(when, round));
    let Nanos(nanos) = now;
    let note = [&nanos.to_le_bytes(), what.as_bytes()].concat();
    // Of several that try at once, one is the first. Where nothing is shared, everybody is.
    !is_said && hostcalls::swap_shared_data(&key, &note, version) != Err(Status::CasMismatch)
}

/// Returns true if some worker holds the lease.
pub(crate) fn is_noted() -> bool {
    read().is_some_and(|lease| lease.is_live(clock::now()))
}

/// Gives the lease up, if no other worker has written it since.
pub(crate) fn take_back(identity: &[u8; 8]) {
    if read().is_some_and(|lease| lease.holder == *identity) {
        hostcalls::set_shared_data(key(), &[]);
    }
}

fn read() -> Option<Lease> {
    let (note, _) = hostcalls::get_shared_data(key());
    Lease::read(&note)
}

fn key() -> String {
    let name = hostcalls::get_property("plugin_name").unwrap_or_default();
    format!("sidespan.running.{}", String::from_utf8_lossy(&name))
}
