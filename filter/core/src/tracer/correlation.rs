//! What goes out continues what came in, by the request's id, where nothing else says what it continues.

use super::decide::Tracer;
use super::request_trace::RequestTrace;
use crate::direction::Direction;
use crate::headers::RequestHeaders;
use crate::propagation::context::{SamplingState, SpanContext};
use crate::propagation::extract::Extraction;
use crate::shared_data::request_ids::RequestId;
use crate::stats::{Counter, Stats};

impl Tracer {
    /// What a request is to be noted by and with, if others of this pod are to find it.
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

    /// The context that was noted for what goes out without one.
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
    /// Continues what was noted. It is our own word, which needs no trust; what the request itself says of sampling goes
    /// before.
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
