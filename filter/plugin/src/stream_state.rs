//! What a stream has begun with its request, and carries to its end.

use sidespan_core::tracer::keep::pending::PendingSpans;
use sidespan_core::tracer::open_spans::OpenSpans;

use crate::shared_data::request_ids::Note;

/// What one stream carries.
#[derive(Default)]
pub(crate) struct StreamState {
    pub(crate) spans: Option<Spans>,
    /// Whether words about traces are to be taken out of the response.
    pub(crate) strips: bool,
    /// The note that the request has left for another one with its id.
    pub(crate) note: Option<Note>,
}

/// The spans of one stream.
pub(crate) enum Spans {
    /// They are recorded.
    Recorded(Box<OpenSpans>),
    /// The same, of a try.
    Tried(Box<OpenSpans>),
    /// They may be kept although they are not.
    PendingSpans(PendingSpans),
}

impl StreamState {
    /// Whether there is anything to be done with a response.
    #[inline]
    pub(crate) fn listens(&self) -> bool {
        self.strips || matches!(self.spans, Some(Spans::Tried(_) | Spans::PendingSpans(_)))
    }

    /// Notes that the response has come to its end.
    #[inline]
    pub(crate) fn hear_end(&mut self) {
        match &mut self.spans {
            Some(Spans::Tried(active)) => active.hear_end(),
            Some(Spans::PendingSpans(held)) => held.hear_end(),
            // The proxy says at the end how a request ended.
            Some(Spans::Recorded(_)) | None => {}
        }
    }
}
