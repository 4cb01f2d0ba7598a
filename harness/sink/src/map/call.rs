//! The calls of a trace: the requests that its visits send, each once.
//!
//! An outgoing span below another of the same visit is the same request, seen by the sidecar or by a library below; the
//! uppermost tells how it went. Below one outgoing span can be several requests: tries, which are one call, or calls that a
//! library has put together, which are counted each. Tries are known by `http.request.resend_count`, or by this: all went to
//! one service, and each but the last failed.
//!
//! A message is told by its receiver, because the sender does not wait: each CONSUMER below a PRODUCER is a call.

use super::alias::Aliases;
use super::fact::{Fact, Name, Side};
use super::family::Parent;
use super::peer::PeerKind;
use super::visit::Visits;

/// The sender of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// A service.
    Service(Name),
    /// A queue, whose sender is not in the trace.
    Queue(Name),
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) from: Sender,
    /// The service that received it; `None` if no span of it is here.
    pub(super) to: Option<Name>,
    /// The names by which its spans call the receiver.
    pub(super) names: Vec<(PeerKind, Name)>,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) is_error: bool,
    pub(super) weight: f64,
    pub(super) tries: u64,
    /// True for a message that was received.
    is_delivery: bool,
    resends: u64,
    /// The id of the span above, which tries have in common.
    above: Option<u64>,
}

impl Call {
    fn of(span: &Fact, from: Name, to: Option<Name>) -> Self {
        Self {
            from: Sender::Service(from),
            to,
            names: span.peer.into_iter().collect(),
            start: span.start,
            end: span.end,
            is_error: span.is_error,
            weight: span.weight,
            tries: 1,
            is_delivery: false,
            resends: span.resends,
            above: span.parent,
        }
    }

    fn delivery(top: &Fact, from: Sender, to: Name) -> Self {
        Self {
            from,
            is_delivery: true,
            names: Vec::new(),
            ..Self::of(top, 0, Some(to))
        }
    }

    /// Returns the duration, in nanoseconds; 0 when the end is before the start.
    pub(super) fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Lets the span above a call tell how it went.
    fn seen_by(mut self, span: &Fact) -> Self {
        (self.start, self.end) = (span.start, span.end);
        (self.is_error, self.weight) = (span.is_error, span.weight);
        (self.resends, self.above) = (span.resends, span.parent);
        self.names.extend(span.peer);
        self
    }

    /// Adds a later try.
    fn retried(&mut self, later: Self) {
        self.end = self.end.max(later.end);
        self.is_error = later.is_error;
        self.weight = self.weight.max(later.weight);
        self.tries += later.tries;
        self.resends = later.resends;
        self.to = self.to.or(later.to);
        self.names.extend(later.names);
    }

    fn may_be_retried_by(&self, later: &Self) -> bool {
        let is_one_place = match (self.to, later.to) {
            (Some(own), Some(other)) => own == other,
            (None, None) => {
                let shared = |name| later.names.contains(name);
                self.names.is_empty() || later.names.is_empty() || self.names.iter().any(shared)
            }
            // A try that arrived nowhere does not tell the service's name.
            _ => true,
        };
        let is_next = self.resends.checked_add(1) == Some(later.resends);
        is_next && is_one_place && self.above.is_some() && self.above == later.above
    }
}

/// Returns the calls of a trace.
pub(super) fn calls(trace: &Visits, aliases: &Aliases) -> Vec<Call> {
    let mut calls = Vec::new();
    let under = Under::of(trace, aliases, &mut calls);
    let mut settled: Vec<Vec<Call>> = vec![Vec::new(); trace.spans.len()];
    let mut outermost = Vec::new();
    for index in trace.order.iter().rev() {
        let Some(span) = trace.spans.get(*index) else {
            continue;
        };
        if span.side != Side::Outgoing {
            continue;
        }
        let inner = settled
            .get_mut(*index)
            .map(std::mem::take)
            .unwrap_or_default();
        let arrived = under.arrived.get(*index).map_or(&[][..], Vec::as_slice);
        let from = under.service(*index);
        let own = settle(span, from, fold(inner), arrived);
        match under.carrier.get(*index).copied().flatten() {
            Some(above) => settled.get_mut(above).map_or((), |calls| calls.extend(own)),
            None => outermost.extend(own),
        }
    }
    calls.extend(fold(outermost));
    calls
}

/// The relations of the outgoing spans of a trace.
struct Under<'a> {
    trace: &'a Visits,
    aliases: &'a Aliases,
    /// For each span the next outgoing span above it in its visit.
    carrier: Vec<Option<usize>>,
    /// For each outgoing span the tops of the visits that it led to, and their services.
    arrived: Vec<Vec<(&'a Fact, Name)>>,
}

impl<'a> Under<'a> {
    /// Finds the relations, and adds the calls that no outgoing span tells of.
    fn of(trace: &'a Visits, aliases: &'a Aliases, calls: &mut Vec<Call>) -> Self {
        let mut under = Self {
            trace,
            aliases,
            carrier: vec![None; trace.spans.len()],
            arrived: vec![Vec::new(); trace.spans.len()],
        };
        for index in &trace.order {
            if let Some(Parent::At(parent)) = trace.parents.get(*index)
                && trace.of.get(*parent) == trace.of.get(*index)
                && let Some(carrier) = under.carrier_of_child(*parent)
                && let Some(own) = under.carrier.get_mut(*index)
            {
                *own = Some(carrier);
            }
        }
        for visit in &trace.visits {
            let Some(top) = trace.spans.get(visit.top) else {
                continue;
            };
            let service = visit.service(|name| aliases.of(name));
            match (visit.caller, top.peer) {
                (Some(caller), _) => match under.carrier_of_child(caller) {
                    Some(carrier) => {
                        if let Some(arrived) = under.arrived.get_mut(carrier) {
                            arrived.push((top, service));
                        }
                    }
                    None => {
                        let from = Sender::Service(under.service(caller));
                        calls.push(Call::delivery(top, from, service));
                    }
                },
                (None, Some((PeerKind::Queue, queue))) if top.side == Side::Incoming => {
                    calls.push(Call::delivery(top, Sender::Queue(queue), service));
                }
                _ => {}
            }
        }
        under
    }

    /// Returns the outgoing span that the children of a span are carried by: itself, or one above it in its visit.
    fn carrier_of_child(&self, parent: usize) -> Option<usize> {
        match self.trace.spans.get(parent)?.side {
            Side::Outgoing => Some(parent),
            _ => self.carrier.get(parent).copied().flatten(),
        }
    }

    fn service(&self, span: usize) -> Name {
        let visit = self
            .trace
            .of
            .get(span)
            .and_then(|of| self.trace.visits.get(*of));
        visit.map_or(0, |visit| visit.service(|name| self.aliases.of(name)))
    }
}

/// Returns the calls that an outgoing span stands for, by those inside of it and the visits that it led to.
fn settle(span: &Fact, from: Name, mut inner: Vec<Call>, arrived: &[(&Fact, Name)]) -> Vec<Call> {
    let mut seen = span.clone();
    if !arrived.is_empty() {
        // A span inside that led nowhere saw the same request, whose header it left as it was.
        inner.retain(|call| call.to.is_some());
    }
    for (top, service) in arrived {
        if span.is_message || top.is_message {
            inner.push(Call::delivery(top, Sender::Service(from), *service));
            continue;
        }
        let same = |call: &&mut Call| !call.is_delivery && call.to == Some(*service);
        match inner.iter_mut().find(same) {
            // One span is one request; what arrived twice was tried twice by whoever is in between.
            Some(call) => call.tries += 1,
            None => inner.push(Call::of(span, from, Some(*service))),
        }
    }
    let is_one = inner.len() == 1 || are_tries(&inner);
    if inner.is_empty() {
        let mut call = Call::of(span, from, None);
        call.tries = 1;
        return vec![call];
    }
    if !is_one || inner.iter().any(|call| call.is_delivery) {
        return inner;
    }
    let mut inner = inner.into_iter();
    let mut call = match inner.next() {
        Some(call) => call,
        None => return Vec::new(),
    };
    inner.for_each(|later| call.retried(later));
    // The span's own name for the receiver was taken with its own call.
    seen.peer = seen.peer.filter(|peer| !call.names.contains(peer));
    vec![call.seen_by(&seen)]
}

/// Returns true if calls, in the order of their start, are the tries of one.
fn are_tries(calls: &[Call]) -> bool {
    let is_one_place = calls.windows(2).all(|pair| match pair {
        [a, b] => a.to == b.to && (a.to.is_some() || a.names == b.names),
        _ => false,
    });
    let (last, before) = match calls.split_last() {
        Some(parts) => parts,
        None => return false,
    };
    is_one_place
        && calls.iter().all(|call| !call.is_delivery)
        && (before.iter().all(|call| call.is_error)
            || before
                .iter()
                .skip(1)
                .chain([last])
                .all(|call| call.resends > 0))
}

/// Makes one call of tries that stand side by side, and puts the calls into the order of their start.
fn fold(mut calls: Vec<Call>) -> Vec<Call> {
    calls.sort_by_key(|call| call.start);
    let mut folded: Vec<Call> = Vec::with_capacity(calls.len());
    for mut call in calls {
        let before = match call.resends {
            0 => None,
            _ => folded
                .iter_mut()
                .rev()
                .find(|before| before.may_be_retried_by(&call)),
        };
        match before {
            Some(before) => before.retried(call),
            None => {
                // Tries that Envoy makes are one span, which counts them.
                call.tries = call.tries.max(call.resends.saturating_add(1));
                folded.push(call);
            }
        }
    }
    folded
}
