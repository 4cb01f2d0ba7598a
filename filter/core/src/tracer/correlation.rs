//! Correlation by `x-request-id`: an outbound request without a context continues the inbound request of the same id.

use super::decide::Tracer;
use super::request_trace::RequestTrace;
use crate::direction::Direction;
use crate::headers::RequestHeaders;
use crate::propagation::context::{SamplingState, SpanContext};
use crate::propagation::extract::Extraction;
use crate::shared_data::request_ids::RequestId;
use crate::stats::{Counter, Stats};

impl Tracer {
    /// Returns the id and the context to note for other requests of this pod; `None` where this request leaves no note.
    #[inline]
    pub fn to_note<'a>(
        &self,
        request_trace: &RequestTrace<'_>,
        headers: &RequestHeaders<'a>,
        direction: impl FnOnce() -> Direction,
    ) -> Option<(RequestId<'a>, SpanContext)> {
        let context = request_trace.context.filter(|_| self.correlates)?;
        let id = RequestId::of(headers)?;
        (direction() == Direction::Inbound).then_some((id, context))
    }

    /// Returns the context that was noted for an outbound request without a context of its own.
    #[inline]
    pub(super) fn joined(
        &self,
        found: &Extraction<'_>,
        headers: &RequestHeaders<'_>,
        direction: impl FnOnce() -> Direction,
        noted: impl FnOnce(RequestId<'_>) -> Option<SpanContext>,
        stats: &mut Stats,
    ) -> Option<SpanContext> {
        if !self.correlates || found.context.is_some() {
            return None;
        }
        let id = RequestId::of(headers)?;
        let noted = match direction() {
            Direction::Outbound => noted(id)?,
            Direction::Inbound | Direction::Edge => return None,
        };
        stats.add(Counter::ContextCorrelated);
        Some(noted)
    }
}

impl Extraction<'_> {
    /// Continues the noted context. No trust is needed, because this filter wrote the note itself. A sampling state that the
    /// request carries goes before the noted one.
    #[inline]
    pub(super) fn join(&mut self, noted: SpanContext) {
        self.context = Some(SpanContext {
            sampling: match self.decision {
                SamplingState::Deferred => noted.sampling,
                decided => decided,
            },
            ..noted
        });
    }
}
