//! What a stream has begun with its request, and carries to its end.

use sidespan_core::tracer::{Active, Held};

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
    /// They may be kept although they are not.
    Held(Held),
}

impl Begun {
    /// Whether there is anything to be done with a response.
    #[inline]
    pub(crate) fn listens(&self) -> bool {
        self.spans.is_some() || self.strips
    }

    /// Notes that the response has come to its end.
    #[inline]
    pub(crate) fn hear_end(&mut self) {
        match &mut self.spans {
            Some(Spans::Recorded(active)) => active.hear_end(),
            Some(Spans::Held(held)) => held.hear_end(),
            None => {}
        }
    }
}
