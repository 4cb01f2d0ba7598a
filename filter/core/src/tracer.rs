//! One request through the filter: what is decided, which spans begin, and what they say when it ends.
//!
//! Four answers to a request, each a variant and not a flag:
//! - **untouched**: no context came in and none is started here, or the request is excluded. Not a byte changes.
//! - **passing**: the context goes on, nothing is recorded.
//! - **held**: the same, and a few ids are kept until the response says whether spans are worth it after all.
//! - **recording**: the context goes on, and spans are open until the stream ends.
//!
//! A proxy that decides writes a span id of its own also when it drops (W3C Trace Context, "Mutating the traceparent
//! Field"; OpenTelemetry SDKs do the same). One that only translates leaves the caller's span id in place: it has no
//! span, and an id without a span would break the tree of those who have one.
//!
//! Requests are excluded before anything is read of their context (MF-13), and only where roots are decided: excluding
//! means not tracing, and one that only translates traces nothing. What it does to a context it does to a probe's too.
//! Where contexts from outside are not accepted, an excluded request carries none in either.

use alloc::vec::Vec;
use core::cell::LazyCell;

mod attempt;
mod correlation;
mod explanation;
pub mod keep;
mod open_spans;
mod request_trace;
pub mod state;
mod trust;

pub use attempt::Memory;
pub use explanation::Explanation;
pub use keep::pending::{Cause, Held};
pub use keep::response_header::{Part, Word};
pub use open_spans::Active;
pub use request_trace::Course;

use crate::config::{Baggage, Config, ContextTrust, Keep, Match, Propagation, Trust};
use crate::headers::{HeaderWriter, Name, Names, RequestHeaders};
use crate::id_generator::Entropy;
use crate::ids::{SpanId, TraceId};
use crate::propagation::format::Format;
use crate::propagation::tracestate::Tracestate;
use crate::propagation::{self, SamplingState, SpanContext, Wanted};
use crate::sampling::matcher::{Matcher, Subject};
use crate::sampling::sampler::{Decision, Reason, Sampler, Trace, Verdict};
use crate::sampling::threshold::{self, Member, Threshold};
use crate::semconv::describe::Descriptions;
use crate::semconv::resource::Node;
use crate::shared_data::request_ids::RequestId;
use crate::span::Span;
use crate::stats::Counter;
use crate::stream_info::Exchange;
use crate::time::Nanos;
use state::State;

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
    wanted: Wanted,
    // None: translate only, decide nothing.
    sampler: Option<Sampler>,
    trust: Trust,
    // Used in its place at an edge.
    edge_trust: Option<Trust>,
    // Empty without a sampler.
    exclude: Vec<Matcher>,
    // Used in its place at an edge.
    edge_exclude: Option<Vec<Matcher>>,
    descriptions: Descriptions,
    // Of the formats that are listed, and of all that is no format.
    names: Names,
    records: bool,
    access_log: bool,
    // None where nothing is decided or nothing recorded.
    keep: Option<Keep>,
    // Used in its place at an edge.
    edge_keep: Option<Keep>,
    // By either of them.
    keeps_any: bool,
    // Whether callers may hear what is kept.
    tells: bool,
    // Whether `th` is written.
    tells_probability: bool,
    // Whether `x-request-id` is looked at.
    correlates: bool,
}

impl Tracer {
    /// The tracer of the workload on this node.
    pub fn new(config: &Config, node: &Node) -> Self {
        let matchers = |matches: &[Match]| Matcher::of_list(matches, node);
        let sampling = config.sampling.as_ref();
        let records = config.export.otlp.as_ref();
        let keep = records.and(sampling).map(|sampling| sampling.keep);
        let edge_keep = records.and(sampling).and(config.gateway_keep);
        // A decision that is not believed is taken here; where none is taken, the one there is stands.
        let trust = |trust: Trust| Trust {
            decision: trust.decision || sampling.is_none(),
            ..trust
        };
        Self {
            propagation: config.propagation.clone(),
            wanted: Wanted::from(&config.propagation),
            sampler: sampling.map(|sampling| Sampler::new(sampling, node)),
            trust: trust(config.trust),
            edge_trust: config.gateway_trust.map(trust),
            exclude: sampling.map_or_else(Vec::new, |sampling| matchers(&sampling.exclude)),
            edge_exclude: sampling
                .and(config.gateway_exclude.as_deref())
                .map(matchers),
            descriptions: Descriptions::new(&config.spans, node),
            names: Format::ALL
                .iter()
                .filter(|format| !config.propagation.lists(**format))
                .fold(
                    match config.correlates_request_ids {
                        true => Names::ALL,
                        false => Names::ALL.without(&[Name::XRequestId]),
                    },
                    |names, format| names.without(format.headers()),
                ),
            records: records.is_some(),
            access_log: config.spans.access_log,
            keep,
            edge_keep,
            keeps_any: [keep, edge_keep].iter().flatten().any(keep::decide::is_on),
            tells: sampling.is_none_or(|sampling| sampling.keep.tell),
            tells_probability: sampling.is_some_and(|sampling| sampling.consistent),
            correlates: config.correlates_request_ids,
        }
    }

    /// Reads who calls and decides; `None` leaves the request untouched. `all` are all its headers, which are walked over
    /// only where a match names one. The direction and the time are asked for only where they matter.
    #[inline]
    pub fn decide<'a>(
        &'a self,
        headers: &RequestHeaders<'a>,
        all: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
        direction: impl FnOnce() -> Direction,
        now: impl FnOnce() -> Nanos,
        state: &mut State<impl Entropy>,
    ) -> Option<Course<'a>> {
        self.decide_correlated(headers, all, direction, now, |_| None, state)
    }

    /// The same, where `noted` finds what was noted of another request with this id, and is asked only where that matters.
    #[inline]
    pub fn decide_correlated<'a>(
        &'a self,
        headers: &RequestHeaders<'a>,
        all: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
        direction: impl FnOnce() -> Direction,
        now: impl FnOnce() -> Nanos,
        noted: impl FnOnce(RequestId<'_>) -> Option<SpanContext>,
        state: &mut State<impl Entropy>,
    ) -> Option<Course<'a>> {
        let State {
            ids,
            limits,
            remote,
            stats,
        } = state;
        let direction = LazyCell::new(direction);
        let trust = match &self.edge_trust {
            Some(trust) if *direction == Direction::Edge => trust,
            _ => &self.trust,
        };
        let subject = Subject::new(headers, all, || *direction).described_by(&self.descriptions);
        if self.excludes(&subject) {
            stats.add(Counter::DroppedExclude);
            return (trust.context != ContextTrust::Accept).then(Course::silent);
        }
        let mut found = propagation::extract(&self.propagation.extract, trust, headers, stats);
        // Where outside contexts are not believed, nothing of any may stay, though it be no context.
        let untouched = || (trust.context != ContextTrust::Accept).then(Course::silent);
        let joined = self.joined(&found, headers, || *direction, noted, stats);
        if found.answered.is_empty() && joined.is_none() && self.sampler.is_none() {
            return untouched();
        }
        let link = trust.apply(&mut found, stats);
        if let Some(noted) = joined {
            found.join(noted);
        }
        let parent = found.context;
        let received = parent.map_or(found.decision, |context| context.sampling);
        let mut course = Course {
            context: parent,
            received,
            tracestate: found.tracestate,
            agreeing: found.agreeing,
            answered: found.answered,
            parent_span_id: parent.and_then(|context| context.span_id),
            is_joined: joined.is_some(),
            link,
            decided: None,
            decision: None,
            randomness: 0,
            descriptions: Some(&self.descriptions),
        };
        let Some(sampler) = &self.sampler else {
            course.seal(headers, stats);
            return Some(course);
        };
        let trace_id = parent.map_or_else(|| ids.trace_id(), |context| Some(context.trace_id));
        let (Some(trace_id), Some(span_id)) = (trace_id, ids.span_id()) else {
            // What came in goes on as it came; nothing is started on a guess.
            stats.add(Counter::EntropyFailures);
            if found.answered.is_empty() && parent.is_none() {
                return untouched();
            }
            course.seal(headers, stats);
            return Some(course);
        };
        let member = Member::read(course.tracestate.member(threshold::MEMBER));
        let randomness = member.randomness(trace_id);
        let trace = Trace {
            received,
            randomness,
            // Whoever sends a context that decides nothing here could begin as many traces as it likes.
            is_root: parent.is_none() || !trust.decision,
        };
        let decision = sampler.decide(trace, &subject, limits, remote.as_mut(), now);
        let change = member.with(self.threshold_told(decision, &member, randomness));
        stats.add(decision.counter());
        if let Some(change) = change {
            let tracestate = core::mem::replace(&mut course.tracestate, Tracestate::Absent);
            course.tracestate = tracestate.with(threshold::MEMBER, change.value(), stats);
        }
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
        course.decided = Some(decision);
        course.randomness = randomness;
        course.decision = Some(decision).filter(|_| self.records);
        course.seal(headers, stats);
        Some(course)
    }

    /// The ids that are to be left for the access log: of the trace, and of the span that the request has here. Where
    /// nothing is decided here, that span is the caller's.
    #[inline]
    pub fn ids_to_log(&self, course: &Course<'_>) -> Option<(TraceId, SpanId)> {
        let context = course.context.filter(|_| self.access_log)?;
        Some((context.trace_id, context.span_id?))
    }

    /// Ends the spans of a request, at the end of the exchange as the proxy tells it, and hands each over.
    #[inline]
    pub fn finish(
        &self,
        active: Active,
        exchange: &impl Exchange,
        now: Nanos,
        each: &mut impl FnMut(Span),
    ) {
        active.finish(&self.descriptions, exchange, now, each);
    }

    /// The headers that make a difference here; of what is not among them a request needs not to be read.
    #[inline]
    pub fn names(&self) -> Names {
        self.names
    }

    /// Writes the context of this course in every wanted format.
    #[inline]
    pub fn inject(
        &self,
        course: &Course<'_>,
        headers: &RequestHeaders<'_>,
        writer: &mut impl HeaderWriter,
    ) {
        propagation::inject(&self.wanted, &course.outgoing(), headers, writer);
    }

    /// Whether words about traces are taken out of the responses to all requests, sampled or not: always at an edge, and
    /// everywhere if nobody is to be told.
    #[inline]
    pub fn strips_words(&self, direction: Option<Direction>) -> bool {
        self.sampler.is_some() && self.strips_at(direction == Some(Direction::Edge))
    }

    #[inline]
    fn strips_at(&self, is_edge: bool) -> bool {
        is_edge || !self.tells
    }

    /// What becomes of baggage, which is no trace context and goes its own way.
    #[inline]
    pub fn baggage(&self) -> &Baggage {
        &self.propagation.baggage
    }

    /// The threshold that goes on with a decision: the sender's, where that is followed and can be true, else the one that
    /// was compared with. Where nothing is known of the probability, as with debug, there is none (6.4.3, 6.4.4).
    #[inline]
    fn threshold_told(
        &self,
        decision: Decision,
        received: &Member<'_>,
        randomness: u64,
    ) -> Option<Threshold> {
        match (decision.verdict, decision.reason) {
            (Verdict::Drop, _) => None,
            (Verdict::Record, Reason::Received) => received.consistent_threshold(randomness),
            (Verdict::Record, _) => decision.threshold.filter(|_| self.tells_probability),
        }
    }

    /// Whether the request is not to be traced.
    #[inline]
    fn excludes<'a>(
        &self,
        subject: &Subject<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
        >,
    ) -> bool {
        let is_in = |list: &[Matcher]| list.iter().any(|matcher| matcher.matches(subject));
        let elsewhere = is_in(&self.exclude);
        match &self.edge_exclude {
            // Where both lists say the same, nobody has to know which of them holds: the answer is a call to the proxy.
            Some(list) if is_in(list) != elsewhere => {
                elsewhere != (subject.direction() == Direction::Edge)
            }
            _ => elsewhere,
        }
    }
}

#[cfg(test)]
mod tests;
