//! The search for the call that the top of a trace belongs to.
//!
//! Evidence is taken in the order of its strength: ids first, then a call without anything below it that lasted as long and
//! names the service, in the same trace and then in others, then the services themselves.

use super::finding::{Cause, Hop};
use super::neighbours::{End, Member, Neighbours, holds};
use super::shape::hop;
use super::span_facts::{
    Tracer, callee, host, is_called, is_caller, is_kept, is_same_request, is_surely_same_request,
    label, may_be_rewritten, own_decision, service, shown_service, text,
};
use super::trace_index::{Top, TraceIndex};
use crate::store::{Link, StoredSpan};

/// A top whose caller is found, or at least the reason for which it is missing.
#[derive(Clone, Debug)]
pub(super) struct Broken<'a> {
    pub(super) hop: Option<Hop>,
    pub(super) cause: Cause,
    pub(super) sight: Sight,
    pub(super) caller: Option<Member<'a>>,
    pub(super) top: Member<'a>,
    pub(super) kind: Top,
}

/// The evidence for a broken hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The parent is a span of another trace.
    ParentElsewhere,
    /// A link leads to a context that came in another format.
    TwoContexts,
    /// The trace id is the lower half of another's.
    LowHalf,
    /// The call has nothing below it, and the callee began during it.
    UnansweredCall,
    /// A service called another during a request, in another trace.
    ForgotContext,
    /// Two tracers of one service do not know of each other.
    TwoTracers,
    /// A service between the two has no span.
    SilentService(String),
    /// The service that called has a span for its request, and none for its call.
    NoCallSpan,
    /// The span was exported although its trace is not sampled.
    Unsampled,
}

/// Returns what a top of a trace hangs below in truth; `None` where nothing tells, and for the first root of a trace that
/// nobody seems to have called.
pub(super) fn explain<'a>(
    neighbours: &Neighbours<'a>,
    trace: &TraceIndex<'a>,
    span: &'a StoredSpan,
    kind: Top,
) -> Option<Broken<'a>> {
    let top = Member {
        trace: trace.id,
        span,
    };
    let search = Search {
        neighbours,
        trace,
        top,
        kind,
    };
    let is_first = kind == Top::Root(false);
    search
        .by_ids()
        .or_else(|| (!is_first).then(|| search.within()).flatten())
        .or_else(|| search.across())
        .or_else(|| search.unsampled())
}

struct Search<'s, 'a> {
    neighbours: &'s Neighbours<'a>,
    trace: &'s TraceIndex<'a>,
    top: Member<'a>,
    kind: Top,
}

impl<'a> Search<'_, 'a> {
    fn broken(&self, caller: Member<'a>, cause: Cause, sight: Sight) -> Broken<'a> {
        let mut hop = hop(caller.span, self.top.span);
        // Inside of one service, the call that is lost is the one that it makes.
        if hop.from == hop.to
            && is_caller(self.top.span)
            && let Some(to) = self.callee_of_top()
        {
            hop.to = to;
        }
        Broken {
            hop: Some(hop),
            cause,
            sight,
            caller: Some(caller),
            top: self.top,
            kind: self.kind,
        }
    }

    /// Returns the service that a top calls: its child's, or else the name that it says.
    fn callee_of_top(&self) -> Option<String> {
        let span = self.top.span;
        let mut children = self.trace.children(span);
        let child = children.find(|child| child.service() != span.service());
        let name = child.and_then(service);
        name.or_else(|| callee(span).map(label)).map(str::to_owned)
    }

    fn by_ids(&self) -> Option<Broken<'a>> {
        let Member { trace, span } = self.top;
        let parent = span
            .parent_span_id
            .as_deref()
            .filter(|_| self.kind == Top::Orphan);
        if let Some(caller) = parent.and_then(|id| self.neighbours.elsewhere(id, trace)) {
            let cause = match caller.trace.get(16..) == trace.get(16..) {
                true => Cause::TraceIdCut,
                false => Cause::ContextRewritten,
            };
            return Some(self.broken(caller, cause, Sight::ParentElsewhere));
        }
        let conflicts = span.links.iter().filter(|link| is_conflict(link));
        let linked = conflicts
            .filter_map(|link| self.neighbours.elsewhere(&link.span_id, trace))
            .next();
        if let Some(caller) = linked {
            return Some(self.broken(caller, Cause::ContextRewritten, Sight::TwoContexts));
        }
        if trace.starts_with(&"0".repeat(16)) {
            for whole in self.neighbours.with_low_half(trace) {
                let caller = self.call_of_service(|end| end.trace == whole);
                if let Some(caller) = caller {
                    return Some(self.broken(caller, Cause::TraceIdCut, Sight::LowHalf));
                }
            }
        }
        None
    }

    /// Returns the call that names the service of the top, or at least its request.
    fn call_of_service(&self, wanted: impl Fn(&Member<'a>) -> bool) -> Option<Member<'a>> {
        let span = self.top.span;
        let own = label(service(span)?);
        if is_caller(span) {
            return None;
        }
        // What was not kept below a kept call is missing by design.
        let wanted = |end: &Member<'a>| wanted(end) && (is_kept(span) || !is_kept(end.span));
        let named = End::CallOf(own);
        let alike = |end: &Member<'a>| wanted(end) && is_same_request(end.span, span);
        let rewritten = |end: &Member<'a>| wanted(end) && may_be_rewritten(end.span, span);
        // A service may be called by an address, or by a name that is nobody's.
        let nameless = |end: &Member<'a>| {
            wanted(end)
                && is_surely_same_request(end.span, span)
                && !callee(end.span).is_some_and(|name| self.neighbours.knows(name))
        };
        // A gateway that hands a request on has a name of its own, and is asked by the name of what stands behind it.
        let handed_on = |end: &Member<'a>| {
            let asked = host(span).is_some() && host(span) == host(end.span);
            asked && wanted(end) && is_surely_same_request(end.span, span)
        };
        let first = self.neighbours.tightest(named, span, alike);
        first
            .or_else(|| self.neighbours.tightest(named, span, rewritten))
            .or_else(|| self.neighbours.tightest(End::Call, span, handed_on))
            .or_else(|| self.neighbours.tightest(End::Call, span, nameless))
    }

    /// Returns an end that the other tracer of the same service left.
    fn other_tracer(&self, wanted: impl Fn(&Member<'a>) -> bool) -> Option<Member<'a>> {
        let span = self.top.span;
        let own = label(service(span)?);
        let end = match is_caller(span) {
            true => End::CallBy(own),
            false => End::IdleRequestTo(own),
        };
        let differs = |end: &Member<'a>| end.span.scope.name != span.scope.name && wanted(end);
        self.neighbours.tightest(end, span, differs)
    }

    /// Returns the request to the service of the top during which it made its call.
    fn own_request(&self, wanted: impl Fn(&Member<'a>) -> bool) -> Option<Member<'a>> {
        let span = self.top.span;
        let own = label(service(span).filter(|_| is_caller(span))?);
        // One during which nothing else was called is the likelier.
        let idle = self
            .neighbours
            .tightest(End::IdleRequestTo(own), span, &wanted);
        idle.or_else(|| {
            self.neighbours
                .tightest(End::BusyRequestTo(own), span, &wanted)
        })
    }

    fn within(&self) -> Option<Broken<'a>> {
        let here = |end: &Member<'a>| end.trace == self.top.trace;
        let span = self.top.span;
        let is_unsampled = is_kept(span) || own_decision(span).is_some();
        let lost = match is_unsampled {
            true => Cause::SampledHereNotThere,
            false => Cause::NotExported,
        };
        if let Some(caller) = self.call_of_service(here) {
            return Some(self.broken(caller, Cause::ContextRewritten, Sight::UnansweredCall));
        }
        if let Some(caller) = self.other_tracer(here) {
            return Some(self.broken(caller, Cause::ContextRewritten, Sight::TwoTracers));
        }
        if let Some((caller, name)) = self.silent_service() {
            let mut broken = self.broken(caller, lost, Sight::SilentService(name.clone()));
            if let Some(hop) = &mut broken.hop {
                hop.to = name;
            }
            return Some(broken);
        }
        let request = self.own_request(here).or_else(|| self.request_around());
        let request = request.filter(|_| self.kind == Top::Orphan)?;
        Some(self.broken(request, lost, Sight::NoCallSpan))
    }

    /// Returns the tightest call here of a service that has no span in this trace, and its name.
    fn silent_service(&self) -> Option<(Member<'a>, String)> {
        let here = |name: &str| {
            let mut names = self.trace.spans.iter().filter_map(|span| service(span));
            names.any(|known| label(known) == label(name))
        };
        self.around(|span| is_caller(span) && self.trace.is_leaf(span))
            .filter_map(|member| Some((member, callee(member.span)?)))
            .filter(|(_, name)| !here(name))
            .min_by_key(|(member, _)| member.span.duration_nanos())
            .map(|(member, name)| (member, label(name).to_owned()))
    }

    /// Returns the tightest request here, of another service, that no call was made for.
    fn request_around(&self) -> Option<Member<'a>> {
        let no_call =
            |span: &StoredSpan| is_called(span) && !self.trace.children(span).any(is_caller);
        self.around(no_call)
            .filter(|member| member.span.service() != self.top.span.service())
            .min_by_key(|member| member.span.duration_nanos())
    }

    /// Returns the spans of this trace that last longer than the top, and are not below it.
    fn around(&self, wanted: impl Fn(&StoredSpan) -> bool) -> impl Iterator<Item = Member<'a>> {
        let top = self.top;
        self.trace
            .spans
            .iter()
            .copied()
            .filter(move |span| holds(span, top.span) && wanted(span))
            .filter(move |span| !self.is_below(span))
            .map(move |span| Member { span, ..top })
    }

    fn is_below(&self, span: &StoredSpan) -> bool {
        let mut above = self.trace.parent(span);
        // As far as traces are deep; a circle ends nowhere.
        for _ in 0..DEEPEST {
            match above {
                Some(it) if std::ptr::eq(it, self.top.span) => return true,
                Some(it) => above = self.trace.parent(it),
                None => return false,
            }
        }
        true
    }

    fn across(&self) -> Option<Broken<'a>> {
        let span = self.top.span;
        let linked = |trace: &str| span.links.iter().any(|link| link.trace_id == trace);
        let elsewhere = |end: &Member<'a>| end.trace != self.top.trace && !linked(end.trace);
        if let Some(caller) = self.call_of_service(elsewhere) {
            let cause = match self.kind {
                Top::Orphan => Cause::ContextRewritten,
                Top::Root(_) if is_one_format_each(caller.span, span) => Cause::FormatNotForwarded,
                Top::Root(_) => Cause::HeaderStripped,
            };
            return Some(self.broken(caller, cause, Sight::UnansweredCall));
        }
        let cause = match self.kind {
            Top::Orphan => Cause::ContextRewritten,
            Top::Root(_) => Cause::FormatNotForwarded,
        };
        if let Some(caller) = self.other_tracer(elsewhere) {
            return Some(self.broken(caller, cause, Sight::TwoTracers));
        }
        let request = self.own_request(elsewhere)?;
        Some(self.broken(request, cause, Sight::ForgotContext))
    }

    fn unsampled(&self) -> Option<Broken<'a>> {
        let span = self.top.span;
        let is_unsampled = is_kept(span) || own_decision(span).is_some();
        (self.kind == Top::Orphan && is_unsampled).then_some(Broken {
            hop: None,
            cause: Cause::SampledHereNotThere,
            sight: Sight::Unsampled,
            caller: None,
            top: self.top,
            kind: self.kind,
        })
    }
}

/// Returns true if what one tracer writes the other does not read.
fn is_one_format_each(caller: &StoredSpan, called: &StoredSpan) -> bool {
    let (writer, reader) = (Tracer::of(caller), Tracer::of(called));
    let is_b3 = |tracer| tracer == Tracer::EnvoyB3;
    let is_w3c = |tracer| matches!(tracer, Tracer::EnvoyW3c | Tracer::Other);
    is_b3(writer) && is_w3c(reader) || is_w3c(writer) && is_b3(reader)
}

/// Returns true if a link leads to a context that was received in another format and not taken.
pub(super) fn is_conflict(link: &Link) -> bool {
    link.attributes
        .iter()
        .any(|it| it.key == "link.reason" && it.value.as_str() == Some("conflicting_format"))
}

/// Returns the place of a span in words.
pub(super) fn title(span: &StoredSpan) -> String {
    let name = match text(span, &["url.path"]) {
        Some(path) if !span.name.contains(path) => format!("{} ({path})", span.name),
        _ => span.name.clone(),
    };
    format!("{} {} {name}", shown_service(span), span.kind)
}

const DEEPEST: usize = 10_000;
