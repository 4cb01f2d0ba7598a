//! The tracer of messages: the spans of what is sent and processed, and the contexts that travel with it.

use alloc::vec::Vec;

use super::carrier::Carrier;
use super::context::{Context, Received};
use super::propagator::Propagator;
use super::span::{MessageKind, MessageSpan, Operation};
use crate::headers::RequestHeaders;
use crate::id_generator::{IdGenerator, Random};
use crate::ids::SpanId;
use crate::propagation::context::{SamplingState, SpanContext};
use crate::propagation::format::FormatSet;
use crate::propagation::state_members::add_state_members;
use crate::propagation::tracestate::Tracestate;
use crate::sampling::randomness::Randomness;
use crate::sampling::threshold::{self, Member, Threshold};
use crate::stats::{Counter, Stats};
use crate::time::Nanos;

/// The tracer of messages: a propagator, ids, and the share of new traces that is sampled.
///
/// Its methods that begin a span return `None` without randomness for the ids, and count that.
#[derive(Debug)]
pub struct MessageTracer<R> {
    propagator: Propagator,
    roots: Threshold,
    ids: IdGenerator<R>,
    stats: Stats,
}

impl<R: Random> MessageTracer<R> {
    /// Returns a tracer. `roots` decides on messages that belong to no trace, and on contexts without a decision; every other
    /// decision is followed, and so is a threshold in `tracestate`.
    pub fn new(propagator: Propagator, roots: Threshold, random: R) -> Self {
        Self {
            propagator,
            roots,
            ids: IdGenerator::new(random),
            stats: Stats::default(),
        }
    }

    /// Reads the context of a message, or of the request in whose course messages are sent.
    pub fn extract(&mut self, carrier: &impl Carrier) -> Received {
        self.propagator.extract(carrier, &mut self.stats)
    }

    /// Begins the PRODUCER span of one message, as a child of the current context.
    pub fn produce(
        &mut self,
        operation: Operation<'_>,
        current: &Received,
        now: Nanos,
    ) -> Option<MessageSpan> {
        self.begin(MessageKind::Producer, operation, current, now)
    }

    /// Writes a span's context into the headers of a message, or of a request that is made in its course. Returns the headers
    /// that found no room.
    pub fn inject(&self, span: &MessageSpan, carrier: &mut impl Carrier) -> Vec<&'static str> {
        self.propagator.inject(span.context(), carrier)
    }

    /// Begins the CONSUMER span of one message that is processed by itself: the span continues the trace of the message, and
    /// links to the message's context as well.
    pub fn process(
        &mut self,
        operation: Operation<'_>,
        message: &Received,
        now: Nanos,
    ) -> Option<MessageSpan> {
        let mut span = self.begin(MessageKind::Consumer, operation, message, now)?;
        span.link_to(message.context.iter());
        Some(span)
    }

    /// Begins the CONSUMER span of messages that are processed together, or within another span: the span is a child of the
    /// current context, or begins a trace, and links to the context of each message. A new trace is sampled if that of any
    /// message is, because a link into a trace that nobody recorded leads nowhere.
    pub fn process_batch(
        &mut self,
        operation: Operation<'_>,
        current: &Received,
        messages: &[Received],
        now: Nanos,
    ) -> Option<MessageSpan> {
        let contexts = || {
            messages
                .iter()
                .filter_map(|message| message.context.as_ref())
        };
        let mut parent = current.clone();
        if parent.context.is_none()
            && parent.decision == SamplingState::Deferred
            && contexts().any(Context::is_sampled)
        {
            parent.decision = SamplingState::Accept;
        }
        let mut span = self.begin(MessageKind::Consumer, operation, &parent, now)?;
        // The conventions want no count on the span of a single message.
        if messages.len() != 1 {
            let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
            span.attributes
                .number("messaging.batch.message_count", count);
        }
        span.link_to(contexts());
        Some(span)
    }

    /// Returns the counters, under the names that the filter's have.
    pub fn stats(&mut self) -> &mut Stats {
        &mut self.stats
    }

    fn begin(
        &mut self,
        kind: MessageKind,
        operation: Operation<'_>,
        parent: &Received,
        now: Nanos,
    ) -> Option<MessageSpan> {
        let begun = self.child_of(parent)?;
        let mut span = MessageSpan::new(kind, operation, begun, now);
        span.is_parent_remote = parent.is_remote;
        Some(span)
    }

    /// Returns the context of a new span, and its parent.
    fn child_of(&mut self, received: &Received) -> Option<(Context, Option<SpanId>)> {
        let parent = received.context.as_ref();
        let trace_id = match parent {
            Some(parent) => Some(parent.span.trace_id),
            None => self.ids.trace_id(),
        };
        let (Some(trace_id), Some(span_id)) = (trace_id, self.ids.span_id()) else {
            self.stats.add(Counter::EntropyFailures);
            return None;
        };
        let list = match parent.map(|parent| parent.tracestate.as_slice()) {
            None | Some([]) => Tracestate::Absent,
            Some(list) => Tracestate::Verbatim(list),
        };
        let member = Member::read(list.member(threshold::MEMBER));
        let randomness = Randomness::new(member.randomness(), trace_id);
        let (sampling, wanted) = match parent.map_or(received.decision, |it| it.span.sampling) {
            SamplingState::Deferred if self.roots.keeps(randomness) => {
                (SamplingState::Accept, Some(self.roots))
            }
            SamplingState::Deferred | SamplingState::Deny => (SamplingState::Deny, None),
            // No percentage has chosen it (TH-12).
            SamplingState::Debug => (SamplingState::Debug, None),
            SamplingState::Accept => {
                let told = member.consistent_threshold(randomness);
                (SamplingState::Accept, told)
            }
        };
        let span = SpanContext {
            trace_id,
            span_id: Some(span_id),
            sampling,
            random: parent.is_some_and(|parent| parent.span.random),
            short_trace_id: parent.is_some_and(|parent| parent.span.short_trace_id),
        };
        let stats = &mut self.stats;
        let list = match member.with(wanted) {
            Some(change) => list.clone().with(threshold::MEMBER, change.value(), stats),
            None => list.clone(),
        };
        let none = FormatSet::default();
        let list = add_state_members(list, Some(span), none, &RequestHeaders::default(), stats);
        let context = Context {
            span,
            tracestate: list.as_bytes().into(),
        };
        Some((context, parent.and_then(|parent| parent.span.span_id)))
    }
}

#[cfg(test)]
mod tests;
