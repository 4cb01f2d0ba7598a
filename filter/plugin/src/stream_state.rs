//! The state of one stream, from its request to its end.

use sidespan_core::tracer::keep::pending::PendingSpans;
use sidespan_core::tracer::open_spans::OpenSpans;

use crate::shared_data::request_ids::Note;

/// The state of one stream.
#[derive(Default)]
pub(crate) struct StreamState {
    pub(crate) spans: Option<Spans>,
    /// True if `server-timing` of the response is to lose the names of traces.
    pub(crate) strips: bool,
    /// The note that the request has left for another one with its id.
    pub(crate) note: Option<Note>,
}

/// The spans of one stream.
pub(crate) enum Spans {
    /// Spans of a sampled request.
    Recorded(Box<OpenSpans>),
    /// Spans of one attempt.
    Tried(Box<OpenSpans>),
    /// Spans that are not sampled and may be kept after the response.
    PendingSpans(PendingSpans),
}

impl StreamState {
    /// Returns true if there is anything to be done with a response.
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
