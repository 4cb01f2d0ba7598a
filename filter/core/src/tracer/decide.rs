//! The tracer: what is decided on a request, as configured for this workload.

use crate::config::Config;
use crate::direction::Direction;
use crate::headers::{HeaderWriter, Name, Names, RequestHeaders};
use crate::id_generator::Random;
use crate::ids::{SpanId, TraceId};
use crate::node::Node;
use crate::propagation;
use crate::propagation::context::{SamplingState, SpanContext};
use crate::propagation::format::Format;
use crate::propagation::inject::InjectFormats;
use crate::propagation::settings::{Baggage, ContextTrust, Propagation, Trust};
use crate::propagation::tracestate::Tracestate;
use crate::sampling::decision::{Decision, Reason, Verdict};
use crate::sampling::matcher::{Candidate, Matcher};
use crate::sampling::request_match::Match;
use crate::sampling::sampler::{Sampler, Trace};
use crate::sampling::settings::Keep;
use crate::sampling::threshold;
use crate::sampling::threshold::{Member, Threshold};
use crate::semconv::describe::SpanDescriber;
use crate::shared_data::request_ids::RequestId;
use crate::span::Span;
use crate::stats::Counter;
use crate::stream_info::source::StreamInfo;
use crate::time::Nanos;
use crate::tracer::open_spans::OpenSpans;
use crate::tracer::request_decision::RequestDecision;
use crate::tracer::request_trace::RequestTrace;
use crate::tracer::state::State;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cell::LazyCell;

/// Decides and opens spans, as configured for this workload.
#[derive(Clone, Debug)]
pub struct Tracer {
    pub(super) propagation: Propagation,
    pub(super) wanted: InjectFormats,
    // None: translate only, decide nothing.
    pub(super) sampler: Option<Sampler>,
    pub(super) trust: Trust,
    // Used in its place at an edge.
    pub(super) edge_trust: Option<Trust>,
    // Empty without a sampler.
    pub(super) exclude: Vec<Matcher>,
    // Used in its place at an edge.
    pub(super) edge_exclude: Option<Vec<Matcher>>,
    pub(super) descriptions: SpanDescriber,
    // Of the formats that are listed, and of all that is no format.
    pub(super) names: Names,
    pub(super) records: bool,
    pub(super) access_log: bool,
    // None where nothing is decided or nothing recorded.
    pub(super) keep: Option<Keep>,
    // Used in its place at an edge.
    pub(super) edge_keep: Option<Keep>,
    // By either of them.
    pub(super) keeps_any: bool,
    // Whether callers may hear what is kept.
    pub(super) tells: bool,
    // Whether `th` is written.
    pub(super) tells_probability: bool,
    // Whether `x-request-id` is looked at.
    pub(super) correlates: bool,
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
            wanted: InjectFormats::from(&config.propagation),
            sampler: sampling.map(|sampling| Sampler::new(sampling, node)),
            trust: trust(config.trust),
            edge_trust: config.gateway_trust.map(trust),
            exclude: sampling.map_or_else(Vec::new, |sampling| matchers(&sampling.exclude)),
            edge_exclude: sampling
                .and(config.gateway_exclude.as_deref())
                .map(matchers),
            descriptions: SpanDescriber::new(&config.spans, node),
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
            keeps_any: [keep, edge_keep].iter().flatten().any(Keep::is_on),
            tells: sampling.is_none_or(|sampling| sampling.keep.tell),
            tells_probability: sampling.is_some_and(|sampling| sampling.consistent),
            correlates: config.correlates_request_ids,
        }
    }

    /// Reads who calls and decides. `all` are all headers of the request, which are walked over only where a match names one.
    /// `noted` finds the context of another request with the same `x-request-id`. The direction, the time and the note are
    /// asked for only where they make a difference.
    #[inline]
    pub fn decide<'a>(
        &'a self,
        headers: &RequestHeaders<'a>,
        all: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
        direction: impl FnOnce() -> Direction,
        now: impl FnOnce() -> Nanos,
        noted: impl FnOnce(RequestId<'_>) -> Option<SpanContext>,
        state: &mut State<impl Random>,
    ) -> RequestDecision<'a> {
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
        let operation = || self.descriptions.operation(headers);
        let subject = Candidate::new(headers, all, || *direction, operation);
        if self.excludes(&subject) {
            stats.add(Counter::DroppedExclude);
            let is_accepted = trust.context == ContextTrust::Accept;
            return RequestDecision::Excluded((!is_accepted).then(RequestTrace::silent));
        }
        let mut found = propagation::extract(&self.propagation.extract, trust, headers, stats);
        // Where outside contexts are not believed, nothing of any may stay, though it be no context.
        let untouched = || match trust.context {
            ContextTrust::Accept => RequestDecision::Untouched,
            ContextTrust::Restart | ContextTrust::Ignore => {
                RequestDecision::Traced(RequestTrace::silent())
            }
        };
        let joined = self.joined(&found, headers, || *direction, noted, stats);
        if found.present.is_empty() && joined.is_none() && self.sampler.is_none() {
            return untouched();
        }
        let link = trust.apply(&mut found, stats);
        if let Some(noted) = joined {
            found.join(noted);
        }
        let parent = found.context;
        let received = parent.map_or(found.decision, |context| context.sampling);
        let mut request_trace = RequestTrace {
            context: parent,
            received,
            tracestate: found.tracestate,
            same_trace: found.same_trace,
            present: found.present,
            parent_span_id: parent.and_then(|context| context.span_id),
            is_joined: joined.is_some(),
            link,
            decided: None,
            decision: None,
            randomness: 0,
            descriptions: Some(&self.descriptions),
        };
        let Some(sampler) = &self.sampler else {
            request_trace.add_state_members(headers, stats);
            return RequestDecision::Traced(request_trace);
        };
        let trace_id = parent.map_or_else(|| ids.trace_id(), |context| Some(context.trace_id));
        let (Some(trace_id), Some(span_id)) = (trace_id, ids.span_id()) else {
            // What came in goes on as it came; nothing is started on a guess.
            stats.add(Counter::EntropyFailures);
            if found.present.is_empty() && parent.is_none() {
                return untouched();
            }
            request_trace.add_state_members(headers, stats);
            return RequestDecision::Traced(request_trace);
        };
        let member = Member::read(request_trace.tracestate.member(threshold::MEMBER));
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
            let tracestate = core::mem::replace(&mut request_trace.tracestate, Tracestate::Absent);
            request_trace.tracestate = tracestate.with(threshold::MEMBER, change.value(), stats);
        }
        request_trace.context = Some(SpanContext {
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
        request_trace.decided = Some(decision);
        request_trace.randomness = randomness;
        request_trace.decision = Some(decision).filter(|_| self.records);
        request_trace.add_state_members(headers, stats);
        RequestDecision::Traced(request_trace)
    }

    /// The ids that are to be left for the access log: of the trace, and of the span that the request has here. Where
    /// nothing is decided here, that span is the caller's.
    #[inline]
    pub fn access_log_ids(&self, request_trace: &RequestTrace<'_>) -> Option<(TraceId, SpanId)> {
        let context = request_trace.context.filter(|_| self.access_log)?;
        Some((context.trace_id, context.span_id?))
    }

    /// Ends the spans of a request, at the end of the exchange as the proxy tells it, and hands each over.
    #[inline]
    pub fn finish(
        &self,
        active: OpenSpans,
        exchange: &impl StreamInfo,
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
        request_trace: &RequestTrace<'_>,
        headers: &RequestHeaders<'_>,
        writer: &mut impl HeaderWriter,
    ) {
        propagation::inject(&self.wanted, &request_trace.outgoing(), headers, writer);
    }

    /// Whether words about traces are taken out of the responses to all requests, sampled or not: always at an edge, and
    /// everywhere if nobody is to be told.
    #[inline]
    pub fn strips_server_timing(&self, direction: Option<Direction>) -> bool {
        self.sampler.is_some() && self.strips_at(direction == Some(Direction::Edge))
    }

    #[inline]
    pub(super) fn strips_at(&self, is_edge: bool) -> bool {
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
        subject: &Candidate<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
            impl Fn() -> Cow<'static, str>,
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
