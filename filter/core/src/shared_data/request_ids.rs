//! Notes of contexts in shared data by `x-request-id`, for applications that forward no other header of a trace.
//!
//! Envoy gives every request an id, and most applications that forward any header forward this one. So the context of an
//! inbound request is noted under its id, and an outbound request with the same id and without a context continues it:
//!
//! ```text
//!  inbound   x-request-id: 7f3…  ->  slot 412: {time, context of our SERVER span, 7f3…}      removed at its end
//!  outbound  x-request-id: 7f3…  ->  slot 412 has 7f3…, and has not expired: the SERVER span is the parent
//! ```
//!
//! All workers of the process see shared data, which has no delete in proxy-wasm
//! (<https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>). So there is a fixed number of slots, chosen by a
//! hash of the id. The whole id is in the note: where two ids meet in a slot the older id loses its note, and no request
//! continues the context of another id. Of several requests with one id the newest has the note.
//!
//! ```text
//! note = 8 bytes time (nanoseconds since the epoch, little endian), 16 bytes trace id, 8 bytes span id (zeros: none),
//!        1 byte state, the id
//! state = sampling (0 deferred, 1 deny, 2 accept, 3 debug) + 4 if the trace id is random + 8 if it came with 16 digits
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::headers::{Name, RequestHeaders};
use crate::ids::{SpanId, TraceId};
use crate::propagation::context::{SamplingState, SpanContext};
use crate::proxy::SharedData;
use crate::time::Nanos;

/// An id of a request: printable and of a bounded length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId<'a>(&'a [u8]);

impl<'a> RequestId<'a> {
    /// Returns the id of a request; `None` where `x-request-id` is missing, has several lines, or is no id.
    pub fn of(headers: &RequestHeaders<'a>) -> Option<Self> {
        headers.lines(Name::XRequestId).single().and_then(Self::new)
    }

    /// Returns the id with these bytes; `None` where they are no id. Envoy's own ids are UUIDs; all others stay as they are.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let is_id =
            (1..=MAX_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        is_id.then_some(Self(bytes))
    }

    /// Returns the slot of its note, by FNV-1a: a slot is made of low bits, which depend on every byte of the id there.
    pub fn slot(self) -> u16 {
        let hash = self.0.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        // Always: the mask has ten bits.
        u16::try_from((hash ^ (hash >> 32)) & SLOT_MASK).unwrap_or_default()
    }
}

/// A note that this request has left, to be removed at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    key: String,
    value: Vec<u8>,
}

impl Note {
    /// Removes the note, unless another request has written over it since.
    #[inline]
    pub(crate) fn take_back(&self, data: &impl SharedData) {
        if data.shared_data(self.key.as_bytes()) == self.value {
            data.set_shared_data(self.key.as_bytes(), &[]);
        }
    }
}

/// Leaves a note. No comparison is needed, because a request that loses its note to another loses only a hint.
#[inline]
pub(crate) fn note(
    data: &impl SharedData,
    id: RequestId<'_>,
    context: &SpanContext,
    now: Nanos,
) -> Note {
    let note = Note {
        key: key(id),
        value: encode(id, context, now),
    };
    data.set_shared_data(note.key.as_bytes(), &note.value);
    note
}

/// Returns the context that was noted under an id. `now` is called only where the slot has a note.
#[inline]
pub(crate) fn find(
    data: &impl SharedData,
    id: RequestId<'_>,
    now: impl FnOnce() -> Nanos,
) -> Option<SpanContext> {
    let value = data.shared_data(key(id).as_bytes());
    if value.is_empty() {
        return None;
    }
    decode(&value, id, now())
}

#[inline]
fn key(id: RequestId<'_>) -> String {
    format!("sidespan.request.{}", id.slot())
}

/// Returns a note as bytes.
pub fn encode(id: RequestId<'_>, context: &SpanContext, now: Nanos) -> Vec<u8> {
    let Nanos(now) = now;
    let RequestId(id) = id;
    let sampling = match context.sampling {
        SamplingState::Deferred => 0,
        SamplingState::Deny => 1,
        SamplingState::Accept => 2,
        SamplingState::Debug => 3,
    };
    let random = if context.random { RANDOM } else { 0 };
    let short = if context.short_trace_id { SHORT } else { 0 };
    let mut note = Vec::with_capacity(HEAD_BYTES.saturating_add(id.len()));
    note.extend_from_slice(&now.to_le_bytes());
    note.extend_from_slice(&context.trace_id.to_bytes());
    note.extend_from_slice(&context.span_id.map_or([0; 8], SpanId::to_bytes));
    note.push(sampling | random | short);
    note.extend_from_slice(id);
    note
}

/// Reads a note; `None` where the note is of another id, or has expired.
pub fn decode(note: &[u8], RequestId(id): RequestId<'_>, now: Nanos) -> Option<SpanContext> {
    let (when, rest) = note.split_first_chunk::<8>()?;
    let (trace_id, rest) = rest.split_first_chunk::<16>()?;
    let (span_id, rest) = rest.split_first_chunk::<8>()?;
    let (state, whose) = rest.split_first()?;
    if whose != id || !now.is_near(Nanos(u64::from_le_bytes(*when)), EXPIRY) {
        return None;
    }
    Some(SpanContext {
        trace_id: TraceId::from_bytes(*trace_id)?,
        span_id: SpanId::from_bytes(*span_id),
        sampling: match state & SAMPLING {
            0 => SamplingState::Deferred,
            1 => SamplingState::Deny,
            2 => SamplingState::Accept,
            _ => SamplingState::Debug,
        },
        random: state & RANDOM != 0,
        short_trace_id: state & SHORT != 0,
    })
}

/// The number of slots, so that requests of one pod that are under way at once seldom meet in a slot.
pub const SLOTS: u16 = 1024;
const SLOT_MASK: u64 = 1023;
/// The longest id that is noted: longer than any id that a proxy makes, so that a caller cannot make a note large.
const MAX_BYTES: usize = 128;
/// The lifetime of a note, because a request whose VM trapped removes none (test `a_note_is_good_for_five_minutes`).
const EXPIRY: Duration = Duration::from_secs(5 * 60);
const HEAD_BYTES: usize = 33;
const SAMPLING: u8 = 3;
const RANDOM: u8 = 4;
const SHORT: u8 = 8;

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const ID: &[u8] = b"7f3a1c9e-5b2d-4e8f-9a6b-0c1d2e3f4a5b";

    fn context(sampling: SamplingState) -> SpanContext {
        SpanContext {
            trace_id: TraceId::from_hex(b"4bf92f3577b34da6a3ce929d0e0e4736").unwrap(),
            span_id: SpanId::from_hex(b"00f067aa0ba902b7").ok(),
            sampling,
            random: false,
            short_trace_id: false,
        }
    }

    fn id(bytes: &[u8]) -> RequestId<'_> {
        RequestId::new(bytes).unwrap()
    }

    #[test]
    fn reads_what_it_writes() {
        use SamplingState::{Accept, Debug, Deferred, Deny};
        for sampling in [Deferred, Deny, Accept, Debug] {
            for bits in 0..8 {
                let context = SpanContext {
                    random: bits & 1 != 0,
                    short_trace_id: bits & 2 != 0,
                    span_id: context(sampling).span_id.filter(|_| bits & 4 != 0),
                    ..context(sampling)
                };
                let note = encode(id(ID), &context, Nanos(SECOND));
                assert_eq!(note.len(), HEAD_BYTES + ID.len());
                assert_eq!(decode(&note, id(ID), Nanos(SECOND)), Some(context));
            }
        }
    }

    #[test]
    fn a_note_is_of_one_id_and_no_other() {
        let note = encode(id(ID), &context(SamplingState::Accept), Nanos(SECOND));
        let longer = [ID, b"0"].concat();
        for other in [&b"7"[..], &ID[1..], &ID[..35], &longer, b"other"] {
            assert_eq!(decode(&note, id(other), Nanos(SECOND)), None);
        }
    }

    #[test]
    fn a_note_is_good_for_five_minutes() {
        let start = 1_000 * SECOND;
        let note = encode(id(ID), &context(SamplingState::Deny), Nanos(start));
        for (seconds, is_good) in [(0, true), (299, true), (300, false), (3_600, false)] {
            let age = seconds * SECOND;
            for now in [start + age, start.saturating_sub(age)] {
                assert_eq!(
                    decode(&note, id(ID), Nanos(now)).is_some(),
                    is_good,
                    "{now}"
                );
            }
        }
    }

    #[test]
    fn believes_no_byte_of_a_note() {
        let note = encode(id(ID), &context(SamplingState::Debug), Nanos(SECOND));
        for end in 0..note.len() {
            assert_eq!(decode(&note[..end], id(ID), Nanos(SECOND)), None, "{end}");
        }
        for at in 0..note.len() {
            for byte in 0..=255 {
                let mut changed = note.clone();
                changed[at] = byte;
                let _ = decode(&changed, id(ID), Nanos(SECOND));
            }
        }
        let mut zeros = note;
        zeros[8..24].fill(0);
        assert_eq!(decode(&zeros, id(ID), Nanos(SECOND)), None, "no trace");
    }

    #[test]
    fn an_id_is_printable_and_short() {
        for good in [&b"1"[..], ID, &[b'~'; 128]] {
            assert!(RequestId::new(good).is_some());
        }
        for bad in [&b""[..], b"a b", b"a\0", b"\xff", &[b'a'; 129]] {
            assert_eq!(RequestId::new(bad), None);
        }
        let of = |lines: &[&'static [u8]]| {
            let lines = lines.iter().map(|line| (&b"x-request-id"[..], *line));
            RequestId::of(&RequestHeaders::read(lines)).is_some()
        };
        assert!(of(&[b"a"]));
        assert!(!of(&[]) && !of(&[b"a", b"a"]) && !of(&[b""]));
    }

    #[test]
    fn ids_spread_over_all_slots() {
        let mut taken = [0_u32; SLOTS as usize];
        for number in 0..20 * u32::from(SLOTS) {
            let text = format!("{:08x}-5b2d-4e8f-9a6b-{number:012x}", number / 3);
            taken[usize::from(id(text.as_bytes()).slot())] += 1;
        }
        assert!(
            taken.iter().all(|count| (3..60).contains(count)),
            "{taken:?}"
        );
    }
}
