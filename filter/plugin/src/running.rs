//! The note that a good configuration of this plugin runs in the process, in data that all its workers share.

use std::time::Duration;

use sidespan_core::lease::Lease;
use sidespan_core::time::Nanos;

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

/// Whether nobody in the process has just told of the configuration with this digest: there is a VM for each worker, and
/// a reader of the log wants one line.
pub(crate) fn is_first_to_say(digest: &str) -> bool {
    let key = format!("{}.said", key());
    let now = host::now();
    let said = host::shared_data(&key).and_then(|value| {
        let (when, digest) = value.split_first_chunk::<8>()?;
        Some((Nanos(u64::from_le_bytes(*when)), digest.to_vec()))
    });
    let is_first =
        said.is_none_or(|(when, other)| other != digest.as_bytes() || now.is_past(when, ONE_ROUND));
    if is_first {
        let Nanos(nanos) = now;
        host::set_shared_data(&key, &[&nanos.to_le_bytes(), digest.as_bytes()].concat());
    }
    is_first
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
    Lease::read(&host::shared_data(&key())?)
}

fn key() -> String {
    let name = host::property("plugin_name").unwrap_or_default();
    format!("sidespan.running.{}", String::from_utf8_lossy(&name))
}

/// All workers of a proxy have a new configuration within this time.
const ONE_ROUND: Duration = Duration::from_secs(10);
