//! The answer to one request: excluded, untouched or traced.

/// The answer to one request, beside the trace that is written or removed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestDecision {
    /// The request is not traced, and its headers stay as they are.
    Excluded,
    /// The request is not traced. An empty trace removes the received context, because outside contexts are not accepted.
    ExcludedAndCleared,
    /// No context was received and none is started here: not a byte changes.
    Untouched,
    /// A context is propagated, or an empty trace removes the received context.
    Traced,
}

impl RequestDecision {
    /// Returns true if anything is to be written into the request or removed from it.
    #[inline]
    pub fn has_trace(self) -> bool {
        matches!(self, Self::ExcludedAndCleared | Self::Traced)
    }

    /// Returns true if the request is not traced, whatever came with it.
    #[inline]
    pub fn is_excluded(self) -> bool {
        matches!(self, Self::Excluded | Self::ExcludedAndCleared)
    }
}
