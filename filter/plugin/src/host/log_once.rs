//! Log lines that one worker writes for all, by a note in shared data.

use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_abi::types::Status;
use sidespan_core::time::Nanos;

use super::clock;
use super::plugin_key::plugin_key;

/// Returns true if no other worker has written this log line on this topic within `round`. Each worker has a VM of its own
/// and reaches the line within one round, and a reader of the log wants the line once.
pub(crate) fn is_first_to_say(topic: &str, what: &str, round: Duration) -> bool {
    let key = format!("{}.said.{topic}", plugin_key());
    let now = clock::monotonic();
    let (value, version) = hostcalls::get_shared_data(&key);
    let said = value
        .split_first_chunk::<8>()
        .map(|(when, other)| (Nanos(u64::from_le_bytes(*when)), other));
    let is_said =
        said.is_some_and(|(when, other)| other == what.as_bytes() && !now.is_past(when, round));
    let Nanos(nanos) = now;
    let note = [&nanos.to_le_bytes(), what.as_bytes()].concat();
    // Of several workers at once, one write succeeds. Where the proxy shares no data, each worker is the first.
    !is_said && hostcalls::swap_shared_data(&key, &note, version) != Err(Status::CasMismatch)
}
