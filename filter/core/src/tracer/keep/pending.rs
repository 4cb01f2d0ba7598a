//! Pending spans: the spans of a request that was not sampled, until its response decides whether they are kept. A span is
//! kept if the response failed or was slow, or if a callee says in `server-timing` that it kept its own span
//! (`filter/README.md`, "Keeping what was not sampled").
//!
//! ```text
//!   caller's sidecar                          callee's sidecar
//!   CLIENT  <--- server-timing: trace;... ---  SERVER   failed, slow, or noted
//!      |                                         ^
//!      | note of the trace (shared data)         | note
//!      v                                         |
//!   SERVER  of the same pod                    CLIENT  failed, slow, or kept by its callee
//! ```
//!
//! So the path from a failure up to the root is kept, with nothing but headers between the proxies. The sampled flag that
//! was sent stays unset, because other proxies have decided by it. Pending spans are a few ids and the block of the request's
//! headers that was read anyway; a span is described only if it is kept.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::response_header::HeaderChange;
use super::server_timing;
use crate::direction::Direction;
use crate::ids::SpanId;
use crate::propagation::context::SpanContext;
use crate::proxy::{SharedData, Worker};
use crate::sampling::decision::Reason;
use crate::sampling::randomness::Randomness;
use crate::sampling::rate_limit::RateLimits;
use crate::sampling::settings::Keep;
use crate::sampling::threshold::Threshold;
use crate::shared_data::kept_traces;
use crate::span::Link;
use crate::stats::Counter;
use crate::stream_info::heard::HeardResponse;
use crate::time::Nanos;

/// The pending spans of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingSpans {
    // Not to be told from the spans, because at an edge that answers by itself the CLIENT span goes.
    pub(super) direction: Direction,
    pub(super) context: SpanContext,
    pub(super) parent_span_id: Option<SpanId>,
    pub(super) link: Option<Box<Link>>,
    pub(super) trace_state: Vec<u8>,
    pub(super) reason: Reason,
    // The caller's `rv`; `None` without one, because the trace id gives the randomness then.
    pub(super) randomness: Option<u64>,
    pub(super) keep: Keep,
    pub(super) is_rpc: bool,
    // Zero without `slowerThan`, because nothing else depends on the start.
    pub(super) start: Nanos,
    // True if the response has failed; None until it shows.
    pub(super) verdict: Option<bool>,
    // True if the router vouches that the response is the upstream's, so that no answer of the proxy's own is behind its code;
    // None where nobody has asked.
    pub(super) is_upstreams: Option<bool>,
    // True once the end of the response has passed with headers or trailers; the end of a body is not heard.
    pub(super) has_ended: bool,
    // What the response said as it passed.
    pub(super) heard: HeardResponse,
    // The values of configured attributes in the response.
    pub(super) response: Vec<Option<Vec<u8>>>,
    // The request's headers as received, because they can no longer be read at the end, and change on the way upstream.
    pub(super) request: Vec<u8>,
    pub(super) server: Option<Side>,
    pub(super) client: Option<Side>,
}

/// One of the two pending spans, with its outcome so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) span_id: SpanId,
    pub(super) outcome: SpanOutcome,
}

/// The outcome of a pending span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpanOutcome {
    /// No cause to keep the span so far.
    Open,
    /// The span is kept.
    Kept(Cause),
    /// The span has a cause to be kept, and `spansPerSecond` leaves it out.
    TooMany,
}

/// The cause to keep a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The response failed.
    Error,
    /// The request took longer than `slowerThan`.
    Slow,
    /// The callee's span is kept, or the span of a call that the workload made for this request.
    Callee,
}

/// The causes to keep the two spans, as far as the exchange gives them by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Causes {
    pub(super) client: Option<Cause>,
    pub(super) server: Option<Cause>,
}

impl Cause {
    /// Returns the value of `sidespan.kept`.
    #[inline]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Slow => "slow",
            Self::Callee => "callee",
        }
    }

    #[inline]
    pub(super) fn counter(self) -> Counter {
        match self {
            Self::Error => Counter::KeptError,
            Self::Slow => Counter::KeptSlow,
            Self::Callee => Counter::KeptCallee,
        }
    }
}

impl PendingSpans {
    #[inline]
    pub(super) fn is_at_edge(&self) -> bool {
        self.direction == Direction::Edge
    }

    /// Notes that the response has come to its end.
    #[inline]
    pub fn end_response(&mut self) {
        self.has_ended = true;
    }

    /// Returns true if neither span has a cause to be kept so far.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        let is_open =
            |side: Option<Side>| side.is_none_or(|side| side.outcome == SpanOutcome::Open);
        is_open(self.server) && is_open(self.client)
    }

    /// Returns the cause that the response gives by itself: a failure, or the time that it has taken so far.
    #[inline]
    pub(super) fn own_cause(&self, is_failure: bool, worker: &impl Worker) -> Option<Cause> {
        if is_failure && self.keep.errors {
            return Some(Cause::Error);
        }
        self.is_slow(worker).then_some(Cause::Slow)
    }

    /// Returns true if the request has taken longer than `slowerThan` so far.
    #[inline]
    pub(super) fn is_slow(&self, worker: &impl Worker) -> bool {
        let limit = self.keep.slower_than;
        limit.is_some_and(|limit| worker.now().has_taken(self.start, limit))
    }

    /// Keeps the request's headers, a block that nobody else needs any more.
    #[inline]
    pub fn keep_request(&mut self, block: Vec<u8>) {
        self.request = block;
    }

    /// Returns the change to `server-timing` that names the kept SERVER span; [`HeaderChange::Leave`] where the caller has
    /// sent no span id, because the caller has no span to keep.
    #[inline]
    pub(super) fn header_change<'a>(
        &self,
        server_timing: impl FnOnce() -> Option<Cow<'a, [u8]>>,
    ) -> HeaderChange {
        match self.server {
            Some(Side {
                span_id,
                outcome: SpanOutcome::Kept(_),
            }) if self.parent_span_id.is_some() => {
                let (trace_id, server_timing) = (self.context.trace_id, server_timing());
                HeaderChange::Set(server_timing::with_kept_trace(
                    trace_id,
                    span_id,
                    server_timing.as_deref(),
                ))
            }
            _ => HeaderChange::Leave,
        }
    }

    /// Decides on both spans, from the response's own cause, the callee's `server-timing` and the notes of kept traces.
    #[inline]
    pub(super) fn decide(
        &mut self,
        own: Causes,
        server_timing: Option<&[u8]>,
        proxy: &(impl SharedData + Worker),
        limits: &mut RateLimits,
    ) {
        let trace_id = self.context.trace_id;
        let told = self.randomness;
        let randomness = || Randomness::new(told, trace_id);
        let is_told = server_timing
            .is_some_and(|server_timing| server_timing::contains_kept(server_timing, trace_id));
        let mut of_client = false;
        let budgets = match (self.server, self.client) {
            (Some(_), Some(_)) => &mut limits.kept_at_edge,
            _ => &mut limits.kept,
        };
        if let Some(side) = &mut self.client {
            let cause = own.client.or(is_told.then_some(Cause::Callee));
            let [_, budget] = budgets;
            let was_open = side.outcome == SpanOutcome::Open;
            side.finish(cause, randomness, || budget.share(proxy.now()));
            // At an edge the client's answer tells whether a failure has reached the SERVER span.
            of_client = side.outcome == SpanOutcome::Kept(Cause::Callee);
            let is_kept = matches!(side.outcome, SpanOutcome::Kept(_));
            // The pod's SERVER span belongs to another stream, unless this is an edge.
            if was_open && is_kept && self.server.is_none() {
                kept_traces::mark(proxy, trace_id, proxy.now());
            }
        }
        let has_client = self.client.is_some();
        if let Some(side) = &mut self.server {
            if side.outcome != SpanOutcome::Open {
                return;
            }
            let is_noted = || match has_client {
                true => of_client,
                false => kept_traces::is_marked(proxy, trace_id, || proxy.now()),
            };
            let cause = own.server.or_else(|| is_noted().then_some(Cause::Callee));
            let [budget, _] = budgets;
            side.finish(cause, randomness, || budget.share(proxy.now()));
        }
    }
}

impl Side {
    /// Keeps the span if there is a cause and the limit has room. An outcome never changes once it is there.
    #[inline]
    fn finish(
        &mut self,
        cause: Option<Cause>,
        randomness: impl FnOnce() -> Randomness,
        share: impl FnOnce() -> f64,
    ) {
        let (Some(cause), SpanOutcome::Open) = (cause, self.outcome) else {
            return;
        };
        let threshold = Threshold::ALL.tightened(share());
        self.outcome = match threshold.keeps(randomness()) {
            true => SpanOutcome::Kept(cause),
            false => SpanOutcome::TooMany,
        };
    }
}

#[inline]
pub(super) fn kept(side: Option<Side>) -> Option<(Side, Cause)> {
    let side = side?;
    match side.outcome {
        SpanOutcome::Kept(cause) => Some((side, cause)),
        SpanOutcome::Open | SpanOutcome::TooMany => None,
    }
}
