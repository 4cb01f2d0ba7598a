//! The tracer of a workload, and its decision on each request.

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
use crate::sampling::exclude_list::ExcludeList;
use crate::sampling::matcher::Candidate;
use crate::sampling::randomness::Randomness;
use crate::sampling::request_match::Match;
use crate::sampling::sampler::{Sampler, Trace};
use crate::sampling::settings::{Keep, Sampling};
use crate::sampling::threshold;
use crate::sampling::threshold::{Member, Threshold};
use crate::semconv::describe::SpanDescriber;
use crate::shared_data::request_ids::RequestId;
use crate::span::Span;
use crate::stats::Counter;
use crate::stream_info::heard::ResponsePart;
use crate::stream_info::source::{PassingResponse, StreamInfo};
use crate::time::Nanos;
use crate::tracer::open_spans::OpenSpans;
use crate::tracer::request_decision::RequestDecision;
use crate::tracer::request_trace::RequestTrace;
use crate::tracer::state::State;
use alloc::borrow::Cow;
use core::cell::LazyCell;

/// The tracer: decides on requests and finishes their spans, as configured for this workload.
#[derive(Clone, Debug)]
pub struct Tracer {
    pub(super) propagation: Propagation,
    pub(super) inject_formats: InjectFormats,
    // None where this proxy only translates and decides nothing.
    pub(super) sampler: Option<Sampler>,
    pub(super) trust: Trust,
    // The replacement of `trust` at an edge.
    pub(super) edge_trust: Option<Trust>,
    // Empty without a sampler.
    pub(super) exclude: ExcludeList,
    // The replacement of `exclude` at an edge.
    pub(super) edge_exclude: Option<ExcludeList>,
    pub(super) describer: SpanDescriber,
    // Headers worth reading: those of listed formats, and all that carry no trace context.
    pub(super) names: Names,
    pub(super) records: bool,
    pub(super) access_log: bool,
    // None where nothing is decided or nothing is exported.
    pub(super) keep: Option<Keep>,
    // The replacement of `keep` at an edge.
    pub(super) edge_keep: Option<Keep>,
    // True if `keep` or `edge_keep` can keep anything.
    pub(super) keeps_any: bool,
    // True if `server-timing` may name kept traces.
    pub(super) tells_callers: bool,
    // True if `th` is written.
    pub(super) writes_threshold: bool,
    // True if `x-request-id` is read.
    pub(super) correlates: bool,
    // True if a `tracestate` that a service drops is put back.
    pub(super) restores: bool,
    // True if a trace that begins here may be sampled with a probability below 1.
    pub(super) samples_below_all: bool,
}

impl Tracer {
    /// Returns the tracer of the workload on this node.
    pub fn new(config: &Config, node: &Node) -> Self {
        let exclude = |matches: &[Match]| ExcludeList::new(matches, node);
        let sampling = config.sampling.as_ref();
        let records = config.export.otlp.as_ref();
        let keep = records.and(sampling).map(|sampling| sampling.keep);
        let edge_keep = records.and(sampling).and(config.gateway_keep);
        // A received decision that is not trusted is taken anew. A proxy that decides nothing leaves it as received.
        let trust = |trust: Trust| Trust {
            decision: trust.decision || sampling.is_none(),
            ..trust
        };
        Self {
            propagation: config.propagation.clone(),
            inject_formats: InjectFormats::from(&config.propagation),
            sampler: sampling.map(|sampling| Sampler::new(sampling, node)),
            trust: trust(config.trust),
            edge_trust: config.gateway_trust.map(trust),
            exclude: sampling
                .map_or_else(ExcludeList::default, |sampling| exclude(&sampling.exclude)),
            edge_exclude: sampling.and(config.gateway_exclude.as_deref()).map(exclude),
            describer: SpanDescriber::new(&config.spans, node),
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
            tells_callers: sampling.is_none_or(|sampling| sampling.keep.tell),
            writes_threshold: sampling.is_some_and(|sampling| sampling.consistent),
            correlates: config.correlates_request_ids,
            restores: config.propagation.restore_tracestate
                && config.propagation.lists(Format::TraceContext)
                && sampling.is_none_or(|sampling| sampling.consistent),
            samples_below_all: sampling.is_some_and(Sampling::is_below_all),
        }
    }

    /// Extracts the received context and decides on the request, whose trace is written to `trace`, an empty one. `all` holds
    /// all headers of the request, which are walked over only where a match names one. `noted` finds the context of another
    /// request with the same `x-request-id`. `direction`, `now` and `noted` are called only where they make a difference,
    /// because each is a call to the proxy.
    #[inline]
    #[expect(
        clippy::too_many_arguments,
        reason = "each question to the proxy is one, and the trace is too large to be moved"
    )]
    pub fn decide<'a>(
        &'a self,
        headers: &RequestHeaders<'a>,
        all: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
        direction: impl FnOnce() -> Direction,
        now: impl FnOnce() -> Nanos,
        noted: impl FnOnce(RequestId<'_>) -> Option<SpanContext>,
        state: &mut State<impl Random>,
        trace: &mut RequestTrace<'a>,
    ) -> RequestDecision {
        let direction = LazyCell::new(direction);
        let trust = match &self.edge_trust {
            Some(trust) if *direction == Direction::Edge => trust,
            _ => &self.trust,
        };
        let operation = || self.describer.operation(headers);
        let candidate = Candidate::new(headers, all, || *direction, operation);
        if self.sampler.is_some() && self.excludes(&candidate) {
            state.stats.add(Counter::DroppedExclude);
            return match trust.context {
                ContextTrust::Accept => RequestDecision::Excluded,
                ContextTrust::Restart | ContextTrust::Ignore => RequestDecision::ExcludedAndCleared,
            };
        }
        // Nearly every root comes without any header of a format.
        let parent = match self.correlates || headers.has_any(Format::ALL_NAMES) {
            true => self.receive(headers, trust, || *direction, noted, state, trace),
            false => None,
        };
        // Unless outside contexts are accepted, the headers of all formats are removed, also those that hold no context.
        let untouched = match trust.context {
            ContextTrust::Accept => RequestDecision::Untouched,
            ContextTrust::Restart | ContextTrust::Ignore => RequestDecision::Traced,
        };
        if self.sampler.is_none() && !trace.has_received {
            return untouched;
        }
        trace.describer = Some(&self.describer);
        trace.accepts_contexts = trust.context == ContextTrust::Accept;
        let received = trace.received;
        let Some(sampler) = &self.sampler else {
            let own = trace.tracestate.member(threshold::MEMBER);
            trace.is_sampled_below_all =
                matches!(received, SamplingState::Accept | SamplingState::Debug)
                    && Member::read(own).is_below_all();
            trace.add_state_members(headers, &mut state.stats);
            return RequestDecision::Traced;
        };
        let State {
            ids,
            limits,
            remote,
            stats,
            ..
        } = state;
        let trace_id = parent.map_or_else(|| ids.trace_id(), |context| Some(context.trace_id));
        let (Some(trace_id), Some(span_id)) = (trace_id, ids.span_id()) else {
            // Without randomness the received context is propagated unchanged, and no trace is started.
            stats.add(Counter::EntropyFailures);
            if trace.present.is_empty() && parent.is_none() {
                *trace = RequestTrace::silent();
                return untouched;
            }
            trace.add_state_members(headers, stats);
            return RequestDecision::Traced;
        };
        // Nearly no request has a list, and nothing of one is looked at where there is none.
        let member = match trace.tracestate {
            Tracestate::Absent => Member::Absent,
            _ => Member::read(trace.tracestate.member(threshold::MEMBER)),
        };
        let told = member.randomness();
        let randomness = Randomness::new(told, trace_id);
        let asked = Trace {
            received,
            randomness,
            // A caller whose decision is not trusted counts as a root, because it could otherwise evade the limit on roots.
            is_root: parent.is_none() || !trust.decision,
        };
        let decision = sampler.decide(asked, &candidate, limits, remote.as_mut(), now);
        stats.add(decision.counter());
        if decision.verdict == Verdict::Record || member != Member::Absent {
            let wanted = self.threshold_to_write(decision, &member, randomness);
            trace.is_sampled_below_all = decision.verdict == Verdict::Record
                && wanted.is_some_and(|wanted| wanted > Threshold::ALL);
            if trace.tracestate == Tracestate::Absent && wanted == Some(Threshold::ALL) {
                trace.tracestate = Tracestate::Verbatim(threshold::LIST_OF_ALL);
            } else if let Some(change) = member.with(wanted) {
                let tracestate = core::mem::replace(&mut trace.tracestate, Tracestate::Absent);
                trace.tracestate = tracestate.with(threshold::MEMBER, change.value(), stats);
            }
        }
        trace.context = Some(SpanContext {
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
        trace.decision = Some(decision);
        trace.randomness = told;
        trace.is_recordable = self.records;
        trace.add_state_members(headers, stats);
        RequestDecision::Traced
    }

    /// Returns the ids for the access log: the trace id, and the id of the request's span here. Where nothing is decided
    /// here, the span id is the caller's.
    #[inline]
    pub fn access_log_ids(&self, request_trace: &RequestTrace<'_>) -> Option<(TraceId, SpanId)> {
        let context = request_trace.context.filter(|_| self.access_log)?;
        Some((context.trace_id, context.span_id?))
    }

    /// Notes what a part of the response says as it passes: what spans tell of it, and what attributes are made of.
    #[inline]
    pub fn hear(
        &self,
        open_spans: &mut OpenSpans,
        part: ResponsePart,
        response: &impl PassingResponse,
    ) {
        open_spans.hear(part, response);
        if open_spans.reads_response {
            let heard = &mut open_spans.response.get_or_insert_default().attributes;
            self.describer.read_response(part, response, heard);
        }
    }

    /// Finishes the open spans of a request at its end, and passes each span to `each`.
    #[inline]
    pub fn finish(
        &self,
        open_spans: &mut OpenSpans,
        stream_info: &impl StreamInfo,
        now: Nanos,
        each: &mut impl FnMut(Span),
    ) {
        open_spans.finish(&self.describer, stream_info, now, each);
    }

    /// Returns the headers that make a difference here, because no other header of a request needs to be read.
    #[inline]
    pub fn names(&self) -> Names {
        self.names
    }

    /// Writes the context of this trace in every wanted format.
    #[inline]
    pub fn inject(
        &self,
        request_trace: &RequestTrace<'_>,
        headers: &RequestHeaders<'_>,
        writer: &mut impl HeaderWriter,
    ) {
        propagation::inject(
            &self.inject_formats,
            &request_trace.outgoing(),
            headers,
            writer,
        );
    }

    /// Returns true if the metric `trace` of `server-timing` is removed from the responses to all requests, sampled or not:
    /// always at an edge, and everywhere if callers may not learn of kept traces.
    #[inline]
    pub fn strips_server_timing(&self, direction: Option<Direction>) -> bool {
        self.sampler.is_some() && self.strips_at(direction == Some(Direction::Edge))
    }

    #[inline]
    pub(super) fn strips_at(&self, is_edge: bool) -> bool {
        is_edge || !self.tells_callers
    }

    /// Returns the settings of baggage, which is no trace context and is rewritten apart from it.
    #[inline]
    pub fn baggage(&self) -> &Baggage {
        &self.propagation.baggage
    }

    /// Returns the threshold to propagate with a decision: the received threshold, where the received decision is followed
    /// and the threshold can be true, else the threshold that the trace was compared with. `None` where the probability is
    /// unknown, as with debug (6.4.3, 6.4.4).
    #[inline]
    fn threshold_to_write(
        &self,
        decision: Decision,
        received: &Member<'_>,
        randomness: Randomness,
    ) -> Option<Threshold> {
        match (decision.verdict, decision.reason) {
            (Verdict::Drop, _) => None,
            (Verdict::Record, Reason::Received) => received.consistent_threshold(randomness),
            (Verdict::Record, _) => decision.threshold.filter(|_| self.writes_threshold),
        }
    }

    /// Returns true if the request is excluded.
    #[inline]
    fn excludes<'a>(
        &self,
        candidate: &Candidate<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
            impl Fn() -> Cow<'static, str>,
        >,
    ) -> bool {
        let elsewhere = self.exclude.describes(candidate);
        match &self.edge_exclude {
            // The direction is asked for only where the two lists differ, because it is a call to the proxy.
            Some(list) if list.describes(candidate) != elsewhere => {
                elsewhere != (candidate.direction() == Direction::Edge)
            }
            _ => elsewhere,
        }
    }
}
