//! The trace of one request after `decide`: the context to propagate, the decision, and the spans that open with it.

use core::cell::OnceCell;

use alloc::boxed::Box;

use super::open_spans::{OpenSpan, OpenSpans, Parent};
use super::state::State;
use crate::direction::Direction;
use crate::headers::RequestHeaders;
use crate::id_generator::Random;
use crate::ids::SpanId;
use crate::propagation;
use crate::propagation::context::{Outgoing, SamplingState, SpanContext};
use crate::propagation::extract::Extraction;
use crate::propagation::format::{Format, FormatSet};
use crate::propagation::tracestate::Tracestate;
use crate::sampling::decision::{Decision, Verdict};
use crate::semconv::describe::{SpanDescriber, SpanStart};
use crate::semconv::http::forwarded::{Believed, Forwarded};
use crate::span::{Link, SpanKind};
use crate::stats::{Counter, Stats};
use crate::time::Nanos;

/// The trace of one request after `decide`: the context that is propagated, and the decision on spans.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestTrace<'a> {
    pub(super) context: Option<SpanContext>,
    // True if any header of a listed format, or another request, has said something, trusted or not.
    pub(super) has_received: bool,
    pub(super) received: SamplingState,
    pub(super) tracestate: Tracestate<'a>,
    // True if a list has come in, in which members may have to be replaced.
    has_list: bool,
    pub(super) same_trace: FormatSet,
    pub(super) present: FormatSet,
    pub(super) request_ids: FormatSet,
    pub(super) parent_span_id: Option<SpanId>,
    // True if the parent was found by `x-request-id`.
    pub(super) is_joined: bool,
    pub(super) link: Option<Box<Link>>,
    // The decision of this proxy, or of the received context for an attempt; None where this proxy only translates.
    pub(super) decision: Option<Decision>,
    // True where spans are exported, so that the decision may open or keep them.
    pub(super) is_recordable: bool,
    // The caller's `rv`; `None` without one, because the trace id gives the randomness then.
    pub(super) randomness: Option<u64>,
    // True if the trace is sampled with a probability below 1, as far as it says.
    pub(super) is_sampled_below_all: bool,
    // True where contexts are accepted from this caller, and with them the headers of proxies in front.
    pub(super) accepts_contexts: bool,
    // The describer of spans; None for an empty trace.
    pub(super) describer: Option<&'a SpanDescriber>,
}

impl<'a> RequestTrace<'a> {
    /// Continues what was received, before a decision.
    #[inline]
    pub(super) fn continue_from(&mut self, found: Extraction<'a>) {
        let context = found.context;
        self.context = context;
        self.received = context.map_or(found.decision, |context| context.sampling);
        self.has_list = found.tracestate != Tracestate::Absent;
        self.tracestate = found.tracestate;
        self.same_trace = found.same_trace;
        self.present = found.present;
        self.request_ids = found.request_ids;
        self.parent_span_id = context.and_then(|context| context.span_id);
    }

    /// Returns an empty trace: the received context is not accepted, and none is started here.
    #[inline]
    pub fn silent() -> Self {
        Self {
            context: None,
            has_received: false,
            received: SamplingState::Deferred,
            tracestate: Tracestate::Absent,
            has_list: false,
            same_trace: FormatSet::default(),
            present: FormatSet::default(),
            request_ids: FormatSet::default(),
            parent_span_id: None,
            is_joined: false,
            link: None,
            decision: None,
            is_recordable: false,
            randomness: None,
            is_sampled_below_all: false,
            accepts_contexts: false,
            describer: None,
        }
    }

    /// Returns true if spans are to be opened.
    #[inline]
    pub fn is_recorded(&self) -> bool {
        self.is_decided_on(Verdict::Record)
    }

    /// Returns true if the request was dropped, so that its spans may become pending.
    #[inline]
    pub fn is_unsampled(&self) -> bool {
        self.is_decided_on(Verdict::Drop)
    }

    #[inline]
    fn is_decided_on(&self, verdict: Verdict) -> bool {
        self.is_recordable
            && self
                .decision
                .is_some_and(|decision| decision.verdict == verdict)
    }

    /// Opens the spans of a recorded request; `None` where the request is not recorded. At an edge the CLIENT span's context
    /// is the one that is propagated; without randomness for its id there is only the SERVER span. `all` holds all headers
    /// of the request.
    #[inline]
    pub fn begin<'h>(
        &mut self,
        direction: Direction,
        headers: &RequestHeaders<'_>,
        all: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        now: Nanos,
        state: &mut State<impl Random>,
    ) -> Option<Box<OpenSpans>> {
        let State {
            ids,
            stats,
            spare_blocks,
            ..
        } = state;
        let decision = self.decision.filter(|_| self.is_recorded())?;
        let describer = self.describer?;
        let mut context = self.context?;
        let span_id = context.span_id?;
        let believed = Believed::at(direction, self.accepts_contexts);
        let forwarded = &Forwarded::read(headers, believed);
        let facts = describer.facts(headers, forwarded);
        let mut open = |kind, span_id, parent_span_id, parent| OpenSpan {
            kind,
            span_id,
            parent_span_id,
            parent,
            attributes: {
                let start = SpanStart {
                    kind,
                    reason: decision.reason,
                    block: spare_blocks.take(),
                };
                describer.begin(start, &facts, headers, forwarded, all.clone())
            },
        };
        let parent = self.parent_span_id;
        let (first, second) = match direction {
            Direction::Inbound => (
                open(SpanKind::Server, span_id, parent, Parent::Caller),
                None,
            ),
            Direction::Outbound => (
                open(SpanKind::Client, span_id, parent, Parent::Caller),
                None,
            ),
            Direction::Edge => {
                let server = open(SpanKind::Server, span_id, parent, Parent::Caller);
                match ids.span_id() {
                    Some(client_id) => {
                        context.span_id = Some(client_id);
                        let client = open(SpanKind::Client, client_id, Some(span_id), Parent::Here);
                        (server, Some(client))
                    }
                    None => {
                        stats.add(Counter::EntropyFailures);
                        (server, None)
                    }
                }
            }
        };
        self.context = Some(context);
        if direction == Direction::Edge {
            self.add_state_members(headers, stats);
        }
        Some(Box::new(OpenSpans {
            context,
            link: self.link.take(),
            trace_state: self.tracestate.as_bytes().to_vec(),
            facts,
            start: now,
            first,
            second,
            reads_response: describer.reads_response(),
            response: None,
        }))
    }

    /// Adds the members of `tracestate` that carry debug and Datadog's values (MAP-1), once the ids are known.
    #[inline]
    pub(super) fn add_state_members(&mut self, headers: &RequestHeaders<'_>, stats: &mut Stats) {
        let is_debug = self
            .context
            .is_some_and(|context| context.sampling == SamplingState::Debug);
        // Nearly every request has nothing to add, and nothing that could be replaced.
        if !is_debug && !self.has_list && !self.same_trace.contains(Format::Datadog) {
            return;
        }
        let tracestate = core::mem::replace(&mut self.tracestate, Tracestate::Absent);
        self.tracestate = propagation::state_members::add_state_members(
            tracestate,
            self.context,
            self.same_trace,
            headers,
            stats,
        );
    }

    #[inline]
    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            context: self.context,
            decision: self.received,
            tracestate: &self.tracestate,
            same_trace: self.same_trace,
            present: self.present,
            request_ids: self.request_ids,
            traceparent: OnceCell::new(),
        }
    }
}
