//! The lease that a good configuration of this plugin holds on the process.

use sidespan_abi::hostcalls;
use sidespan_core::shared_data::lease::Lease;

use crate::host::clock;
use crate::host::plugin_key::plugin_key;

/// Writes the lease.
pub(crate) fn note(identity: &[u8; 8]) {
    let lease = Lease {
        holder: *identity,
        renewed: clock::monotonic(),
    };
    hostcalls::set_shared_data(plugin_key(), &lease.to_bytes());
}

/// Renews the lease if it is missing or due. Returns true if it was.
pub(crate) fn renew(identity: &[u8; 8]) -> bool {
    let is_due = read().is_none_or(|lease| lease.is_due(clock::monotonic()));
    if is_due {
        note(identity);
    }
    is_due
}

/// Returns true if the lease is live, whichever worker has written it.
pub(crate) fn is_noted() -> bool {
    read().is_some_and(|lease| lease.is_live(clock::monotonic()))
}

/// Removes the lease, unless another worker has written it since.
pub(crate) fn take_back(identity: &[u8; 8]) {
    if read().is_some_and(|lease| lease.holder == *identity) {
        hostcalls::set_shared_data(plugin_key(), &[]);
    }
}

fn read() -> Option<Lease> {
    let (note, _) = hostcalls::get_shared_data(plugin_key());
    Lease::read(&note)
}
