//! A change of one entry that other VMs change as well: what was read is written only over what was read.

use sidespan_abi::hostcalls;
use sidespan_abi::types::Status;

/// Why a change is not written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// Other VMs' writes came first each time.
    Overtaken,
    /// This proxy shares no data.
    NotShared,
}

/// Writes what `to` makes of the entry, unless that is `None`, and returns what `to` found. It is asked again for each write
/// that another VM's came before.
pub(crate) fn change<T>(
    key: &str,
    mut to: impl FnMut(&[u8]) -> (Option<Vec<u8>>, T),
) -> Result<T, Unwritten> {
    for _ in 0..TRIES {
        let (entry, version) = hostcalls::get_shared_data(key);
        let (changed, found) = to(&entry);
        let written = match changed {
            Some(changed) => hostcalls::swap_shared_data(key, &changed, version),
            None => Ok(()),
        };
        match written {
            Ok(()) => return Ok(found),
            Err(Status::CasMismatch) => {}
            Err(_) => return Err(Unwritten::NotShared),
        }
    }
    Err(Unwritten::Overtaken)
}

/// The most writes in one call. Each failure is another VM's success, and a VM writes about once a tick.
const TRIES: usize = 64;
