//! One request through the filter: what is decided, which spans begin, and what they say when it ends.
//!
//! Three answers to a request, each a variant and not a flag:
//! - **untouched**: no context came in and none is started here. Not a byte changes.
//! - **passing**: the context goes on, nothing is recorded.
//! - **recording**: the same, and spans are open until the stream ends.
//!
//! A proxy that decides writes a span id of its own also when it drops (W3C Trace Context, "Mutating the traceparent
//! Field"; OpenTelemetry SDKs do the same). One that only translates leaves the caller's span id in place: it has no
//! span, and an id without a span would break the tree of those who have one.

use alloc::vec::Vec;

use crate::config::{Baggage, Config, Propagation, Trust};
use crate::entropy::{Entropy, IdSource};
use crate::headers::{HeaderWriter, RequestHeaders};
use crate::http::{self, Ending};
use crate::ids::SpanId;
use crate::propagation::format::FormatSet;
use crate::propagation::tracestate::Tracestate;
use crate::propagation::{self, Outgoing, SamplingState, SpanContext, w3c};
use crate::sampler::{Decision, Sampler, Verdict};
use crate::span::{Attributes, Link, Span, SpanKind};
use crate::stats::{Counter, Stats};
use crate::time::Nanos;

/// Which spans a proxy makes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the workload: a SERVER span.
    Inbound,
    /// From the workload: a CLIENT span.
    Outbound,
    /// A gateway: a SERVER span and under it a CLIENT span.
    Edge,
}

/// Decides and opens spans, as configured for this workload.
#[derive(Clone, Debug)]
pub struct Tracer {
    propagation: Propagation,
    // None: translate only, decide nothing.
    sampler: Option<Sampler>,
    trust: Trust,
    // Used in its place at an edge.
    edge_trust: Option<Trust>,
    records: bool,
}

impl Tracer {
    /// The tracer of a workload in this namespace.
    pub fn new(config: &Config, namespace: Option<&str>) -> Self {
        Self {
            propagation: config.propagation.clone(),
            sampler: config
                .sampling
                .as_ref()
                .map(|sampling| Sampler::new(sampling, namespace)),
            trust: config.trust,
            edge_trust: config.gateway_trust,
            records: config.export.otlp.is_some(),
        }
    }

    /// Reads who calls and decides; `None` leaves the request untouched. The direction is asked for only where it
    /// matters.
    pub fn decide<'a>(
        &self,
        headers: &RequestHeaders<'a>,
        direction: impl FnOnce() -> Direction,
        ids: &mut IdSource<impl Entropy>,
        stats: &mut Stats,
    ) -> Option<Course<'a>> {
        let trust = match &self.edge_trust {
            Some(trust) if direction() == Direction::Edge => trust,
            _ => &self.trust,
        };
        let mut found = propagation::extract(&self.propagation.extract, trust, headers, stats);
        if found.answered.is_empty() && self.sampler.is_none() {
            return None;
        }
        let link = trust.apply(&mut found);
        let parent = found.context;
        let received = parent.map_or(found.decision, |context| context.sampling);
        let mut course = Course {
            context: parent,
            received,
            tracestate: found.tracestate,
            agreeing: found.agreeing,
            answered: found.answered,
            parent_span_id: parent.and_then(|context| context.span_id),
            link,
            decision: None,
        };
        let Some(sampler) = &self.sampler else {
            course.seal(headers);
            return Some(course);
        };
        let trace_id = parent.map_or_else(|| ids.trace_id(), |context| Some(context.trace_id));
        let (Some(trace_id), Some(span_id)) = (trace_id, ids.span_id()) else {
            // What came in goes on as it came; nothing is started on a guess.
            stats.add(Counter::EntropyFailures);
            return (!found.answered.is_empty()).then_some(course);
        };
        let decision = sampler.decide(received, trace_id);
        stats.add(decision.counter());
        course.context = Some(SpanContext {
            trace_id,
            span_id: Some(span_id),
            sampling: match decision.verdict {
                Verdict::Drop => SamplingState::Deny,
                Verdict::Record if received == SamplingState::Debug => SamplingState::Debug,
                Verdict::Record => SamplingState::Accept,
            },
            random: parent.is_some_and(|context| context.random),
            short_trace_id: parent.is_some_and(|context| context.short_trace_id),
        });
        course.decision = Some(decision).filter(|_| self.records);
        course.seal(headers);
        Some(course)
    }

    /// Writes the context of this course in every wanted format.
    pub fn inject(
        &self,
        course: &Course<'_>,
        headers: &RequestHeaders<'_>,
        writer: &mut impl HeaderWriter,
    ) {
        propagation::inject(&self.propagation, &course.outgoing(), headers, writer);
    }

    /// What becomes of baggage, which is no trace context and goes its own way.
    pub fn baggage(&self) -> &Baggage {
        &self.propagation.baggage
    }
}

/// Where one request goes from here.
#[derive(Clone, Debug, PartialEq)]
pub struct Course<'a> {
    context: Option<SpanContext>,
    received: SamplingState,
    tracestate: Tracestate<'a>,
    agreeing: FormatSet,
    answered: FormatSet,
    parent_span_id: Option<SpanId>,
    link: Option<Link>,
    // None where nothing can be recorded.
    decision: Option<Decision>,
}

impl Course<'_> {
    /// Whether spans are to be opened.
    pub fn is_recorded(&self) -> bool {
        self.decision
            .is_some_and(|decision| decision.verdict == Verdict::Record)
    }

    /// Opens the spans of a recorded request; at an edge the context that goes on becomes the CLIENT span's.
    /// `None` when the course is not recorded, or has no id for the second span.
    pub fn begin(
        &mut self,
        direction: Direction,
        headers: &RequestHeaders<'_>,
        now: Nanos,
        ids: &mut IdSource<impl Entropy>,
        stats: &mut Stats,
    ) -> Option<Active> {
        let decision = self.decision.filter(|_| self.is_recorded())?;
        let mut context = self.context?;
        let span_id = context.span_id?;
        let open = |kind, span_id, parent_span_id, is_first| {
            let mut attributes = Attributes::default();
            http::describe_request(&mut attributes, kind, headers);
            attributes.text("sidespan.decision", decision.reason.name().as_bytes());
            Open {
                kind,
                span_id,
                parent_span_id,
                is_first,
                attributes,
            }
        };
        let parent = self.parent_span_id;
        let (first, second) = match direction {
            Direction::Inbound => (open(SpanKind::Server, span_id, parent, true), None),
            Direction::Outbound => (open(SpanKind::Client, span_id, parent, true), None),
            Direction::Edge => {
                let server = open(SpanKind::Server, span_id, parent, true);
                match ids.span_id() {
                    Some(client_id) => {
                        context.span_id = Some(client_id);
                        let client = open(SpanKind::Client, client_id, Some(span_id), false);
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
            self.seal(headers);
        }
        Some(Active {
            context,
            link: self.link,
            trace_state: self.tracestate.as_bytes().to_vec(),
            name: http::name(headers),
            start: now,
            first,
            second,
        })
    }

    /// Puts into `tracestate` what only a member of it can say, once the ids are known.
    fn seal(&mut self, headers: &RequestHeaders<'_>) {
        let tracestate = core::mem::replace(&mut self.tracestate, Tracestate::Absent);
        self.tracestate = propagation::seal(tracestate, self.context, self.agreeing, headers);
    }

    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            context: self.context,
            decision: self.received,
            tracestate: &self.tracestate,
            agreeing: self.agreeing,
            answered: self.answered,
        }
    }
}

/// The open spans of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    context: SpanContext,
    link: Option<Link>,
    trace_state: Vec<u8>,
    name: alloc::borrow::Cow<'static, str>,
    start: Nanos,
    first: Open,
    second: Option<Open>,
}

#[derive(Clone, Debug, PartialEq)]
struct Open {
    kind: SpanKind,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    // The first span of the request here: its parent is the caller's, and it carries the link.
    is_first: bool,
    attributes: Attributes,
}

impl Active {
    /// Ends the spans.
    pub fn finish(self, ending: Ending, now: Nanos) -> impl Iterator<Item = Span> {
        let Self {
            context,
            link,
            trace_state,
            name,
            start,
            first,
            second,
        } = self;
        [Some(first), second]
            .into_iter()
            .flatten()
            .map(move |mut open| {
                let status = http::describe_ending(&mut open.attributes, open.kind, ending);
                Span {
                    trace_id: context.trace_id,
                    span_id: open.span_id,
                    parent_span_id: open.parent_span_id,
                    trace_state: trace_state.clone(),
                    flags: flags(&context, &open),
                    link: link.filter(|_| open.is_first),
                    name: name.clone(),
                    kind: open.kind,
                    start,
                    end: now.max(start),
                    attributes: open.attributes,
                    status,
                }
            })
    }
}

/// W3C's flags, and OTLP's word on where the parent is (`SpanFlags` in `trace.proto`).
fn flags(context: &SpanContext, open: &Open) -> u32 {
    let parent_is_remote = open.is_first && open.parent_span_id.is_some();
    u32::from(w3c::trace_flags(context))
        | PARENT_IS_KNOWN
        | if parent_is_remote {
            PARENT_IS_REMOTE
        } else {
            0
        }
}

const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

#[cfg(test)]
mod tests;
