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

use alloc::vec::Vec;

use super::active::{Active, Open, Parent};
use super::{Course, Direction, Tracer};
use crate::config::Keep;
use crate::entropy::Entropy;
use crate::envoy_flags::{self, DOWNSTREAM_GONE};
use crate::exchange::{self, Exchange};
use crate::grpc;
use crate::headers::{Name, RequestHeaders};
use crate::ids::SpanId;
use crate::notes::{self, Notes};
use crate::propagation::SpanContext;
use crate::sampler::{Decision, Reason, Verdict};
use crate::server_timing;
use crate::span::{Link, Span, SpanKind};
use crate::state::State;
use crate::stats::{Counter, Stats};
use crate::threshold::Threshold;
use crate::time::Nanos;

/// The spans of a request that was not sampled, as long as they may still be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    context: SpanContext,
    parent_span_id: Option<SpanId>,
    link: Option<Link>,
    trace_state: Vec<u8>,
    reason: Reason,
    randomness: u64,
    keep: Keep,
    is_rpc: bool,
    // Zero where no time was asked for, for nothing depends on it.
    start: Nanos,
    server: Option<Side>,
    client: Option<Side>,
}

/// One of the two spans, and what has become of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Side {
    span_id: SpanId,
    fate: Fate,
}

/// What becomes of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
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
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Slow => "slow",
            Self::Callee => "callee",
        }
    }

    fn counter(self) -> Counter {
        match self {
            Self::Error => Counter::KeptError,
            Self::Slow => Counter::KeptSlow,
            Self::Callee => Counter::KeptCallee,
        }
    }
}

/// Which part of a response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its headers.
    Headers,
    /// Its trailers.
    Trailers,
}

/// What is to be done with `server-timing` in the part that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Nothing.
    Leave,
    /// It is to say this.
    Set(Vec<u8>),
    /// It is to be taken away.
    Remove,
}

/// Whether anything could be kept by these rules.
pub(super) fn is_on(keep: &Keep) -> bool {
    (keep.errors || keep.slower_than.is_some()) && keep.spans_per_second > 0.0
}

impl Tracer {
    /// The rules of keeping for this direction; `None` where nothing could be kept.
    fn keep(&self, direction: Direction) -> Option<Keep> {
        let keep = match (&self.edge_keep, direction) {
            (Some(keep), Direction::Edge) => keep,
            _ => self.keep.as_ref()?,
        };
        Some(*keep).filter(is_on)
    }

    /// Holds the spans of a request that was not sampled. At an edge the context that goes on becomes the CLIENT span's.
    pub fn hold(
        &self,
        course: &mut Course<'_>,
        direction: impl FnOnce() -> Direction,
        headers: &RequestHeaders<'_>,
        now: impl FnOnce() -> Nanos,
        state: &mut State<impl Entropy>,
    ) -> Option<Held> {
        let decision = course
            .decision
            .filter(|decision| self.keeps_any && decision.verdict == Verdict::Drop)?;
        let direction = direction();
        let keep = self.keep(direction)?;
        let mut context = course.context?;
        let side = |span_id| {
            Some(Side {
                span_id,
                fate: Fate::Open,
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
                course.context = Some(context);
                course.seal(headers, &mut state.stats);
                (side(own), side(client))
            }
        };
        let content_type = headers.first(Name::ContentType);
        Some(Held {
            context,
            parent_span_id: course.parent_span_id,
            link: course.link,
            trace_state: course.tracestate.as_bytes().to_vec(),
            reason: decision.reason,
            randomness: course.randomness,
            keep,
            is_rpc: content_type.is_some_and(grpc::is_grpc),
            start: keep.slower_than.map_or(Nanos(0), |_| now()),
            server,
            client,
        })
    }

    /// Listens to a part of the response, and says what the caller is to be told in it.
    pub fn hear_held<E>(
        &self,
        held: &mut Held,
        part: Part,
        exchange: &impl Exchange,
        notes: &mut impl Notes,
        now: impl Fn() -> Nanos,
        state: &mut State<E>,
    ) -> Word {
        let line = |name: &str| match part {
            Part::Headers => exchange.response_header(name),
            Part::Trailers => exchange.response_trailer(name),
        };
        let is_edge = held.server.is_some() && held.client.is_some();
        let strips = is_edge || !held.keep.tell;
        if part == Part::Trailers && !held.is_rpc {
            return Word::Leave;
        }
        let status = match part {
            Part::Headers => exchange.response_header(":status"),
            Part::Trailers => None,
        };
        let grpc_status = held.is_rpc.then(|| line("grpc-status")).flatten();
        let is_failure = match (&grpc_status, &status) {
            (Some(digits), _) => grpc::is_servers_failure(digits),
            (None, Some(status)) => matches!(status.as_slice(), [b'5', _, _]),
            (None, None) => false,
        };
        // The status of a call is at its end; what comes before it says nothing of how it will be.
        let is_verdict =
            !held.is_rpc || grpc_status.is_some() || is_failure || part == Part::Trailers;
        if !is_verdict && !strips {
            return Word::Leave;
        }
        let said = (held.client.is_some() || strips)
            .then(|| line(server_timing::NAME))
            .flatten();
        if is_verdict {
            let own = held.own_cause(is_failure, &now);
            self.judge(held, own, said.as_deref(), notes, &now, state);
        }
        held.word(said, strips, line)
    }

    /// Settles at the end what was held, and says whether any span of it is kept.
    pub fn settle_held<E>(
        &self,
        held: &mut Held,
        exchange: &impl Exchange,
        notes: &mut impl Notes,
        now: impl Fn() -> Nanos,
        state: &mut State<E>,
    ) -> bool {
        let late = held.late_cause(exchange);
        if late.is_some() {
            self.judge(held, late, None, notes, &now, state);
        }
        let sides = [held.server, held.client];
        let of = |fate: fn(Fate) -> bool| {
            let sides = sides.iter().flatten();
            sides.filter(|side| fate(side.fate)).count()
        };
        let lost = of(|fate| fate == Fate::TooMany);
        state.stats.add_many(Counter::SpansFinished, lost);
        state.stats.add_many(Counter::SpansDroppedRate, lost);
        of(|fate| matches!(fate, Fate::Kept(_))) > 0
    }

    /// Makes the spans that are kept. The headers are the request's, as they are when it is logged.
    pub fn finish_held<'h>(
        &self,
        held: Held,
        headers: RequestHeaders<'h>,
        all: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        exchange: &impl Exchange,
        now: Nanos,
        stats: &mut Stats,
    ) -> impl Iterator<Item = Span> {
        let headers = as_received(headers, all.clone());
        let subject = self.descriptions.subject(&headers);
        let above = held.server.map(|side| side.span_id);
        let of_server = (Parent::Caller, held.parent_span_id);
        let of_client = match above {
            Some(above) => (Parent::Here, Some(above)),
            None => of_server,
        };
        let mut open = |kind, side, (parent, parent_span_id)| {
            let (side, cause) = kept(side)?;
            stats.add(cause.counter());
            let reason = held.reason;
            let all = all.clone();
            let mut attributes = self
                .descriptions
                .begin(kind, &subject, &headers, all, reason);
            attributes.text("sidespan.kept", cause.name().as_bytes());
            Some(Open {
                kind,
                span_id: side.span_id,
                parent_span_id,
                parent,
                attributes,
            })
        };
        let server = open(SpanKind::Server, held.server, of_server);
        let client = open(SpanKind::Client, held.client, of_client);
        let active = match (server, client) {
            (Some(first), second) => Some((first, second)),
            (None, Some(first)) => Some((first, None)),
            (None, None) => None,
        };
        let active = active.map(|(first, second)| Active {
            context: held.context,
            link: held.link,
            trace_state: held.trace_state,
            subject,
            // Where no time was asked for, the proxy's own is there.
            start: if held.start > Nanos(0) {
                held.start
            } else {
                now
            },
            first,
            second,
            response: None,
        });
        active
            .into_iter()
            .flat_map(move |active| active.finish(&self.descriptions, exchange, now))
    }

    /// Decides on both sides, from what the exchange itself says, what the callee says and what was noted.
    fn judge<E>(
        &self,
        held: &mut Held,
        own: Option<Cause>,
        said: Option<&[u8]>,
        notes: &mut impl Notes,
        now: &impl Fn() -> Nanos,
        state: &mut State<E>,
    ) {
        let trace_id = held.context.trace_id;
        let is_told = said.is_some_and(|said| server_timing::says_kept(said, trace_id));
        let mut of_client = false;
        let budgets = match (held.server, held.client) {
            (Some(_), Some(_)) => &mut state.limits.kept_at_edge,
            _ => &mut state.limits.kept,
        };
        if let Some(side) = &mut held.client {
            let cause = own.or(is_told.then_some(Cause::Callee));
            let [_, budget] = budgets;
            let was_open = side.fate == Fate::Open;
            side.settle(cause, held.randomness, || budget.share(now()));
            of_client = matches!(side.fate, Fate::Kept(_));
            // The other side of the pod is another stream, unless this is an edge.
            if was_open && of_client && held.server.is_none() {
                notes::note(notes, trace_id, now());
            }
        }
        let has_client = held.client.is_some();
        if let Some(side) = &mut held.server {
            if side.fate != Fate::Open {
                return;
            }
            let mut is_noted = || match has_client {
                true => of_client,
                false => notes::is_noted(notes, trace_id, now),
            };
            let cause = own.or_else(|| is_noted().then_some(Cause::Callee));
            let [budget, _] = budgets;
            side.settle(cause, held.randomness, || budget.share(now()));
        }
    }
}

impl Held {
    /// What the part that has come says by itself.
    fn own_cause(&self, is_failure: bool, now: &impl Fn() -> Nanos) -> Option<Cause> {
        if is_failure && self.keep.errors {
            return Some(Cause::Error);
        }
        let limit = self.keep.slower_than?;
        now().is_past(self.start, limit).then_some(Cause::Slow)
    }

    /// What only the end says: an exchange that broke off, and one that took long as a whole.
    fn late_cause(&self, exchange: &impl Exchange) -> Option<Cause> {
        let is_open = |side: &Option<Side>| side.is_some_and(|side| side.fate == Fate::Open);
        if !is_open(&self.server) && !is_open(&self.client) {
            return None;
        }
        if self.keep.errors {
            let flags = exchange::number(exchange, "response\0flags").unwrap_or(0);
            // A caller that goes away is no failure of what it called.
            let is_broken = flags & DOWNSTREAM_GONE == 0
                && envoy_flags::broken_by(flags & !told(flags, exchange)).is_some();
            if is_broken {
                return Some(Cause::Error);
            }
        }
        let limit = u64::try_from(self.keep.slower_than?.as_nanos()).unwrap_or(u64::MAX);
        let duration = exchange::number(exchange, "request\0duration")?;
        (duration >= limit).then_some(Cause::Slow)
    }

    /// What the caller is to be told, or is not to hear of a callee.
    fn word(
        &self,
        said: Option<Vec<u8>>,
        strips: bool,
        line: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Word {
        if strips {
            return match said {
                Some(said) if server_timing::has_word(&said) => {
                    match server_timing::without_words(&said) {
                        rest if rest.is_empty() => Word::Remove,
                        rest => Word::Set(rest),
                    }
                }
                _ => Word::Leave,
            };
        }
        match self.server {
            Some(Side {
                span_id,
                fate: Fate::Kept(_),
            }) => {
                let said = said.or_else(|| line(server_timing::NAME));
                let trace_id = self.context.trace_id;
                Word::Set(server_timing::with_word(trace_id, span_id, said.as_deref()))
            }
            _ => Word::Leave,
        }
    }
}

impl Side {
    /// Keeps it if there is a cause and room; once that is settled it stays so.
    fn settle(&mut self, cause: Option<Cause>, randomness: u64, share: impl FnOnce() -> f64) {
        let (Some(cause), Fate::Open) = (cause, self.fate) else {
            return;
        };
        let threshold = Threshold::ALL.tightened(share());
        self.fate = match threshold.keeps(randomness) {
            true => Fate::Kept(cause),
            false => Fate::TooMany,
        };
    }
}

fn kept(side: Option<Side>) -> Option<(Side, Cause)> {
    let side = side?;
    match side.fate {
        Fate::Kept(cause) => Some((side, cause)),
        Fate::Open | Fate::TooMany => None,
    }
}

/// The request as it came: a route may have changed its path and its authority on the way upstream, and Envoy then notes
/// what they were.
fn as_received<'h>(
    headers: RequestHeaders<'h>,
    all: impl Iterator<Item = (&'h [u8], &'h [u8])>,
) -> RequestHeaders<'h> {
    all.fold(headers, |headers, (name, value)| match name {
        b"x-envoy-original-path" => headers.replaced(Name::Path, value),
        b"x-envoy-original-host" => headers.replaced(Name::Authority, value),
        _ => headers,
    })
}

/// The flags that the status tells of by itself; it is asked for only where there are any.
fn told(flags: u64, exchange: &impl Exchange) -> u64 {
    if flags == 0 {
        return 0;
    }
    let status = exchange
        .response_header(":status")
        .and_then(|digits| core::str::from_utf8(&digits).ok()?.parse().ok());
    status.map_or(0, envoy_flags::told_by)
}

impl Course<'_> {
    /// Whether spans may still be kept although they were not sampled.
    pub fn is_held(&self) -> bool {
        self.decision
            .is_some_and(|decision: Decision| decision.verdict == Verdict::Drop)
    }
}

#[cfg(test)]
mod tests;
