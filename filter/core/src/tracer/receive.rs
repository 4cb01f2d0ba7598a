//! The received context of one request: extracted, trusted or not, or taken over from another request.

use super::decide::Tracer;
use super::request_trace::RequestTrace;
use super::state::State;
use crate::direction::Direction;
use crate::headers::RequestHeaders;
use crate::id_generator::Random;
use crate::propagation;
use crate::propagation::context::SpanContext;
use crate::propagation::settings::Trust;
use crate::shared_data::request_ids::RequestId;

impl Tracer {
    /// Extracts the received context into the trace, or joins it to another request, and returns the context to continue. Not
    /// a part of its caller, because most requests that begin a trace here have nothing to extract.
    #[inline(never)]
    pub(super) fn receive<'a>(
        &self,
        headers: &RequestHeaders<'a>,
        trust: &Trust,
        direction: impl Fn() -> Direction,
        noted: impl FnOnce(RequestId<'_>) -> Option<SpanContext>,
        state: &mut State<impl Random>,
        trace: &mut RequestTrace<'a>,
    ) -> Option<SpanContext> {
        let stats = &mut state.stats;
        let mut found = propagation::extract(&self.propagation.extract, trust, headers, stats);
        let joined = self.joined(&found, headers, direction, noted, stats);
        trace.has_received = !found.present.is_empty() || joined.is_some();
        trace.link = trust.apply(&mut found, stats);
        if let Some(noted) = joined {
            found.join(noted);
        }
        let parent = found.context;
        trace.continue_from(found);
        trace.is_joined = joined.is_some();
        parent
    }
}
