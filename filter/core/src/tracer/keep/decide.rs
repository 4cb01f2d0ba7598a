//! The tracer's steps of keeping: pending spans for requests that were not sampled, the response's verdict on them, and
//! open spans for those that are kept.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::pending::{Causes, PendingSpans, Side, SpanOutcome, kept};
use super::response_header::{HeaderChange, server_timing_of};
use crate::direction::Direction;
use crate::headers::pairs::HeaderPairs;
use crate::headers::{Name, RequestHeaders};
use crate::id_generator::Random;
use crate::propagation::settings::ContextTrust;
use crate::proxy::{SharedData, Worker};
use crate::sampling::settings::Keep;
use crate::semconv::describe::SpanStart;
use crate::semconv::http::forwarded::{Believed, Forwarded};
use crate::semconv::rpc;
use crate::span::SpanKind;
use crate::stats::Counter;
use crate::stream_info::heard::{HeardResponse, PassedHeaders, ResponsePart};
use crate::stream_info::source::{PassingResponse, StreamInfo};
use crate::time::Nanos;
use crate::tracer::decide::Tracer;
use crate::tracer::open_spans::{OpenSpan, OpenSpans, Parent, Response, is_answered_here};
use crate::tracer::request_trace::RequestTrace;
use crate::tracer::state::State;

impl Tracer {
    /// Returns the settings of keeping for this direction; `None` where nothing could be kept.
    #[inline]
    fn keep(&self, direction: Direction) -> Option<Keep> {
        let keep = match (&self.edge_keep, direction) {
            (Some(keep), Direction::Edge) => keep,
            _ => self.keep.as_ref()?,
        };
        Some(*keep).filter(Keep::is_on)
    }

    /// Makes the pending spans of a request that was not sampled. At an edge the CLIENT span's context is the one that is
    /// propagated.
    #[inline]
    pub fn open_pending(
        &self,
        request_trace: &mut RequestTrace<'_>,
        direction: impl FnOnce() -> Direction,
        headers: &RequestHeaders<'_>,
        now: impl FnOnce() -> Nanos,
        state: &mut State<impl Random>,
    ) -> Option<Box<PendingSpans>> {
        let decision = request_trace
            .decision
            .filter(|_| self.keeps_any && request_trace.is_unsampled())?;
        let direction = direction();
        let keep = self.keep(direction)?;
        let mut context = request_trace.context?;
        let side = |span_id| {
            Some(Side {
                span_id,
                outcome: SpanOutcome::Open,
            })
        };
        let own = context.span_id?;
        let (server, client) = match direction {
            Direction::Inbound => (side(own), None),
            Direction::Outbound => (None, side(own)),
            Direction::Edge => {
                let Some(client) = state.ids.span_id() else {
                    state.stats.add(Counter::EntropyFailures);
                    return None;
                };
                context.span_id = Some(client);
                request_trace.context = Some(context);
                request_trace.add_state_members(headers, &mut state.stats);
                (side(own), side(client))
            }
        };
        let content_type = headers.first(Name::ContentType);
        Some(Box::new(PendingSpans {
            direction,
            context,
            parent_span_id: request_trace.parent_span_id,
            link: request_trace.link.take(),
            trace_state: request_trace.tracestate.as_bytes().to_vec(),
            reason: decision.reason,
            randomness: request_trace.randomness,
            keep,
            is_rpc: content_type.is_some_and(rpc::is_grpc),
            start: keep.slower_than.map_or(Nanos(0), |_| now()),
            verdict: None,
            is_upstreams: None,
            has_ended: false,
            heard: HeardResponse::default(),
            response: Vec::new(),
            request: Vec::new(),
            server,
            client,
        }))
    }

    /// Reads a part of the response, decides on the pending spans if it can, and returns the change to `server-timing`.
    #[inline]
    pub fn hear_response<E>(
        &self,
        pending: &mut PendingSpans,
        part: ResponsePart,
        proxy: &(impl PassingResponse + SharedData + Worker),
        state: &mut State<E>,
    ) -> HeaderChange {
        if self.describer.reads_response() {
            let heard = &mut pending.response;
            self.describer.read_response(part, proxy, heard);
        }
        match part {
            ResponsePart::Headers => self.hear_headers(pending, proxy, state),
            ResponsePart::Trailers => self.hear_trailers(pending, proxy, state),
        }
    }

    /// Reads the status alone where nothing else decides, and otherwise all headers at once.
    #[inline]
    fn hear_headers<E>(
        &self,
        pending: &mut PendingSpans,
        proxy: &(impl PassingResponse + SharedData + Worker),
        state: &mut State<E>,
    ) -> HeaderChange {
        if pending.is_told_by_status() && !self.strips_at(pending.is_at_edge()) {
            let verdict = pending.hear_status(proxy);
            self.take_verdict(pending, verdict, None, proxy, state);
            let said = || server_timing_of(ResponsePart::Headers, proxy);
            return pending.header_change(|| said().map(Cow::Owned));
        }
        let block = proxy.response_headers();
        let said = PassedHeaders::read(&block);
        let verdict = pending.hear_headers(&said);
        let server_timing = said.server_timing.as_deref();
        self.take_verdict(pending, verdict, server_timing, proxy, state);
        match self.strips_at(pending.is_at_edge()) {
            true => HeaderChange::strip(server_timing),
            false if verdict.is_some() => {
                pending.header_change(|| server_timing.map(Cow::Borrowed))
            }
            false => HeaderChange::Leave,
        }
    }

    #[inline]
    fn hear_trailers<E>(
        &self,
        pending: &mut PendingSpans,
        proxy: &(impl PassingResponse + SharedData + Worker),
        state: &mut State<E>,
    ) -> HeaderChange {
        let (part, strips) = (ResponsePart::Trailers, self.strips_at(pending.is_at_edge()));
        if !pending.is_rpc {
            return HeaderChange::stripped_if(strips, part, proxy);
        }
        let verdict = pending.hear_trailers(proxy);
        if verdict.is_none() && !strips {
            return HeaderChange::Leave;
        }
        let listens = pending.client.is_some() || strips;
        let said = listens.then(|| server_timing_of(part, proxy)).flatten();
        self.take_verdict(pending, verdict, said.as_deref(), proxy, state);
        if strips {
            return HeaderChange::strip(said.as_deref());
        }
        pending.header_change(|| server_timing_of(part, proxy).map(Cow::Owned))
    }

    /// Decides on the pending spans by the verdict of the response and the callee's word.
    #[inline]
    fn take_verdict<E>(
        &self,
        pending: &mut PendingSpans,
        verdict: Option<bool>,
        server_timing: Option<&[u8]>,
        proxy: &(impl SharedData + Worker),
        state: &mut State<E>,
    ) {
        if let Some(is_failure) = verdict {
            let own = pending.own_cause(is_failure, proxy);
            let causes = Causes {
                client: own,
                server: own,
            };
            pending.decide(causes, server_timing, proxy, &mut state.limits);
        }
    }

    /// Decides on the pending spans at the end of the stream, and returns true if any of them is kept.
    #[inline]
    pub fn settle_pending<E>(
        &self,
        pending: &mut PendingSpans,
        proxy: &(impl StreamInfo + SharedData + Worker),
        state: &mut State<E>,
    ) -> bool {
        if let Some(causes) = pending.late_causes(proxy) {
            pending.decide(causes, None, proxy, &mut state.limits);
        }
        // Nearly all requests return here, because nothing gave a cause to keep their spans.
        if pending.is_open() {
            return false;
        }
        if pending.is_at_edge() && is_answered_here(proxy) {
            pending.client = None;
        }
        let sides = [pending.server, pending.client];
        let of = |outcome: fn(SpanOutcome) -> bool| {
            let sides = sides.iter().flatten();
            sides.filter(|side| outcome(side.outcome)).count()
        };
        let lost = of(|outcome| outcome == SpanOutcome::TooMany);
        state.stats.add_many(Counter::SpansFinished, lost);
        state.stats.add_many(Counter::SpansDroppedRate, lost);
        of(|outcome| matches!(outcome, SpanOutcome::Kept(_))) > 0
    }

    /// Opens the spans that are kept, to be finished at once.
    #[inline]
    pub fn open_kept(
        &self,
        pending: PendingSpans,
        now: Nanos,
        state: &mut State<impl Random>,
    ) -> Option<OpenSpans> {
        let all = HeaderPairs::new(&pending.request);
        let headers = RequestHeaders::read(all.clone());
        let trust = self.edge_trust.as_ref().unwrap_or(&self.trust);
        let believed = Believed::at(pending.direction, trust.context == ContextTrust::Accept);
        let forwarded = &Forwarded::read(&headers, believed);
        let facts = self.describer.facts_of(&headers, forwarded, pending.is_rpc);
        let above = pending.server.map(|side| side.span_id);
        let of_server = (Parent::Caller, pending.parent_span_id);
        let of_client = match above {
            Some(above) => (Parent::Here, Some(above)),
            None => of_server,
        };
        let mut open = |kind, side, (parent, parent_span_id)| {
            let (side, cause) = kept(side)?;
            state.stats.add(cause.counter());
            let start = SpanStart {
                kind,
                reason: pending.reason,
                block: state.spare_blocks.take(),
            };
            let all = all.clone();
            let mut attributes = (self.describer).begin(start, &facts, &headers, forwarded, all);
            attributes.text("sidespan.kept", cause.name().as_bytes());
            Some(OpenSpan {
                kind,
                span_id: side.span_id,
                parent_span_id,
                parent,
                attributes,
            })
        };
        let server = open(SpanKind::Server, pending.server, of_server);
        let client = open(SpanKind::Client, pending.client, of_client);
        let (first, second) = match (server, client) {
            (Some(first), second) => (first, second),
            (None, Some(first)) => (first, None),
            (None, None) => return None,
        };
        Some(OpenSpans {
            context: pending.context,
            link: pending.link,
            trace_state: pending.trace_state,
            facts,
            // Without `slowerThan` the start was not read, because the proxy gives the duration at the end.
            start: if pending.start > Nanos(0) {
                pending.start
            } else {
                now
            },
            first,
            second,
            reads_response: false,
            response: Some(Response {
                heard: pending.heard,
                attributes: pending.response,
                has_ended: pending.has_ended,
            }),
        })
    }
}

#[cfg(test)]
mod tests;
