//! The spans of a set of traces that something may be missing below, by the services that they call or are.
//!
//! A broken hop leaves two ends. One is a span here: a call without anything below it, or a request to a service that called
//! another. The other is the top of a trace, and is looked for with [`Neighbours::tightest`].

use std::collections::{HashMap, HashSet};

use super::clocks::SLACK_NANOS;
use super::span_facts::{
    callee, is_called, is_caller, is_surely_same_request, is_unsent, label, service,
};
use super::trace_index::TraceIndex;
use crate::store::StoredSpan;

/// A span of a set of traces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) trace: &'a str,
    pub(super) span: &'a StoredSpan,
}

/// The ends of calls, by the way in which they may be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End<'a> {
    /// A call of this name, with nothing below it.
    CallOf(&'a str),
    /// A call of anything, with nothing below it.
    Call,
    /// A call by this service, with nothing below it.
    CallBy(&'a str),
    /// A request to this service, which made no call because of it.
    IdleRequestTo(&'a str),
    /// A request to this service, which called others because of it.
    BusyRequestTo(&'a str),
}

/// The neighbours of a trace: all traces that are looked at, itself included.
#[derive(Debug, Default)]
pub(super) struct Neighbours<'a> {
    by_span: HashMap<&'a str, Vec<Member<'a>>>,
    by_low_half: HashMap<&'a str, Vec<&'a str>>,
    ends: HashMap<End<'a>, Ends<'a>>,
    served: HashMap<&'a str, Vec<&'a StoredSpan>>,
    /// The ids of spans that links lead to.
    linked: HashSet<&'a str>,
}

#[derive(Debug, Default)]
struct Ends<'a> {
    /// In the order of their start.
    members: Vec<Member<'a>>,
    longest: u64,
}

impl<'a> Neighbours<'a> {
    pub(super) fn of(traces: &[TraceIndex<'a>]) -> Self {
        let mut all = Self::default();
        for trace in traces {
            if let Some(low) = trace.id.get(16..) {
                all.by_low_half.entry(low).or_default().push(trace.id);
            }
            let callers = trace.callers();
            for span in &trace.spans {
                all.add(trace, span, callers.contains(span.span_id.as_str()));
            }
        }
        for ends in all.ends.values_mut() {
            ends.members.sort_by_key(|end| end.span.start_unix_nanos);
        }
        all
    }

    fn add(&mut self, trace: &TraceIndex<'a>, span: &'a StoredSpan, calls: bool) {
        let member = Member {
            trace: trace.id,
            span,
        };
        self.by_span.entry(&span.span_id).or_default().push(member);
        let links = span.links.iter().map(|link| link.span_id.as_str());
        self.linked.extend(links);
        let own = service(span).map(label);
        if is_caller(span) && trace.is_leaf(span) && !is_unsent(span) {
            self.end(End::Call, member);
            if let Some(to) = callee(span) {
                self.end(End::CallOf(label(to)), member);
            }
            if let Some(own) = own {
                self.end(End::CallBy(own), member);
            }
        }
        if let Some(own) = own.filter(|_| is_called(span)) {
            self.served.entry(own).or_default().push(span);
            let end = match calls {
                true => End::BusyRequestTo(own),
                false => End::IdleRequestTo(own),
            };
            self.end(end, member);
        }
    }

    fn end(&mut self, end: End<'a>, member: Member<'a>) {
        let ends = self.ends.entry(end).or_default();
        ends.longest = ends.longest.max(member.span.duration_nanos());
        ends.members.push(member);
    }

    /// Returns the span with this id that another trace has.
    pub(super) fn elsewhere(&self, span_id: &str, trace: &str) -> Option<Member<'a>> {
        let all = self.by_span.get(span_id)?;
        all.iter().copied().find(|member| member.trace != trace)
    }

    /// Returns the other traces whose ids end in the same 64 bits.
    pub(super) fn with_low_half(&self, trace: &'a str) -> impl Iterator<Item = &'a str> {
        let all = trace.get(16..).and_then(|low| self.by_low_half.get(low));
        let others = all.into_iter().flatten().copied();
        others.filter(move |id| *id != trace)
    }

    /// Returns the shortest span among such ends that lasts from before `inner` begins to after it ends, and is `wanted`.
    pub(super) fn tightest(
        &self,
        end: End<'a>,
        inner: &StoredSpan,
        wanted: impl Fn(&Member<'a>) -> bool,
    ) -> Option<Member<'a>> {
        let Ends { members, longest } = self.ends.get(&end)?;
        let latest = inner.start_unix_nanos.saturating_add(SLACK_NANOS);
        let earliest = inner.start_unix_nanos.saturating_sub(longest + SLACK_NANOS);
        let from = members.partition_point(|end| end.span.start_unix_nanos < earliest);
        let near = members.get(from..).unwrap_or_default().iter();
        near.take_while(|end| end.span.start_unix_nanos <= latest)
            .filter(|end| holds(end.span, inner) && wanted(end))
            // Of calls that follow each other within the slack, the one that really has it inside.
            .min_by_key(|end| (overhang(end.span, inner), end.span.duration_nanos()))
            .copied()
    }

    /// Returns true if a service has answered the like of a call with a span of its own.
    pub(super) fn is_known_to_answer(&self, call: &StoredSpan) -> bool {
        let spans = callee(call).and_then(|to| self.served.get(label(to)));
        spans
            .into_iter()
            .flatten()
            .any(|it| is_surely_same_request(it, call))
    }

    /// Returns true if a link leads to a span, as to one whose trace was begun anew behind it.
    pub(super) fn is_linked(&self, span: &StoredSpan) -> bool {
        self.linked.contains(span.span_id.as_str())
    }

    /// Returns true if a name is of a service that answers requests with spans.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.served.contains_key(label(name))
    }
}

/// Returns how much of a span lies outside another, in nanoseconds, before it and behind it together.
fn overhang(outer: &StoredSpan, inner: &StoredSpan) -> u64 {
    let before = outer
        .start_unix_nanos
        .saturating_sub(inner.start_unix_nanos);
    let behind = inner.end_unix_nanos.saturating_sub(outer.end_unix_nanos);
    before.saturating_add(behind)
}

/// Returns true if one span lasts from before another begins to after it ends.
pub(super) fn holds(outer: &StoredSpan, inner: &StoredSpan) -> bool {
    let end = outer.end_unix_nanos.saturating_add(SLACK_NANOS);
    !std::ptr::eq(outer, inner)
        && outer.start_unix_nanos <= inner.start_unix_nanos.saturating_add(SLACK_NANOS)
        && inner.start_unix_nanos <= end
        && inner.end_unix_nanos <= end
}
