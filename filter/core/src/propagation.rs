//! Headers to context and back: which format is believed, which are written, and that no stale header leaves.
//!
//! Formats are read in the configured order and **the first valid one wins**. A malformed header does not end the
//! search. A decision without ids (`b3: 0`) ranks below any context with ids. On the way out every header of a listed
//! format is written from the one context or removed, so that two formats can never disagree behind this proxy.
//!
//! The facts are kept apart, because one flags byte cannot hold them: the ids, the sampling state with *debug* and
//! *deferred* (B3 has both, W3C Trace Context neither), and the random flag (W3C Trace Context level 2 alone has it).

pub mod b3;
pub mod baggage;
mod context;
pub mod datadog;
pub mod format;
pub mod gcp;
pub mod grpc_trace_bin;
pub mod jaeger;
pub mod ottrace;
pub mod tracestate;
mod value_buffer;
pub mod w3c;
pub mod xray;

use crate::config::{Propagation, Trust};
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::SpanId;
use crate::stats::{Counter, Stats};
pub use context::{Extracted, Refusal, SamplingState, SpanContext};
use format::{Format, FormatSet};
use tracestate::Tracestate;

/// What all formats together say about the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extraction<'a> {
    /// The context of the first valid format.
    pub context: Option<SpanContext>,
    /// A decision without ids; [`SamplingState::Deferred`] when there is none or a context was found.
    pub decision: SamplingState,
    /// The state that travels beside W3C ids, if these told of the same trace.
    pub tracestate: Tracestate<'a>,
    /// The formats that had anything to say, however malformed.
    pub answered: FormatSet,
    /// The formats that told of this trace, and whose other facts may therefore be believed.
    pub agreeing: FormatSet,
    /// The first context of another trace.
    pub conflict: Option<SpanContext>,
}

/// Reads the listed formats in order; every answer is counted.
#[inline]
pub fn extract<'a>(
    formats: &[Format],
    trust: &Trust,
    headers: &RequestHeaders<'a>,
    stats: &mut Stats,
) -> Extraction<'a> {
    let mut found = Extraction {
        context: None,
        decision: SamplingState::Deferred,
        tracestate: Tracestate::Absent,
        answered: FormatSet::default(),
        agreeing: FormatSet::default(),
        conflict: None,
    };
    if !headers.has_any(Format::ALL_NAMES) {
        return found;
    }
    let mut alone = SamplingState::Deferred;
    for format in formats {
        if !headers.has_any(format.names()) {
            continue;
        }
        let answer = read(*format, headers);
        match answer {
            Extracted::Absent => continue,
            Extracted::Context(mut context) => {
                if *format == Format::Jaeger && !trust.jaeger_debug {
                    context.sampling = context.sampling.without_debug();
                }
                stats.add(Counter::valid(*format));
                if *format == Format::Datadog
                    && context.short_trace_id
                    && let Err(refusal) = datadog::left_half(headers)
                {
                    // The right half is a context all the same.
                    stats.add(Counter::refused(refusal));
                }
                found.take(*format, context, headers, stats);
            }
            Extracted::Decision(decision) => {
                stats.add(Counter::valid(*format));
                found.take_decision(decision);
                alone = alone.or(decision);
            }
            Extracted::Malformed { refusal, decision } => {
                stats.add(Counter::malformed(*format));
                stats.add(Counter::refused(refusal));
                found.take_decision(decision);
            }
        }
        found.answered = found.answered.with(*format);
    }
    if let Some(context) = &mut found.context {
        // Ids without a decision beside a decision without ids: neither says anything against the other. What is left of
        // malformed ids may be of another trace.
        context.sampling = context.sampling.or(alone);
        found.decision = SamplingState::Deferred;
    }
    found
}

/// The context that one format tells of, whatever the others say.
#[inline]
pub(crate) fn context_of(format: Format, headers: &RequestHeaders<'_>) -> Option<SpanContext> {
    match read(format, headers) {
        Extracted::Context(context) => Some(context),
        _ => None,
    }
}

#[inline]
pub(crate) fn read(format: Format, headers: &RequestHeaders<'_>) -> Extracted {
    match format {
        Format::TraceContext => w3c::extract(headers),
        Format::B3 => b3::extract_single(headers),
        Format::B3Multi => b3::extract_multi(headers),
        Format::Jaeger => jaeger::extract(headers),
        Format::XRay => xray::extract(headers),
        Format::Datadog => datadog::extract(headers),
        Format::GrpcTraceBin => grpc_trace_bin::extract(headers),
        Format::OtTrace => ottrace::extract(headers),
        Format::Gcp => gcp::extract(headers),
    }
}

impl<'a> Extraction<'a> {
    #[inline]
    fn take(
        &mut self,
        format: Format,
        context: SpanContext,
        headers: &RequestHeaders<'a>,
        stats: &mut Stats,
    ) {
        match &mut self.context {
            None => self.context = Some(context),
            Some(first) if first.trace_id.is_same_trace(context.trace_id) => first.learn(&context),
            Some(_) => {
                if self.conflict.is_none() {
                    stats.add(Counter::ContextConflict);
                    self.conflict = Some(context);
                }
                return;
            }
        }
        self.agreeing = self.agreeing.with(format);
        if format == Format::TraceContext {
            self.tracestate = tracestate::read(&headers.lines(Name::Tracestate), stats);
            let member = self.tracestate.member(tracestate::B3_MEMBER);
            if let (Some(first), Some(member)) = (&mut self.context, member) {
                b3::learn_debug(first, member);
            }
        }
    }

    #[inline]
    fn take_decision(&mut self, decision: SamplingState) {
        self.decision = self.decision.or(decision);
    }
}

/// The context as it goes upstream, in whichever formats.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Ids, with a decision, or with none where nothing is decided here.
    pub context: Option<SpanContext>,
    /// A decision without ids, where there is no context; [`SamplingState::Deferred`] says nothing at all.
    pub decision: SamplingState,
    /// W3C's `tracestate`.
    pub tracestate: &'a Tracestate<'a>,
    /// The formats whose received headers told of this trace.
    pub agreeing: FormatSet,
    /// The formats that the request came in.
    pub answered: FormatSet,
}

impl Outgoing<'_> {
    /// The context, if it has all that most formats need: a trace, a span and a decision.
    #[inline]
    pub(crate) fn decided(&self) -> Option<(SpanContext, SpanId)> {
        let context = self.context?;
        let is_decided = context.sampling != SamplingState::Deferred;
        Some((context, context.span_id.filter(|_| is_decided)?))
    }
}

/// The `tracestate` that goes with this context: with the member that carries debug, which `traceparent` has no word for,
/// and with Datadog's facts where Datadog told of this trace.
#[must_use]
#[inline]
pub fn seal<'a>(
    tracestate: Tracestate<'a>,
    context: Option<SpanContext>,
    agreeing: FormatSet,
    headers: &RequestHeaders<'_>,
    stats: &mut Stats,
) -> Tracestate<'a> {
    let Some(context) = context else {
        return tracestate;
    };
    let is_debug = context.sampling == SamplingState::Debug && context.span_id.is_some();
    if tracestate == Tracestate::Absent && !is_debug && !agreeing.contains(Format::Datadog) {
        return tracestate;
    }
    let debug = is_debug.then(|| b3::print_single(Some(context), context.sampling, false));
    let debug = debug.as_ref().map(value_buffer::Text::as_bytes);
    let tracestate = tracestate.with(tracestate::B3_MEMBER, debug, stats);
    // A member that is there already is of Datadog's own tracer, which knows better which of its spans was the last.
    let is_told = tracestate.member(tracestate::DATADOG_MEMBER).is_some();
    if is_told || !agreeing.contains(Format::Datadog) {
        return tracestate;
    }
    match datadog::member(headers, context.sampling) {
        Some(member) => tracestate.with(tracestate::DATADOG_MEMBER, Some(&member), stats),
        None => tracestate,
    }
}

/// The `tracestate` without what its Datadog member says of sampling: where decisions or debug of others are not believed,
/// a user's wish in there would come out again as debug one hop further on.
#[must_use]
#[inline]
pub fn without_datadog_decision<'a>(
    tracestate: Tracestate<'a>,
    stats: &mut Stats,
) -> Tracestate<'a> {
    let Some(member) = tracestate.member(tracestate::DATADOG_MEMBER) else {
        return tracestate;
    };
    let rest = datadog::without_decision(member);
    let rest = Some(rest.as_slice()).filter(|rest| !rest.is_empty());
    tracestate.with(tracestate::DATADOG_MEMBER, rest, stats)
}

/// Which formats leave, put together once for all requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    // The headers of all others are never touched.
    listed: FormatSet,
    injected: FormatSet,
    mirror: bool,
    keep64bit: bool,
}

impl From<&Propagation> for Wanted {
    #[inline]
    fn from(propagation: &Propagation) -> Self {
        Self {
            listed: Format::ALL
                .into_iter()
                .filter(|format| propagation.lists(*format))
                .collect(),
            injected: propagation.inject.iter().copied().collect(),
            mirror: propagation.mirror,
            keep64bit: propagation.keep64bit,
        }
    }
}

/// Writes the context in every format that is wanted and removes what is left of the other listed ones.
#[inline]
pub fn inject(
    wanted: &Wanted,
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) {
    let written = match wanted.mirror {
        true => wanted.injected.and(outgoing.answered),
        false => wanted.injected,
    };
    // Where no context came in, nothing can be stale.
    let touched = match headers.has_any(Format::ALL_NAMES) {
        true => wanted.listed,
        false => written,
    };
    for format in Format::ALL {
        if !touched.contains(format) || !wanted.listed.contains(format) {
            continue;
        }
        if written.contains(format) && write(format, wanted.keep64bit, outgoing, headers, writer) {
            continue;
        }
        if headers.has_any(format.names()) {
            for name in format.headers() {
                headers.remove(writer, *name);
            }
        }
    }
}

/// Whether a format has words for this.
#[inline]
pub(crate) fn can_write(format: Format, outgoing: &Outgoing<'_>) -> bool {
    struct Nowhere;

    impl HeaderWriter for Nowhere {
        #[inline]
        fn set(&mut self, _: &'static str, _: &[u8]) {}
        #[inline]
        fn remove(&mut self, _: &'static str) {}
    }

    write(
        format,
        false,
        outgoing,
        &RequestHeaders::default(),
        &mut Nowhere,
    )
}

/// Writes one format; `false` when it has no words for this.
#[inline]
fn write(
    format: Format,
    keep64bit: bool,
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    match format {
        Format::TraceContext => w3c::inject(outgoing, headers, writer),
        Format::B3 => b3::inject_single(outgoing, keep64bit, headers, writer),
        Format::B3Multi => b3::inject_multi(outgoing, keep64bit, headers, writer),
        Format::Jaeger => jaeger::inject(outgoing, headers, writer),
        Format::XRay => xray::inject(outgoing, headers, writer),
        Format::Datadog => datadog::inject(outgoing, headers, writer),
        Format::GrpcTraceBin => grpc_trace_bin::inject(outgoing, headers, writer),
        Format::OtTrace => ottrace::inject(outgoing, headers, writer),
        Format::Gcp => gcp::inject(outgoing, headers, writer),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vector;
