//! What a stream has begun with its request, and carries to its end.

use sidespan_core::tracer::keep::pending::Held;
use sidespan_core::tracer::open_spans::Active;

use crate::correlation::Note;

/// What one stream carries.
#[derive(Default)]
pub(crate) struct Begun {
    pub(crate) spans: Option<Spans>,
    /// Whether words about traces are to be taken out of the response.
    pub(crate) strips: bool,
    /// The note that the request has left for another one with its id.
    pub(crate) note: Option<Note>,
}

/// The spans of one stream.
pub(crate) enum Spans {
    /// They are recorded.
    Recorded(Box<Active>),
    /// The same, of a try.
    Tried(Box<Active>),
    /// They may be kept although they are not.
    Held(Held),
}

impl Begun {
    /// Whether there is anything to be done with a response.
    #[inline]
    pub(crate) fn listens(&self) -> bool {
        self.strips || matches!(self.spans, Some(Spans::Tried(_) | Spans::Held(_)))
    }

    /// Notes that the response has come to its end.
    #[inline]
    pub(crate) fn hear_end(&mut self) {
        match &mut self.spans {
            Some(Spans::Tried(active)) => active.hear_end(),
            Some(Spans::Held(held)) => held.hear_end(),
            // The proxy says at the end how a request ended.
            Some(Spans::Recorded(_)) | None => {}
        }
    }
}
