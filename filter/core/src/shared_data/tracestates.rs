//! Notes of `tracestate` in shared data, from the inbound side of a pod to its outbound side.
//!
//! `tracestate` says with what probability a trace was sampled. An application that speaks B3, or that hands on
//! `traceparent` alone, drops it, and the spans behind would count for one each. As with kept traces there is a fixed
//! number of slots, and a trace's slot is found by its id: each note has the whole id and a time in it, and where two
//! traces meet in a slot, the earlier loses its list and takes no other trace's for its own.
//!
//! ```text
//! 16 bytes trace id, 8 bytes time (nanoseconds since the epoch, little endian), list
//! ```

use alloc::vec::Vec;
use core::time::Duration;

use super::trace_slot;
use crate::ids::TraceId;
use crate::proxy::SharedData;
use crate::time::Nanos;

/// Notes the list of a trace.
#[inline]
pub(crate) fn note(data: &impl SharedData, trace_id: TraceId, list: &[u8], Nanos(now): Nanos) {
    let value = [&trace_id.to_bytes()[..], &now.to_le_bytes(), list].concat();
    data.set_shared_data(&slot(trace_id), &value);
}

/// Returns the noted list of a trace. `now` is called only where the slot has a note of this trace.
#[inline]
pub(crate) fn find(
    data: &impl SharedData,
    trace_id: TraceId,
    now: impl FnOnce() -> Nanos,
) -> Option<Vec<u8>> {
    let value = data.shared_data(&slot(trace_id));
    let (id, rest) = value.split_first_chunk::<16>()?;
    let (time, list) = rest.split_first_chunk::<8>()?;
    let is_it = *id == trace_id.to_bytes() && !list.is_empty();
    let time = Nanos(u64::from_le_bytes(*time));
    (is_it && now().is_near(time, LIFETIME)).then(|| list.to_vec())
}

#[inline]
fn slot(trace_id: TraceId) -> [u8; KEY_BYTES] {
    trace_slot::key(PREFIX, trace_id)
}

const KEY_BYTES: usize = 15;
/// The key of a slot but for its last two characters, which give 1,024 slots. A list has 4,096 bytes at most, and less
/// than a hundred as a rule.
const PREFIX: &[u8; KEY_BYTES] = b"sidespan.list@@";
/// The lifetime of a note, because no request that a caller waits for takes longer.
const LIFETIME: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_memory::proxy::InMemoryProxy;

    const NOW: Nanos = Nanos(1_000_000_000_000);

    fn id(last: u8) -> TraceId {
        let mut bytes = [7; 16];
        bytes[15] = last;
        TraceId::from_bytes(bytes).unwrap()
    }

    #[test]
    fn a_list_is_found_by_its_trace_alone_and_for_five_minutes() {
        let data = InMemoryProxy::default();
        assert_eq!(find(&data, id(1), || NOW), None);
        note(&data, id(1), b"ot=th:c", NOW);
        for (trace_id, seconds, expected) in [
            (id(1), 0, true),
            (id(1), 299, true),
            (id(1), 300, false),
            (id(2), 0, false),
        ] {
            let now = NOW.after(Duration::from_secs(seconds));
            let found = find(&data, trace_id, || now);
            assert_eq!(
                found.as_deref(),
                expected.then_some(&b"ot=th:c"[..]),
                "{seconds}"
            );
        }
    }

    #[test]
    fn two_traces_in_one_slot_lose_a_list_and_take_none_of_the_others() {
        let data = InMemoryProxy::default();
        let (one, other) = (
            id(1),
            TraceId::from_bytes(
                [[6; 8], [7, 7, 7, 7, 7, 7, 7, 1]]
                    .concat()
                    .try_into()
                    .unwrap(),
            )
            .unwrap(),
        );
        assert_eq!(slot(one), slot(other));
        note(&data, one, b"a=1", NOW);
        note(&data, other, b"b=2", NOW);
        assert_eq!(find(&data, one, || NOW), None);
        assert_eq!(find(&data, other, || NOW).as_deref(), Some(&b"b=2"[..]));
    }
}
