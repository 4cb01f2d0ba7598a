//! The answer to one request: excluded, untouched or traced.

use super::request_trace::RequestTrace;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestDecision<'a> {
    /// The request is not traced. Where outside contexts are not accepted, an empty trace removes the received context.
    Excluded(Option<RequestTrace<'a>>),
    /// No context was received and none is started here: not a byte changes.
    Untouched,
    /// A context is propagated, or an empty trace removes the received context.
    Traced(RequestTrace<'a>),
}

impl<'a> RequestDecision<'a> {
    /// Returns the trace to write into the request, if anything is to be written or removed.
    #[inline]
    pub fn request_trace(&mut self) -> Option<&mut RequestTrace<'a>> {
        match self {
            Self::Excluded(trace) => trace.as_mut(),
            Self::Untouched => None,
            Self::Traced(trace) => Some(trace),
        }
    }
}
