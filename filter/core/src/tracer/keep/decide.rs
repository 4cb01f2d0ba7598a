//! The tracer's steps of keeping: pending spans for requests that were not sampled, the response's verdict on them, and
//! open spans for those that are kept.

use alloc::boxed::Box;

use super::pending::{Causes, PendingSpans, Side, SpanOutcome, kept};
use super::response_header::{HeaderChange, server_timing_of};
use crate::direction::Direction;
use crate::headers::{Name, RequestHeaders};
use crate::id_generator::Random;
use crate::propagation::settings::ContextTrust;
use crate::proxy::{SharedData, Worker};
use crate::sampling::settings::Keep;
use crate::semconv::describe::SpanStart;
use crate::semconv::http::forwarded::{Believed, Forwarded};
use crate::semconv::rpc;
use crate::span::SpanKind;
use crate::span::spare_blocks::SpareBlocks;
use crate::stats::{Counter, Stats};
use crate::stream_info::heard::{HeardResponse, ResponsePart};
use crate::stream_info::source::StreamInfo;
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
    ) -> Option<PendingSpans> {
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
        Some(PendingSpans {
            context,
            parent_span_id: request_trace.parent_span_id,
            link: request_trace.link.map(Box::new),
            trace_state: request_trace.tracestate.as_bytes().to_vec(),
            reason: decision.reason,
            randomness: request_trace.randomness,
            keep,
            is_rpc: content_type.is_some_and(rpc::is_grpc),
            start: keep.slower_than.map_or(Nanos(0), |_| now()),
            verdict: None,
            is_proven: false,
            is_whole: false,
            heard: HeardResponse::default(),
            method: word(headers.first(Name::Method).unwrap_or_default()),
            target: TARGET.map(|(name, _)| digest(headers.first(name))),
            server,
            client,
        })
    }

    /// Reads a part of the response, decides on the pending spans if it can, and returns the change to `server-timing`.
    #[inline]
    pub fn hear_response<E>(
        &self,
        pending: &mut PendingSpans,
        part: ResponsePart,
        proxy: &(impl StreamInfo + SharedData + Worker),
        state: &mut State<E>,
    ) -> HeaderChange {
        let strips = self.strips_at(is_edge(pending));
        if part == ResponsePart::Trailers && !pending.is_rpc {
            return HeaderChange::stripped_if(strips, part, proxy);
        }
        let verdict = pending.hear(part, proxy);
        if verdict.is_none() && !strips {
            return HeaderChange::Leave;
        }
        let listens = pending.client.is_some() || strips;
        let server_timing = listens.then(|| server_timing_of(part, proxy)).flatten();
        if let Some(is_failure) = verdict {
            let own = pending.own_cause(is_failure, proxy);
            let causes = Causes {
                client: own,
                server: own,
            };
            pending.decide(causes, server_timing.as_deref(), proxy, &mut state.limits);
        }
        match strips {
            true => HeaderChange::strip(server_timing.as_deref()),
            false => pending.header_change(|| server_timing_of(part, proxy)),
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
        if is_edge(pending) && is_answered_here(proxy) {
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

    /// Opens the spans that are kept, to be finished at once. `headers` are the request's when the proxy logs it.
    #[inline]
    pub fn open_kept<'h>(
        &self,
        pending: PendingSpans,
        headers: RequestHeaders<'h>,
        all: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        now: Nanos,
        stats: &mut Stats,
        spare_blocks: &mut SpareBlocks,
    ) -> Option<OpenSpans> {
        let headers = as_received(&pending, headers, all.clone());
        // Only at an edge both spans are pending.
        let direction = match (pending.server, pending.client) {
            (Some(_), Some(_)) => Direction::Edge,
            _ => Direction::Inbound,
        };
        let trust = self.edge_trust.as_ref().unwrap_or(&self.trust);
        let believed = Believed::at(direction, trust.context == ContextTrust::Accept);
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
            stats.add(cause.counter());
            let start = SpanStart {
                kind,
                reason: pending.reason,
                block: spare_blocks.take(),
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
            link: pending.link.map(|link| *link),
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
            response: Some(Response {
                heard: pending.heard,
                ..Response::default()
            }),
        })
    }
}

/// Returns true if both spans are pending, as at an edge alone.
#[inline]
fn is_edge(pending: &PendingSpans) -> bool {
    pending.server.is_some() && pending.client.is_some()
}

/// Returns the headers with the method, the path and the authority as received: a route or a transcoder may have changed
/// them, and Envoy then keeps the original values in headers of its own. A caller can send these headers too, so a value
/// counts only if its digest is that of the received one.
#[inline]
fn as_received<'h>(
    pending: &PendingSpans,
    headers: RequestHeaders<'h>,
    all: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
) -> RequestHeaders<'h> {
    let method = headers.first(Name::Method).unwrap_or_default();
    let original = |(name, value): &(&[u8], &[u8])| {
        *name == b"x-envoy-original-method" && word(value) == pending.method
    };
    let headers = match all.clone().find(original) {
        Some((_, value)) if word(method) != pending.method => headers.replaced(Name::Method, value),
        _ => headers,
    };
    TARGET
        .iter()
        .zip(pending.target)
        .fold(headers, |headers, ((name, noted), came)| {
            if digest(headers.first(*name)) == came {
                return headers;
            }
            let is_it = |(name, value): &(&[u8], &[u8])| {
                *name == noted.as_bytes() && digest(Some(value)) == came
            };
            match all.clone().find(is_it) {
                Some((_, value)) => headers.replaced(*name, value),
                None => headers,
            }
        })
}

/// Returns the first eight bytes, which tell any two known methods apart.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    let first = bytes.iter().take(8);
    first.fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

/// Returns the hash of rustc's own tables (FxHash) eight bytes at a time, because each request with pending spans pays for
/// two hashes; the upper half, where all bytes have had their say.
#[inline]
fn digest(value: Option<&[u8]>) -> u32 {
    let bytes = value.unwrap_or_default();
    let (words, rest) = bytes.as_chunks::<8>();
    let last = rest
        .iter()
        .fold(1, |word, byte| (word << 8) | u64::from(*byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let hash = words.chain([last]).fold(0, |hash: u64, word| {
        (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
    });
    let [.., a, b, c, d] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The headers that a route or a filter may change, each with the header in which Envoy keeps the original value.
static TARGET: [(Name, &str); 2] = [
    (Name::Path, "x-envoy-original-path"),
    (Name::Authority, "x-envoy-original-host"),
];

#[cfg(test)]
mod tests;
