//! The value of W3C's `traceparent` as it leaves. It has the digits of both ids, which other formats take from it, so that
//! nobody prints an id twice.

use core::ops::Range;

use crate::codec::hex;
use crate::ids::{SpanId, TraceId};

/// A value of `traceparent`, version `00`.
#[derive(Clone, Debug)]
pub struct Traceparent([u8; LENGTH]);

impl Traceparent {
    /// Prints the ids and the flags, which are below 16.
    #[inline]
    pub(super) fn new(trace_id: TraceId, span_id: SpanId, flags: u8) -> Self {
        let mut value = *b"00-................................-................-00";
        if let Some(digits) = value.get_mut(TRACE_ID) {
            hex::print(&trace_id.to_bytes(), digits);
        }
        if let Some(digits) = value.get_mut(SPAN_ID) {
            hex::print(&span_id.to_bytes(), digits);
        }
        let [.., last] = &mut value;
        *last |= flags;
        Self(value)
    }

    /// Returns the whole value.
    #[inline]
    pub fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// Returns the 32 digits of the trace id.
    #[inline]
    pub(super) fn trace_id(&self) -> &[u8] {
        self.0.get(TRACE_ID).unwrap_or_default()
    }

    /// Returns the 16 digits of the span id.
    #[inline]
    pub(super) fn span_id(&self) -> &[u8] {
        self.0.get(SPAN_ID).unwrap_or_default()
    }
}

/// The length of a value of version `00`.
pub(super) const LENGTH: usize = 55;

const TRACE_ID: Range<usize> = 3..35;
const SPAN_ID: Range<usize> = 36..52;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn prints_ids_and_flags_and_hands_out_their_digits() {
        let trace_id = TraceId::from_hex(b"4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
        let span_id = SpanId::from_hex(b"00f067aa0ba902b7").unwrap();
        for (flags, end) in [(0, "00"), (1, "01"), (2, "02"), (3, "03")] {
            let value = Traceparent::new(trace_id, span_id, flags);
            let whole = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{end}");
            assert_eq!(value.as_bytes(), whole.as_bytes());
            assert_eq!(value.trace_id(), b"4bf92f3577b34da6a3ce929d0e0e4736");
            assert_eq!(value.span_id(), b"00f067aa0ba902b7");
        }
    }
}
