//! Notes of kept traces in shared data, from the outbound side of a pod to its inbound side.
//!
//! proxy-wasm's shared data has no delete (<https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>), so there is a
//! fixed number of slots, and a trace's slot is found by its id. Each note has the whole id and a time in it: a note of
//! another trace does not count, and an expired note does not either. Where two traces meet in a slot the later note stays,
//! and the earlier trace loses a hint but takes no other trace's note for its own.

use core::time::Duration;

use super::trace_slot;
use crate::ids::TraceId;
use crate::proxy::SharedData;
use crate::time::Nanos;

/// Returns true if a trace is noted as kept. `now` is called only where the slot has a note of this trace.
#[inline]
pub(crate) fn is_marked(
    data: &impl SharedData,
    trace_id: TraceId,
    now: impl FnOnce() -> Nanos,
) -> bool {
    let value = data.shared_data(&slot(trace_id));
    match value.split_first_chunk::<16>() {
        Some((id, time)) if *id == trace_id.to_bytes() => time
            .try_into()
            .is_ok_and(|time| now().is_near(Nanos(u64::from_le_bytes(time)), LIFETIME)),
        _ => false,
    }
}

/// Notes a trace as kept.
#[inline]
pub(crate) fn mark(data: &impl SharedData, trace_id: TraceId, Nanos(now): Nanos) {
    let mut value = [0; 24];
    let bytes = trace_id.to_bytes().into_iter().chain(now.to_le_bytes());
    for (place, byte) in value.iter_mut().zip(bytes) {
        *place = byte;
    }
    data.set_shared_data(&slot(trace_id), &value);
}

#[inline]
fn slot(trace_id: TraceId) -> [u8; KEY_BYTES] {
    trace_slot::key(PREFIX, trace_id)
}

/// The length of a key.
const KEY_BYTES: usize = 16;
/// The key of a slot but for its last two characters, which give 1,024 slots of 24 bytes each (test
/// `a_million_traces_take_a_thousand_slots`).
const PREFIX: &[u8; KEY_BYTES] = b"sidespan.keep.@@";
/// The lifetime of a note, because no request that a caller waits for takes longer.
const LIFETIME: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_memory::proxy::InMemoryProxy;

    fn id(number: u128) -> TraceId {
        TraceId::from_bytes(number.to_be_bytes()).unwrap()
    }

    const NOW: Nanos = Nanos(1_000_000_000_000);

    #[test]
    fn a_note_is_of_one_trace_and_for_a_while() {
        let data = InMemoryProxy::default();
        assert!(!is_marked(&data, id(7), || NOW));
        mark(&data, id(7), NOW);
        assert!(is_marked(&data, id(7), || NOW));
        assert!(!is_marked(&data, id(8), || NOW));
        let later = |seconds| NOW.after(Duration::from_secs(seconds));
        assert!(is_marked(&data, id(7), || later(299)));
        assert!(!is_marked(&data, id(7), || later(300)));
    }

    #[test]
    fn two_traces_in_one_slot_lose_a_hint_and_take_no_other_for_theirs() {
        let data = InMemoryProxy::default();
        let (first, second) = (id(5), id(5 + (1 << 40)));
        assert_eq!(slot(first), slot(second));
        mark(&data, first, NOW);
        assert!(!is_marked(&data, second, || NOW));
        mark(&data, second, NOW);
        assert!(!is_marked(&data, first, || NOW), "a hint is lost");
        assert!(is_marked(&data, second, || NOW));
    }

    #[test]
    fn a_million_traces_take_a_thousand_slots() {
        let data = InMemoryProxy::default();
        let mut seed = 1_u128;
        for _ in 0..1_000_000 {
            seed = seed.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645) | 1;
            mark(&data, id(seed >> 3 | 1), NOW);
        }
        let slots = data.shared_keys(b"");
        assert!(slots.len() <= 1024, "{}", slots.len());
        assert!(
            slots
                .iter()
                .all(|slot| data.shared(slot).unwrap().len() == 24)
        );
    }

    #[test]
    fn what_somebody_else_wrote_there_is_no_note() {
        for value in [&b""[..], b"x", &[0; 24], &[0; 16], &[0xff; 30]] {
            let data = InMemoryProxy::default();
            data.set_shared_data(&slot(id(1)), value);
            assert!(!is_marked(&data, id(1), || NOW));
        }
    }
}
