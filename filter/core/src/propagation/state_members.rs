//! The members of `tracestate` that carry facts of other formats: debug, for which `traceparent` has no bit, and
//! Datadog's.

use super::context::{SamplingState, SpanContext};
use super::format::{Format, FormatSet};
use super::tracestate::{self, Tracestate};
use super::{b3, datadog, value_buffer};
use crate::headers::RequestHeaders;
use crate::stats::Stats;

/// Returns the `tracestate` that leaves with this context: with the member `b3` for debug, which `traceparent` has no
/// word for, and with Datadog's facts where Datadog's headers name this trace.
#[must_use]
#[inline]
pub fn add_state_members<'a>(
    tracestate: Tracestate<'a>,
    context: Option<SpanContext>,
    same_trace: FormatSet,
    headers: &RequestHeaders<'_>,
    stats: &mut Stats,
) -> Tracestate<'a> {
    let Some(context) = context else {
        return tracestate;
    };
    let is_debug = context.sampling == SamplingState::Debug && context.span_id.is_some();
    if tracestate == Tracestate::Absent && !is_debug && !same_trace.contains(Format::Datadog) {
        return tracestate;
    }
    let debug = is_debug.then(|| b3::print_single(Some(context), context.sampling, false));
    let debug = debug.as_ref().map(value_buffer::Text::as_bytes);
    let tracestate = tracestate.with(tracestate::B3_MEMBER, debug, stats);
    // A received `dd` member is of Datadog's own tracer, which knows better which of the tracer's spans was the last.
    if !same_trace.contains(Format::Datadog)
        || tracestate.member(tracestate::DATADOG_MEMBER).is_some()
    {
        return tracestate;
    }
    match datadog::member(headers, context.sampling) {
        Some(member) => tracestate.with(tracestate::DATADOG_MEMBER, Some(&member), stats),
        None => tracestate,
    }
}

/// Returns the `tracestate` without the sampling facts of its Datadog member: where received decisions or debug are not
/// believed, the next hop would read a user's wish in the member as debug.
#[must_use]
#[inline]
pub fn without_datadog_decision<'a>(
    tracestate: Tracestate<'a>,
    stats: &mut Stats,
) -> Tracestate<'a> {
    let Some(member) = tracestate.member(tracestate::DATADOG_MEMBER) else {
        return tracestate;
    };
    let rest = datadog::without_decision(member);
    let rest = Some(rest.as_slice()).filter(|rest| !rest.is_empty());
    tracestate.with(tracestate::DATADOG_MEMBER, rest, stats)
}
