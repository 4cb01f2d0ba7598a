//! The `tracestate` that a service drops between its inbound and its outbound side, put back by the trace's id.
//!
//! Only traces that were sampled at less than 100 % leave a note, because only there a lost list makes numbers wrong; and
//! only a sampled request that goes out without the member `ot` looks for one.

use super::decide::Tracer;
use super::request_trace::RequestTrace;
use super::state::State;
use crate::direction::Direction;
use crate::id_generator::Random;
use crate::propagation::context::SamplingState;
use crate::propagation::format::Format;
use crate::propagation::tracestate::{B3_MEMBER, DATADOG_MEMBER, Tracestate};
use crate::proxy::{SharedData, Worker};
use crate::sampling::threshold;
use crate::shared_data::tracestates;
use crate::stats::Counter;

impl Tracer {
    /// Notes the list of a sampled trace for what this pod sends in it: the whole list where the context came in as
    /// `traceparent`, beside which it stands, and else the member `ot` alone. Members of Sidespan's own are left out, which
    /// are written anew at each hop.
    #[inline]
    pub fn note_tracestate(
        &self,
        trace: &RequestTrace<'_>,
        direction: impl FnOnce() -> Direction,
        proxy: &(impl SharedData + Worker),
        state: &mut State<impl Random>,
    ) {
        if !self.restores || !trace.is_sampled_below_all || direction() != Direction::Inbound {
            return;
        }
        let own = trace.tracestate.member(threshold::MEMBER);
        let (Some(context), Some(own)) = (trace.context, own) else {
            return;
        };
        let list = match trace.same_trace.contains(Format::TraceContext) {
            true => trace.tracestate.without(&[B3_MEMBER, DATADOG_MEMBER]),
            false => [threshold::MEMBER, b"=", own].concat(),
        };
        tracestates::note(proxy, context.trace_id, &list, proxy.now());
        state.has_noted_tracestate = true;
    }

    /// Puts back what was noted, where a sampled request goes out without the member `ot`.
    #[inline]
    pub fn restore_tracestate(
        &self,
        trace: &mut RequestTrace<'_>,
        direction: impl FnOnce() -> Direction,
        proxy: &(impl SharedData + Worker),
        state: &mut State<impl Random>,
    ) {
        let may_be_noted = self.samples_below_all || state.has_noted_tracestate;
        let is_sampled = matches!(trace.received, SamplingState::Accept | SamplingState::Debug);
        if !self.restores || !may_be_noted || !is_sampled {
            return;
        }
        let has_own = trace.tracestate.member(threshold::MEMBER).is_some();
        let context = trace.context.filter(|_| !has_own);
        let Some(context) = context.filter(|_| direction() == Direction::Outbound) else {
            return;
        };
        let Some(list) = tracestates::find(proxy, context.trace_id, || proxy.now()) else {
            return;
        };
        let noted = Tracestate::Rebuilt(list);
        let own = core::mem::replace(&mut trace.tracestate, Tracestate::Absent);
        let stats = &mut state.stats;
        trace.tracestate = match own {
            Tracestate::Absent => noted,
            // What the application sends stays as it is.
            own => own.with(threshold::MEMBER, noted.member(threshold::MEMBER), stats),
        };
        stats.add(Counter::TracestateRestored);
    }
}
