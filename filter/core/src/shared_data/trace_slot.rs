//! The slots of notes on traces: shared data has no delete, so there is a fixed number of keys, and a trace's is found by
//! its id.

use crate::ids::TraceId;

/// Returns the key of a trace's slot: the prefix, whose last two characters ten bits of the trace's randomness replace, as
/// characters from `@` to `_`. So there are 1,024 slots.
#[inline]
pub(super) fn key<const BYTES: usize>(prefix: &[u8; BYTES], trace_id: TraceId) -> [u8; BYTES] {
    let mut key = *prefix;
    let [.., high, low] = (trace_id.randomness() << 3).to_be_bytes();
    if let [.., first, second] = key.as_mut_slice() {
        (*first, *second) = (b'@' | (high & 0x1f), b'@' | (low >> 3));
    }
    key
}
