//! A caller's context, which no other test of this run has.

use std::sync::atomic::{AtomicU64, Ordering};

/// A caller's context, sampled unless a method says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The trace id, in 32 hex digits.
    pub trace_id: String,
    /// The id of the caller's span, in 16 hex digits.
    pub span_id: String,
}

impl Caller {
    /// Returns a context that was not used before.
    pub fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Spread over the id, because samplers look at its low half.
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self {
            trace_id: format!("5eed{number:012x}{spread:016x}"),
            span_id: format!("ca11{number:012x}"),
        }
    }

    /// Returns `traceparent`, sampled.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace_id, self.span_id)
    }

    /// Returns `traceparent`, not sampled.
    pub fn unsampled(&self) -> String {
        format!("00-{}-{}-00", self.trace_id, self.span_id)
    }

    /// Returns `b3` in one header, sampled.
    pub fn b3(&self) -> String {
        format!("{}-{}-1", self.trace_id, self.span_id)
    }
}
