//! Attempts of a request behind Envoy's router: a CLIENT span for each attempt, and the context that the upstream receives.
//!
//! An upstream HTTP filter of Envoy sees each attempt of a request after Envoy's own tracer has written its headers. No
//! decision is taken there: an attempt is recorded if the received context is sampled, and only the span id is new.
//!
//! All attempts of a request share one header map, so the second attempt finds the context that the first has written, and
//! would become a child of the first. The first attempt's parent is therefore kept in the stream's filter state
//! ([`AttemptState`]). A span id that Envoy's tracer, or another filter, has written since is a new parent.

use alloc::boxed::Box;

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
use crate::sampling::decision::{Decision, Reason, Verdict};
use crate::semconv::response_flags::{CONNECT_FAILURE, RETRY_LIMIT};
use crate::span::Span;
use crate::stats::{Counter, Stats};
use crate::stream_info::answers::Answers;
use crate::stream_info::ending;
use crate::stream_info::outcome::ResponseOutcome;
use crate::stream_info::source::{self, StreamInfo};
use crate::time::Nanos;

/// The state that one attempt of a request leaves for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptState {
    trace_id: TraceId,
    parent: SpanId,
    // The span id that the last attempt has written.
    written: SpanId,
}

impl AttemptState {
    /// Returns the bytes to keep in the stream's filter state.
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

    /// Reads the bytes of [`Self::to_bytes`]; `None` for bytes of another length, or with an id that is zero.
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
    /// Starts an attempt: writes the context in every wanted format, and opens a span where the context is sampled. The
    /// state returned beside the span is to be kept for the next attempt of the request, which reads it by `last`.
    pub fn begin_attempt<'h>(
        &self,
        headers: &RequestHeaders<'_>,
        all: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        last: impl FnOnce() -> Option<AttemptState>,
        now: Nanos,
        state: &mut State<impl Random>,
        writer: &mut impl HeaderWriter,
    ) -> Option<(Box<OpenSpans>, AttemptState)> {
        // These counts are thrown away, because the context was counted when the request arrived.
        let stats = &mut Stats::default();
        let formats = &self.propagation.extract;
        let found = propagation::extract(formats, &self.trust, headers, stats);
        if found.present.is_empty() {
            return None;
        }
        let decision = found.context.and_then(|context| decision(context.sampling));
        let span_id = decision.filter(|_| self.records).and_then(|decision| {
            let span_id = state.ids.span_id();
            if span_id.is_none() {
                state.stats.add(Counter::EntropyFailures);
            }
            Some((decision, span_id?))
        });
        let mut request_trace = RequestTrace::silent();
        request_trace.continue_from(found);
        request_trace.describer = Some(&self.describer);
        let mut begun = None;
        if let (Some((decision, span_id)), Some(mut context)) = (span_id, request_trace.context)
            && let Some(found_id) = context.span_id
        {
            let last = last().filter(|last| last.trace_id.is_same_trace(context.trace_id));
            let parent = match last {
                Some(last) => self.parent_since(&last, headers),
                None => found_id,
            };
            context.span_id = Some(span_id);
            request_trace.context = Some(context);
            request_trace.parent_span_id = Some(parent);
            request_trace.decision = Some(decision);
            request_trace.is_recordable = true;
            begun = Some(AttemptState {
                trace_id: context.trace_id,
                parent,
                written: span_id,
            });
        }
        request_trace.add_state_members(headers, stats);
        let open_spans = begun.and_then(|attempt| {
            let direction = Direction::Outbound;
            let mut open_spans = request_trace.begin(direction, headers, all, now, state)?;
            open_spans.first.parent = Parent::Unknown;
            Some((open_spans, attempt))
        });
        self.inject(&request_trace, headers, writer);
        open_spans
    }

    /// Finishes the span of an attempt, and passes the span to `each`. `last` is the state that the last attempt of the
    /// request has left.
    pub fn finish_attempt(
        &self,
        open_spans: &mut OpenSpans,
        stream_info: &impl StreamInfo,
        last: impl FnOnce() -> Option<AttemptState>,
        now: Nanos,
        each: &mut impl FnMut(Span),
    ) {
        let response = open_spans.response.get_or_insert_default();
        let (status_code, has_ended) = (response.heard.status_code, response.has_ended);
        // The response that switches a connection to another protocol has no end of its own.
        let is_switched = status_code == Some(101) || open_spans.is_connect();
        let own = open_spans.first.span_id;
        // Envoy has one place for what it knows of the upstream, which a hedged attempt takes from the one before: of that
        // one nobody knows then whether it has broken off.
        let is_last = || last().is_none_or(|last| last.written == own);
        let is_cut = !has_ended
            && !is_switched
            && status_code.is_some()
            && !ending::is_received(stream_info)
            && is_last();
        let outcome = ResponseOutcome {
            response_flags: flags(stream_info, status_code.is_some()),
            is_cut,
            ..ResponseOutcome::default()
        };
        // The times are the clock's, because the proxy's duration is of the request with all its attempts.
        let start = open_spans.start;
        let answers = Answers::nothing(stream_info);
        let times = (start, now.max(start));
        open_spans.end(&self.describer, &outcome, &answers, times, each);
    }

    /// Returns the parent of this attempt: a span id that was written after the last attempt's, or else the last attempt's
    /// parent.
    fn parent_since(&self, last: &AttemptState, headers: &RequestHeaders<'_>) -> SpanId {
        self.propagation
            .extract
            .iter()
            .filter_map(|format| propagation::extract::context_of(*format, headers))
            .filter(|context| context.trace_id.is_same_trace(last.trace_id))
            .filter_map(|context| context.span_id)
            .find(|span_id| *span_id != last.written)
            .unwrap_or(last.parent)
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

/// Returns Envoy's response flags of this attempt. `RETRY_LIMIT` is left out, because it is a flag of the request. The flag
/// of a failed connection is derived from a text, because Envoy reports that failure to an attempt only as text.
fn flags(stream_info: &impl StreamInfo, is_answered: bool) -> u64 {
    let flags = source::number(stream_info, "response\0flags").unwrap_or(0) & !RETRY_LIMIT;
    if flags != 0 || is_answered {
        return flags;
    }
    match stream_info.property("upstream\0transport_failure_reason") {
        Some(reason) if !reason.is_empty() => CONNECT_FAILURE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
