//! The answer to one request: it is excluded, left alone, or its context goes on.

use super::request_trace::RequestTrace;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestDecision<'a> {
    /// It is not traced at all. Where contexts from outside are not accepted, an empty trace removes the one that came in.
    Excluded(Option<RequestTrace<'a>>),
    /// No context came in and none is started here: not a byte changes.
    Untouched,
    /// A context goes on, or an empty trace removes the one that came in.
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
