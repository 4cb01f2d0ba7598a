//! Reading: the listed formats in their order, of which the first valid format wins.
//!
//! A malformed header does not end the search. A decision without ids (`b3: 0`) ranks below any context with ids.
//!
//! X-Ray's `Root` alone is what Amazon's load balancers write on every request, beside whatever context the client sent: an id
//! of the request, which their access logs have. It is a trace id where nobody else names a trace, and ranks below every
//! other context, wherever `xray` stands in the list. Beside another trace it is neither a conflict nor stale (XR-12).

use super::context::{Extracted, SamplingState, SpanContext};
use super::format::{Format, FormatSet};
use super::settings::Trust;
use super::tracestate::{self, Tracestate};
use super::{b3, counters, datadog, gcp, grpc_trace_bin, jaeger, ottrace, w3c, xray};
use crate::headers::{Name, RequestHeaders};
use crate::stats::{Counter, Stats};

/// The facts of all formats of one request together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extraction<'a> {
    /// The context of the first valid format.
    pub context: Option<SpanContext>,
    /// A decision without ids; [`SamplingState::Deferred`] where there is no decision, or where a context was found.
    pub decision: SamplingState,
    /// The `tracestate` beside the W3C ids, if the W3C ids name the same trace.
    pub tracestate: Tracestate<'a>,
    /// The formats that have a header in the request, valid or malformed.
    pub present: FormatSet,
    /// The formats that name the same trace, and whose other facts may therefore be believed.
    pub same_trace: FormatSet,
    /// The first context of another trace.
    pub conflict: Option<SpanContext>,
    /// The formats whose header is a load balancer's id of the request, beside the context of a caller.
    pub request_ids: FormatSet,
}

/// Reads the listed formats in order, and counts every answer.
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
        present: FormatSet::default(),
        same_trace: FormatSet::default(),
        conflict: None,
        request_ids: FormatSet::default(),
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
                stats.add(counters::valid(*format));
                if *format == Format::XRay && context.is_id_alone() {
                    found.request_ids = found.request_ids.with(Format::XRay);
                    continue;
                }
                if *format == Format::Datadog
                    && context.short_trace_id
                    && let Err(refusal) = datadog::left_half(headers)
                {
                    // The right half alone is a context.
                    stats.add(counters::refused(refusal));
                }
                found.take(*format, context, headers, stats);
            }
            Extracted::Decision(decision) => {
                stats.add(counters::valid(*format));
                found.take_decision(decision);
                alone = alone.or(decision);
            }
            Extracted::Malformed { refusal, decision } => {
                stats.add(counters::malformed(*format));
                stats.add(counters::refused(refusal));
                found.take_decision(decision);
            }
        }
        found.present = found.present.with(*format);
    }
    if !found.request_ids.is_empty() {
        found.take_root(headers, stats);
    }
    if let Some(context) = &mut found.context {
        // Ids without a decision and a decision without ids do not contradict each other. The decision of malformed ids
        // is not in `alone`, because the ids may have been of another trace.
        context.sampling = context.sampling.or(alone);
        found.decision = SamplingState::Deferred;
    }
    found
}

/// Returns the context of one format, whatever the other formats say.
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
            Some(first) if first.trace_id.is_same_trace(context.trace_id) => first.merge(&context),
            Some(_) => {
                if self.conflict.is_none() {
                    stats.add(Counter::ContextConflict);
                    self.conflict = Some(context);
                }
                return;
            }
        }
        self.same_trace = self.same_trace.with(format);
        if format == Format::TraceContext {
            self.tracestate = tracestate::read(&headers.lines(Name::Tracestate), stats);
            let member = self.tracestate.member(tracestate::B3_MEMBER);
            if let (Some(first), Some(member)) = (&mut self.context, member) {
                b3::merge_debug(first, member);
            }
        }
    }

    /// Takes X-Ray's `Root` alone for a context, once all other formats are read, unless these name another trace.
    fn take_root(&mut self, headers: &RequestHeaders<'a>, stats: &mut Stats) {
        let Extracted::Context(root) = read(Format::XRay, headers) else {
            return;
        };
        let is_elsewhere = self
            .context
            .is_some_and(|context| !context.trace_id.is_same_trace(root.trace_id));
        if !is_elsewhere {
            self.request_ids = FormatSet::default();
            self.present = self.present.with(Format::XRay);
            self.take(Format::XRay, root, headers, stats);
        }
    }

    #[inline]
    fn take_decision(&mut self, decision: SamplingState) {
        self.decision = self.decision.or(decision);
    }
}
