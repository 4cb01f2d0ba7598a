//! The state that one stream carries from its request to its end.

use alloc::boxed::Box;

use crate::shared_data::request_ids;
use crate::tracer::keep::pending::PendingSpans;
use crate::tracer::open_spans::OpenSpans;

/// The state that one stream carries from its request to its end.
#[derive(Debug, Default)]
pub struct StreamState {
    pub(super) spans: Option<StreamSpans>,
    // True where `server-timing` may not name kept traces to the caller.
    pub(super) strips_server_timing: bool,
    // The note that the request has left for another one with its id.
    pub(super) note: Option<request_ids::Note>,
}

/// The spans of one stream.
#[derive(Debug)]
pub(super) enum StreamSpans {
    Recorded(Box<OpenSpans>),
    Attempt(Box<OpenSpans>),
    Pending(Box<PendingSpans>),
}

impl StreamState {
    /// Returns true if the response makes a difference here.
    #[inline]
    pub fn listens(&self) -> bool {
        self.strips_server_timing
            || match &self.spans {
                Some(StreamSpans::Attempt(_) | StreamSpans::Pending(_)) => true,
                Some(StreamSpans::Recorded(spans)) => spans.hears(),
                None => false,
            }
    }

    /// Returns true if anything is left to be done at the end.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.spans.is_some() || self.note.is_some()
    }

    /// Notes that the response has come to its end.
    #[inline]
    pub(super) fn end_response(&mut self) {
        match &mut self.spans {
            Some(StreamSpans::Attempt(spans)) => spans.end_response(),
            Some(StreamSpans::Pending(spans)) => spans.end_response(),
            // The proxy says at the end how a recorded request ended.
            Some(StreamSpans::Recorded(_)) | None => {}
        }
    }
}
