//! The words for a broken hop: what was seen, the most likely reason, and what to do.

use super::broken_hop::{Broken, Sight, title};
use super::finding::{Cause, Finding, FindingKind, Severity};
use super::shape::place;
use super::span_facts::{Tracer, own_decision, shown_service, text};
use super::trace_index::Top;

/// Returns the finding of a broken hop.
pub(super) fn finding(broken: &Broken<'_>) -> Finding {
    let caller = broken.caller.map(|caller| caller.span.span_id.clone());
    let top = broken.top.span.span_id.clone();
    Finding {
        kind: match broken.hop {
            Some(_) => FindingKind::BrokenHop,
            None => FindingKind::MissingParent,
        },
        severity: Severity::Error,
        hop: broken.hop.clone(),
        cause: Some(broken.cause),
        span_ids: caller.into_iter().chain([top]).collect(),
        other_trace_id: None,
        message: place(broken.hop.as_ref()) + &sight(broken),
        cure: cure(broken),
    }
}

fn sight(broken: &Broken<'_>) -> String {
    let (from, to) = names(broken);
    let top = broken.top;
    let parent = top.span.parent_span_id.as_deref().unwrap_or("none");
    let caller = broken.caller;
    let caller_trace = caller.map_or("", |caller| caller.trace);
    let began = match (broken.kind, caller_trace == top.trace) {
        (Top::Orphan, true) => format!("{to} began below span {parent}, which never came"),
        (Top::Orphan, false) => {
            format!(
                "{to} began trace {} below span {parent}, which never came",
                top.trace
            )
        }
        (Top::Root(_), true) => format!("{to} began in the same trace without a parent"),
        (Top::Root(_), false) => format!("{to} began a new trace, {}", top.trace),
    };
    let decided = match own_decision(top.span) {
        Some(reason) => {
            format!(" and decided by itself whether to sample it (sidespan.decision={reason})")
        }
        None => String::new(),
    };
    match &broken.sight {
        Sight::ParentElsewhere if broken.cause == Cause::TraceIdCut => format!(
            "the trace id lost half of its bits: {to} goes on in trace {} below span {parent}, which {from} made in trace {caller_trace}; something between them keeps ids of 64 bits",
            top.trace
        ),
        Sight::LowHalf => format!(
            "the trace id lost its upper 64 bits: {to} began trace {} during a call of {from} in trace {caller_trace}, whose lower half is the same; something between them keeps ids of 64 bits",
            top.trace
        ),
        Sight::ParentElsewhere => format!(
            "{to} goes on in trace {} below span {parent}, which {from} made in trace {caller_trace}: something between them replaced the trace id and left the parent's",
            top.trace
        ),
        Sight::TwoContexts => format!(
            "{to} received two contexts: it went on with trace {}, and another format had the one of {from} in trace {caller_trace} (link.reason=conflicting_format); a tracer between them rewrote one format and left the other as it was",
            top.trace
        ),
        Sight::UnansweredCall => {
            let call = caller.map_or(String::new(), |caller| title(caller.span));
            let why = match (broken.cause, broken.kind) {
                (Cause::FormatNotForwarded, _) => formats(broken),
                (Cause::HeaderStripped, _) => format!(
                    ": the headers that {} wrote for {from} were gone when the request arrived, as a gateway's request_headers_to_remove or a service without tracing between them leaves it",
                    caller.map_or("a tracer", |caller| Tracer::of(caller.span).name())
                ),
                (_, Top::Root(_)) => ": the trace id arrived and the parent's id did not, as with X-Amzn-Trace-Id without Parent".into(),
                _ => ": something between them put a context of its own in place, as a proxy does whose tracer sends its spans elsewhere, or a filter that writes headers".into(),
            };
            format!("the call ({call}) has nothing below it, and during it {began}{decided}{why}")
        }
        Sight::ForgotContext => format!(
            "{from} had a context with its own request, and called {to} without it: the call begins trace {} during that request, which is in trace {caller_trace}; the application hands on no header of a format that it was given",
            top.trace
        ),
        Sight::TwoTracers => format!(
            "two tracers see the same request of {} and do not know of each other ({} and {}): the second began{}{decided}; it does not read the format that the first writes",
            shown_service(top.span),
            caller.map_or("", |caller| Tracer::of(caller.span).name()),
            Tracer::of(top.span).name(),
            match caller_trace == top.trace {
                true => " below a span that is not here".into(),
                false => format!(" trace {}", top.trace),
            },
        ),
        Sight::SilentService(name) => {
            let after = shown_service(top.span);
            let why = match own_decision(top.span) {
                Some(reason) => format!(
                    "{after} took its own decision (sidespan.decision={reason}) instead of the received one, so {name} was not sampled where {from} and {after} were"
                ),
                None if broken.cause == Cause::SampledHereNotThere => format!(
                    "the span of {after} was kept although its trace is not sampled, and those of {name} were not"
                ),
                None => format!(
                    "{name} handed on the context, and its own spans were dropped or went elsewhere"
                ),
            };
            format!(
                "{name} has no span here, and {after} hangs below span {parent}, which never came, during the call of {name}: {why}"
            )
        }
        Sight::NoCallSpan => format!(
            "{from} has a span for its request and none for the call that {to} answered: {to} hangs below span {parent}, which never came{}",
            match broken.cause {
                Cause::SampledHereNotThere =>
                    format!("{decided}: the call was not sampled where {to} was"),
                _ => ": it was recorded on the way out of that service and sent elsewhere, or lost"
                    .into(),
            }
        ),
        Sight::Unsampled => format!(
            "{} hangs below span {parent}, which never came: it was {} and its caller's span was not recorded",
            title(top.span),
            match text(top.span, &["sidespan.kept"]) {
                Some(why) =>
                    format!("kept (sidespan.kept={why}) although the trace is not sampled,"),
                None => format!(
                    "sampled here{}",
                    decided.replace(" and decided", ", which decided")
                ),
            }
        ),
    }
}

fn formats(broken: &Broken<'_>) -> String {
    let (from, to) = names(broken);
    let writer = broken
        .caller
        .map_or(Tracer::Other, |caller| Tracer::of(caller.span));
    let reader = Tracer::of(broken.top.span);
    format!(
        ": {from} is traced by {}, {to} by {}, which reads no format that the first writes",
        writer.name(),
        reader.name()
    )
}

fn cure(broken: &Broken<'_>) -> String {
    let (from, to) = names(broken);
    match (&broken.sight, broken.cause) {
        (Sight::ForgotContext, _) => format!(
            "let the application of {from} copy the headers of its request to its calls (traceparent and tracestate, or b3), or name the format that it copies in propagation.inject of its proxy; correlation.requestId helps where it copies x-request-id alone"
        ),
        (Sight::TwoTracers, _) => format!(
            "let the two tracers of {to} share a format: OTEL_PROPAGATORS of the application, propagation.extract and inject of the proxy"
        ),
        (_, Cause::FormatNotForwarded) => format!(
            "let {from} and {to} share a format: put Sidespan's filter in front of both with propagation.inject [tracecontext, b3multi], or set the tracers to one format"
        ),
        (_, Cause::HeaderStripped) => format!(
            "look between {from} and {to} for request_headers_to_remove, allow-lists of headers and services that make a new request; then for a format in propagation.inject of {from} that propagation.extract of {to} lists; trust.context: ignore at {to} does the same on purpose"
        ),
        (Sight::Unsampled, _) => "let the caller keep spans too (sampling.keep, with Sidespan on both sides), or take its decision here (trust.decision: accept)".into(),
        (_, Cause::SampledHereNotThere) => format!(
            "let every service between take the received decision (trust.decision: accept, parent-based samplers), {} and the one behind it as well",
            broken.hop.as_ref().map_or(to, |hop| &hop.to)
        ),
        (_, Cause::TraceIdCut) => format!(
            "let {from} and {to} exchange tracecontext, or B3 with 128 bits (Zipkin: trace_id_128bit); put formats of 64 bits (ottrace, Datadog without _dd.p.tid) last in propagation.extract"
        ),
        (_, Cause::NotExported) => {
            let lost = match &broken.sight {
                Sight::SilentService(name) => name,
                _ => from,
            };
            format!("look at the exporter of {lost}: its endpoint, spans.dropped_* and export.failures of its proxy, its logs; send its spans where the others go")
        }
        _ => format!(
            "look between {from} and {to} for a proxy that traces by itself (Envoy's tracing, also of a gateway) or a filter that writes traceparent or b3, and turn it off or send its spans here"
        ),
    }
}

fn names<'b>(broken: &'b Broken<'_>) -> (&'b str, &'b str) {
    let to = match &broken.hop {
        Some(hop) if !matches!(broken.sight, Sight::SilentService(_)) => hop.to.as_str(),
        _ => shown_service(broken.top.span),
    };
    let from = broken
        .hop
        .as_ref()
        .map_or("its caller", |hop| hop.from.as_str());
    (from, to)
}
