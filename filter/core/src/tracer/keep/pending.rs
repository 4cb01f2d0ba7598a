//! A request that was not sampled, held until its response: then its spans are kept if the exchange failed or was slow, or
//! if a callee says that it kept its own (design 4.3).
//!
//! ```text
//!   caller's sidecar                          callee's sidecar
//!   CLIENT  <--- server-timing: trace;... ---  SERVER   failed, slow, or noted
//!      |                                         ^
//!      | note of the trace (shared data)         | note
//!      v                                         |
//!   SERVER  of the same pod                    CLIENT  failed, slow, or told
//! ```
//!
//! So the path from a failure up to the root is kept, with nothing but headers between the proxies. The flag that was sent
//! stays as it was: others had decided by it. What is held is a few ids; a span is described only if it is kept, from the
//! request's headers, which the proxy still has when it logs.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::response_header::HeaderChange;
use super::server_timing;
use crate::ids::SpanId;
use crate::propagation::context::SpanContext;
use crate::sampling::decision::Reason;
use crate::sampling::rate_limit::RateLimits;
use crate::sampling::settings::Keep;
use crate::sampling::threshold::Threshold;
use crate::semconv::response_flags::{self, DOWNSTREAM_GONE};
use crate::shared_data::kept_traces::{self, KeptTraces};
use crate::span::Link;
use crate::stats::Counter;
use crate::stream_info;
use crate::stream_info::source;
use crate::stream_info::source::StreamInfo;
use crate::time::Nanos;

/// The spans of a request that was not sampled, as long as they may still be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingSpans {
    pub(super) context: SpanContext,
    pub(super) parent_span_id: Option<SpanId>,
    // Hardly any request has one, and all would pay for its room.
    pub(super) link: Option<Box<Link>>,
    pub(super) trace_state: Vec<u8>,
    pub(super) reason: Reason,
    pub(super) randomness: u64,
    pub(super) keep: Keep,
    pub(super) is_rpc: bool,
    // Zero where no time was asked for, for nothing depends on it.
    pub(super) start: Nanos,
    // The response has said how it was.
    pub(super) is_heard: bool,
    // The response has come to its end, so nothing has broken it off.
    pub(super) is_whole: bool,
    // Of the path and the authority that came, which a route may change on the way upstream.
    pub(super) target: [u64; 2],
    pub(super) server: Option<Side>,
    pub(super) client: Option<Side>,
}

/// One of the two spans, and what has become of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) span_id: SpanId,
    pub(super) fate: SpanOutcome,
}

/// What becomes of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpanOutcome {
    /// Nothing has spoken for it.
    Open,
    /// It is kept.
    Kept(Cause),
    /// It would be kept, and there are too many.
    TooMany,
}

/// Why a span is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The exchange failed.
    Error,
    /// It took long.
    Slow,
    /// A callee, or a call that was made for it, is kept.
    Callee,
}

impl Cause {
    /// The value of `sidespan.kept`.
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
    /// Notes that the response has come to its end.
    #[inline]
    pub fn hear_end(&mut self) {
        self.is_whole = true;
    }

    /// Whether nothing has become of either side yet.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        let is_open = |side: Option<Side>| side.is_none_or(|side| side.fate == SpanOutcome::Open);
        is_open(self.server) && is_open(self.client)
    }

    /// What the part that has come says by itself.
    #[inline]
    pub(super) fn own_cause(&self, is_failure: bool, now: &impl Fn() -> Nanos) -> Option<Cause> {
        if is_failure && self.keep.errors {
            return Some(Cause::Error);
        }
        let limit = self.keep.slower_than?;
        now().has_taken(self.start, limit).then_some(Cause::Slow)
    }

    /// What only the end says: an exchange that broke off, and one that took long as a whole.
    #[inline]
    pub(super) fn late_cause(
        &self,
        exchange: &impl StreamInfo,
        now: &impl Fn() -> Nanos,
    ) -> Option<Cause> {
        // A call whose answer is whole and has no status is as bad as one that broke off.
        let may_be_broken = self.keep.errors && !(self.is_whole && self.is_heard);
        if !may_be_broken && self.keep.slower_than.is_none() {
            return None;
        }
        if [self.server, self.client]
            .iter()
            .flatten()
            .all(|side| side.fate != SpanOutcome::Open)
        {
            return None;
        }
        let is_broken = may_be_broken && self.is_broken(exchange);
        self.own_cause(is_broken, now)
    }

    /// Whether the exchange ended before the response had.
    #[inline]
    fn is_broken(&self, exchange: &impl StreamInfo) -> bool {
        let flags = source::number(exchange, "response\0flags").unwrap_or(0);
        if flags == 0 {
            return !self.is_heard;
        }
        let status = stream_info::outcome::status_code(exchange);
        // A caller that goes away once it is answered has what it came for. Before that the server has failed it, and the
        // client's side is kept with the server's so that the way there is whole.
        if flags & DOWNSTREAM_GONE != 0 {
            return status.is_none();
        }
        response_flags::broken_by(response_flags::beyond(status, flags)).is_some()
    }

    /// What the caller is to be told; nothing where it has named no span that could be kept for it.
    #[inline]
    pub(super) fn word(&self, said: impl FnOnce() -> Option<Vec<u8>>) -> HeaderChange {
        match self.server {
            Some(Side {
                span_id,
                fate: SpanOutcome::Kept(_),
            }) if self.parent_span_id.is_some() => {
                let (trace_id, said) = (self.context.trace_id, said());
                HeaderChange::Set(server_timing::with_kept_trace(
                    trace_id,
                    span_id,
                    said.as_deref(),
                ))
            }
            _ => HeaderChange::Leave,
        }
    }

    /// Decides on both sides, from what the exchange itself says, what the callee says and what was noted.
    #[inline]
    pub(super) fn decide(
        &mut self,
        own: Option<Cause>,
        said: Option<&[u8]>,
        notes: &mut impl KeptTraces,
        now: &impl Fn() -> Nanos,
        limits: &mut RateLimits,
    ) {
        let trace_id = self.context.trace_id;
        let is_told = said.is_some_and(|said| server_timing::contains_kept(said, trace_id));
        let mut of_client = false;
        let budgets = match (self.server, self.client) {
            (Some(_), Some(_)) => &mut limits.kept_at_edge,
            _ => &mut limits.kept,
        };
        if let Some(side) = &mut self.client {
            let cause = own.or(is_told.then_some(Cause::Callee));
            let [_, budget] = budgets;
            let was_open = side.fate == SpanOutcome::Open;
            side.finish(cause, self.randomness, || budget.share(now()));
            of_client = matches!(side.fate, SpanOutcome::Kept(_));
            // The other side of the pod is another stream, unless this is an edge.
            if was_open && of_client && self.server.is_none() {
                kept_traces::mark(notes, trace_id, now());
            }
        }
        let has_client = self.client.is_some();
        if let Some(side) = &mut self.server {
            if side.fate != SpanOutcome::Open {
                return;
            }
            let mut is_noted = || match has_client {
                true => of_client,
                false => kept_traces::is_marked(notes, trace_id, now),
            };
            let cause = own.or_else(|| is_noted().then_some(Cause::Callee));
            let [budget, _] = budgets;
            side.finish(cause, self.randomness, || budget.share(now()));
        }
    }
}

impl Side {
    /// Keeps it if there is a cause and room; once that is settled it stays so.
    #[inline]
    fn finish(&mut self, cause: Option<Cause>, randomness: u64, share: impl FnOnce() -> f64) {
        let (Some(cause), SpanOutcome::Open) = (cause, self.fate) else {
            return;
        };
        let threshold = Threshold::ALL.tightened(share());
        self.fate = match threshold.keeps(randomness) {
            true => SpanOutcome::Kept(cause),
            false => SpanOutcome::TooMany,
        };
    }
}

#[inline]
pub(super) fn kept(side: Option<Side>) -> Option<(Side, Cause)> {
    let side = side?;
    match side.fate {
        SpanOutcome::Kept(cause) => Some((side, cause)),
        SpanOutcome::Open | SpanOutcome::TooMany => None,
    }
}
