//! Trust in a received context: its ids, its decision, and debug.
//!
//! At the edge of a mesh anybody may send a trace id, switch recording off or force it. So the ids can be refused, with a
//! link to the outside trace or without; the received decision can be replaced by one taken here; and debug, which no
//! percentage limits, can be reduced to sampled.

use alloc::boxed::Box;

use crate::propagation;
use crate::propagation::context::{SamplingState, SpanContext};
use crate::propagation::extract::Extraction;
use crate::propagation::format::FormatSet;
use crate::propagation::settings::{ContextTrust, Trust};
use crate::propagation::tracestate::Tracestate;
use crate::span::{Link, LinkReason};
use crate::stats::Stats;

impl Trust {
    /// Removes from the extraction everything that is not trusted, and returns a link to a context that is not continued.
    #[inline]
    pub(crate) fn apply(&self, found: &mut Extraction<'_>, stats: &mut Stats) -> Option<Box<Link>> {
        match self.context {
            ContextTrust::Accept => {
                if let Some(context) = &mut found.context {
                    context.sampling = self.sampling(context.sampling);
                }
                found.decision = self.sampling(found.decision);
                if !self.decision || !self.debug {
                    let tracestate = core::mem::replace(&mut found.tracestate, Tracestate::Absent);
                    found.tracestate =
                        propagation::state_members::without_datadog_decision(tracestate, stats);
                }
                link(found.conflict, LinkReason::ConflictingFormat)
            }
            ContextTrust::Restart => link(forget(found), LinkReason::Restarted),
            ContextTrust::Ignore => {
                forget(found);
                None
            }
        }
    }

    #[inline]
    fn sampling(&self, received: SamplingState) -> SamplingState {
        match received {
            _ if !self.decision => SamplingState::Deferred,
            state if !self.debug => state.without_debug(),
            state => state,
        }
    }
}

/// Removes and returns the received context. `present` stays, so that the headers of all received formats are removed; a
/// load balancer's id among them, because load balancers keep the id that an outsider sends.
#[inline]
fn forget(found: &mut Extraction<'_>) -> Option<SpanContext> {
    found.present = found.present.and(found.request_ids);
    found.request_ids = FormatSet::default();
    found.decision = SamplingState::Deferred;
    found.tracestate = Tracestate::Absent;
    found.same_trace = FormatSet::default();
    found.conflict = None;
    found.context.take()
}

#[inline]
fn link(context: Option<SpanContext>, reason: LinkReason) -> Option<Box<Link>> {
    let context = context?;
    Some(Box::new(Link {
        trace_id: context.trace_id,
        span_id: context.span_id?,
        reason,
    }))
}
