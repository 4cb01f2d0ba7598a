//! The randomness of a trace, by which every proxy on its way keeps the same traces ("Randomness Value" in OpenTelemetry's
//! probability sampling specification).

use crate::ids::TraceId;

/// The randomness of a trace: 56 bits that thresholds are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Randomness {
    /// The caller's explicit randomness, `rv` of `tracestate`.
    Explicit(u64),
    /// That of the trace id, which is taken out of it only where a threshold depends on it: most percentages are 0 or 100.
    Of(TraceId),
}

impl Randomness {
    /// Returns the caller's randomness, or else that of the trace id.
    #[inline]
    pub(crate) fn new(explicit: Option<u64>, trace_id: TraceId) -> Self {
        explicit.map_or(Self::Of(trace_id), Self::Explicit)
    }

    /// Returns the randomness as a number below 2^56.
    #[inline]
    pub(crate) fn value(self) -> u64 {
        match self {
            Self::Explicit(randomness) => randomness,
            Self::Of(trace_id) => trace_id.randomness(),
        }
    }
}

impl From<u64> for Randomness {
    #[inline]
    fn from(randomness: u64) -> Self {
        Self::Explicit(randomness)
    }
}
