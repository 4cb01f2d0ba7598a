//! The OpenTracing format: the `ot-tracer-*` headers of its basic tracers, [deprecated] and still in use.
//!
//! ```abnf
//! ot-tracer-traceid = 1*32HEXDIG  ; not all zeros; senders write 16
//! ot-tracer-spanid  = 1*16HEXDIG  ; not all zeros
//! ot-tracer-sampled = "true" / "false" / "1" / "0"  ; of any case; absent or another word: deferred
//! ```
//!
//! `ot-tracer-traceid: a3ce929d0e0e4736`, `ot-tracer-spanid: 00f067aa0ba902b7`, `ot-tracer-sampled: true`
//!
//! Digits may be of either case and lack zeros on the left, which OpenTelemetry's Python leaves out. Both ids are
//! needed: one id alone, or a decision without ids, makes no context. The first line of a repeated header counts.
//!
//! Trace ids have 64 bits in this format. Of a longer id the right half is written, as all libraries do; the format has
//! no words for an id whose right half is zero.
//!
//! [deprecated]: https://opentelemetry.io/docs/specs/otel/context/api-propagators/

use super::context::{Extracted, Outgoing, Refusal, SamplingState, SpanContext};
use super::format::Format;
use crate::codec::number::trim;
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::{SpanId, TraceId};

/// Reads `ot-tracer-*`.
pub fn extract(headers: &RequestHeaders<'_>) -> Extracted {
    if !headers.has_any(Format::OtTrace.names()) {
        return Extracted::Absent;
    }
    parse(headers).into()
}

fn parse(headers: &RequestHeaders<'_>) -> Result<SpanContext, Refusal> {
    let digits = headers.first(Name::OtTracerTraceId).map(trim);
    let digits = digits.ok_or(Refusal::TraceId)?;
    let short_trace_id = digits.len() <= SHORT_TRACE_ID_DIGITS;
    let trace_id = TraceId::from_loose_hex(digits).map_err(Refusal::of_trace_id)?;
    let digits = headers.first(Name::OtTracerSpanId).map(trim);
    let digits = digits.ok_or(Refusal::SpanId)?;
    let span_id = SpanId::from_loose_hex(digits).map_err(Refusal::of_span_id)?;
    Ok(SpanContext {
        trace_id,
        span_id: Some(span_id),
        sampling: state(headers),
        random: false,
        short_trace_id,
    })
}

/// Reads the decision. An unknown word leaves the decision deferred, because the ids beside it are good and neither yes
/// nor no was said (OT-4).
fn state(headers: &RequestHeaders<'_>) -> SamplingState {
    match headers.first(Name::OtTracerSampled).map(trim) {
        Some(b"1") => SamplingState::Accept,
        Some(b"0") => SamplingState::Deny,
        Some(word) if word.eq_ignore_ascii_case(b"true") => SamplingState::Accept,
        Some(word) if word.eq_ignore_ascii_case(b"false") => SamplingState::Deny,
        None | Some(_) => SamplingState::Deferred,
    }
}

/// Writes `ot-tracer-*`; returns false without both ids.
///
/// A deferred decision is written only where the caller deferred it in these very headers. It is not translated from
/// other formats, because every library reads the missing word as deny, and would drop a trace that no proxy has
/// decided to drop (OT-2).
pub fn inject(
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let Some(context) = outgoing.context else {
        return false;
    };
    let Some(span_id) = context.span_id else {
        return false;
    };
    if context.trace_id.right_half() == 0 {
        return false;
    }
    let sampled: &[u8] = match context.sampling {
        SamplingState::Accept | SamplingState::Debug => b"true",
        SamplingState::Deny => b"false",
        SamplingState::Deferred if outgoing.same_trace.contains(Format::OtTrace) => b"",
        SamplingState::Deferred => return false,
    };
    let trace_id = context.trace_id.to_short_hex();
    headers.set(writer, Name::OtTracerTraceId, &trace_id);
    headers.set(writer, Name::OtTracerSpanId, &span_id.to_hex());
    headers.set_or_remove(writer, Name::OtTracerSampled, sampled);
    true
}

const SHORT_TRACE_ID_DIGITS: usize = 16;

#[cfg(test)]
mod tests;
