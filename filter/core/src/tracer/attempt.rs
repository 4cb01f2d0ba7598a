//! One try of a request, behind the router: a CLIENT span of its own, with the context written last of all.
//!
//! An upstream HTTP filter of Envoy sees each try of a request, after Envoy's own tracer has written its headers. It decides
//! nothing: a try is recorded if the context that it finds is sampled, and only the ids are new.
//!
//! All tries share one header map, so the second finds what the first has written, and would become its child. What was the
//! parent then is remembered beside the headers, on the stream. A format that somebody else has written since, as
//! Envoy's tracer does for each try, tells of a new parent.

use super::decide::Tracer;
use super::open_spans::{OpenSpans, Parent};
use super::request_trace::RequestTrace;
use super::state::State;
use crate::direction::Direction;
use crate::headers::{HeaderWriter, RequestHeaders};
use crate::id_generator::Random;
use crate::ids::{SpanId, TraceId};
use crate::propagation;
use crate::propagation::context::SamplingState;
use crate::propagation::extract::Extraction;
use crate::sampling::decision::{Decision, Reason, Verdict};
use crate::semconv::response_flags::RETRY_LIMIT;
use crate::span::Span;
use crate::stats::Stats;
use crate::stream_info::answers::Answers;
use crate::stream_info::outcome::ResponseOutcome;
use crate::stream_info::source;
use crate::stream_info::source::StreamInfo;
use crate::time::Nanos;

use super::open_spans::Response;

/// What the tries of one request have to know of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptState {
    trace_id: TraceId,
    parent: SpanId,
    // What the last try has written.
    written: SpanId,
}

impl AttemptState {
    /// The bytes that stay with the stream.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let ids = [self.parent.to_bytes(), self.written.to_bytes()];
        let all = self
            .trace_id
            .to_bytes()
            .into_iter()
            .chain(ids.into_iter().flatten());
        for (byte, value) in bytes.iter_mut().zip(all) {
            *byte = value;
        }
        bytes
    }

    /// Reads them back; `None` where they are of somebody else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (trace_id, rest) = bytes.split_first_chunk::<16>()?;
        let (parent, rest) = rest.split_first_chunk::<8>()?;
        let written: &[u8; 8] = rest.try_into().ok()?;
        Some(Self {
            trace_id: TraceId::from_bytes(*trace_id)?,
            parent: SpanId::from_bytes(*parent)?,
            written: SpanId::from_bytes(*written)?,
        })
    }
}

impl Tracer {
    /// Treats a try: writes the context in every wanted format, and opens a span where it is sampled. What is returned
    /// beside the span is to be remembered for the next try, which hands it in as `memory`.
    pub fn begin_attempt<'h>(
        &self,
        headers: &RequestHeaders<'_>,
        all: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        memory: impl FnOnce() -> Option<AttemptState>,
        now: Nanos,
        state: &mut State<impl Random>,
        writer: &mut impl HeaderWriter,
    ) -> Option<(OpenSpans, AttemptState)> {
        // What the request carried was counted when it came.
        let stats = &mut Stats::default();
        let formats = &self.propagation.extract;
        let found = propagation::extract(formats, &self.trust, headers, stats);
        if found.present.is_empty() {
            return None;
        }
        let decision = found.context.and_then(|context| decision(context.sampling));
        let span_id = decision
            .filter(|_| self.records)
            .and_then(|decision| Some((decision, state.ids.span_id()?)));
        let mut request_trace = self.request_trace(found);
        let mut begun = None;
        if let (Some((decision, span_id)), Some(mut context)) = (span_id, request_trace.context)
            && let Some(found_id) = context.span_id
        {
            let memory = memory().filter(|memory| memory.trace_id.is_same_trace(context.trace_id));
            let parent = match memory {
                Some(memory) => self.parent_since(&memory, headers),
                None => found_id,
            };
            context.span_id = Some(span_id);
            request_trace.context = Some(context);
            request_trace.parent_span_id = Some(parent);
            request_trace.decision = Some(decision);
            begun = Some(AttemptState {
                trace_id: context.trace_id,
                parent,
                written: span_id,
            });
        }
        request_trace.add_state_members(headers, stats);
        let active = begun.and_then(|memory| {
            let direction = Direction::Outbound;
            let mut active = request_trace.begin(direction, headers, all, now, state)?;
            active.first.parent = Parent::Unknown;
            Some((active, memory))
        });
        self.inject(&request_trace, headers, writer);
        active
    }

    /// Keeps what the response's headers or trailers say, for none of it can be read at a try's end.
    pub fn hear_attempt(&self, active: &mut OpenSpans, exchange: &impl StreamInfo) {
        let ending = ResponseOutcome::of_response(exchange, active.is_rpc());
        let early = active.response.get_or_insert_default();
        early.ending.status_code = ending.status_code.or(early.ending.status_code);
        early.ending.grpc_status = ending.grpc_status.or(early.ending.grpc_status.take());
        if early.headers.is_empty() {
            early.headers = self.descriptions.read_response(exchange);
        }
    }

    /// Ends the span of a try, and hands it over.
    pub fn finish_attempt(
        &self,
        mut active: OpenSpans,
        exchange: &impl StreamInfo,
        now: Nanos,
        each: &mut impl FnMut(Span),
    ) {
        let response = active.response.take().unwrap_or_default();
        let Response {
            mut ending,
            headers,
            is_whole,
        } = response;
        ending.response_flags = flags(exchange, ending.status_code.is_some());
        // A connection that was switched to another protocol has no end of a response.
        let is_switched = ending.status_code == Some(101) || active.is_connect();
        ending.is_cut = !is_whole && !is_switched && ending.status_code.is_some();
        active.response = Some(Response {
            headers,
            ..Response::default()
        });
        // The proxy measures the request as a whole, so a try has only the clock.
        let start = active.start;
        let told = Answers::nothing(exchange);
        let times = (start, now.max(start));
        active.end(&self.descriptions, &ending, &told, times, each);
    }

    /// The course of a try before anything is decided: what was found goes on as it is.
    fn request_trace<'a>(&'a self, found: Extraction<'a>) -> RequestTrace<'a> {
        let context = found.context;
        RequestTrace {
            context,
            received: context.map_or(found.decision, |context| context.sampling),
            tracestate: found.tracestate,
            same_trace: found.same_trace,
            present: found.present,
            parent_span_id: None,
            is_joined: false,
            link: None,
            decided: None,
            decision: None,
            randomness: 0,
            descriptions: Some(&self.descriptions),
        }
    }

    /// The parent of this try: the span that somebody has written since the last one, or else the one that was it then.
    fn parent_since(&self, memory: &AttemptState, headers: &RequestHeaders<'_>) -> SpanId {
        self.propagation
            .extract
            .iter()
            .filter_map(|format| propagation::extract::context_of(*format, headers))
            .filter(|context| context.trace_id.is_same_trace(memory.trace_id))
            .filter_map(|context| context.span_id)
            .find(|span_id| *span_id != memory.written)
            .unwrap_or(memory.parent)
    }
}

fn decision(sampling: SamplingState) -> Option<Decision> {
    let reason = match sampling {
        SamplingState::Accept => Reason::Received,
        SamplingState::Debug => Reason::Debug,
        SamplingState::Deny | SamplingState::Deferred => return None,
    };
    Some(Decision {
        verdict: Verdict::Record,
        reason,
        threshold: None,
    })
}

/// The flags that tell of this try. That tries are used up is said of the request, and that a connection could not be made
/// Envoy tells a try as a text alone.
fn flags(exchange: &impl StreamInfo, is_answered: bool) -> u64 {
    let flags = source::number(exchange, "response\0flags").unwrap_or(0) & !RETRY_LIMIT;
    if flags != 0 || is_answered {
        return flags;
    }
    match exchange.property("upstream\0transport_failure_reason") {
        Some(reason) if !reason.is_empty() => CONNECT_FAILURE,
        _ => 0,
    }
}

const CONNECT_FAILURE: u64 = 0x20;

#[cfg(test)]
mod tests;
