//! The [B3] format, in one header (`b3`) and in several (`x-b3-*`).
//!
//! ```abnf
//! b3         = state / trace-id "-" span-id [ "-" state ] [ "-" parent-span-id ]
//! state      = "1" / "0" / "d"       ; accept, deny, debug; absent: deferred
//! trace-id   = 32HEXDIGLC / 16HEXDIGLC
//! span-id    = 16HEXDIGLC
//! ```
//!
//! `4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1`, or `0` alone.
//!
//! In several headers the same facts are `x-b3-traceid`, `x-b3-spanid`, `x-b3-parentspanid`, `x-b3-sampled` (`1`, `0`,
//! from old senders `true` and `false`) and `x-b3-flags` (`1` = debug, which implies accept).
//!
//! The first line of a repeated header counts, also where a proxy on the way has folded the lines into a list (RFC 9110,
//! "Field Lines and Combined Field Value"). A parent span id is never needed and never written, so a malformed one
//! is ignored; a malformed id or state is not, because ignoring it would lose or invent a trace in silence.
//!
//! [B3]: https://github.com/openzipkin/b3-propagation

use super::context::{Extracted, Outgoing, Refusal, SamplingState, SpanContext};
use super::value_buffer::Text;
use crate::codec::number::trim;
use crate::codec::scan;
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::{SpanId, TraceId};

/// Reads `b3`; an empty header counts as absent (B3-28).
#[inline]
pub fn extract_single(headers: &RequestHeaders<'_>) -> Extracted {
    match headers.first(Name::B3).map(trim) {
        None | Some(b"") => Extracted::Absent,
        Some(value) => match (parse_single(value), first_of_list(value)) {
            (Extracted::Malformed { .. }, Some(first)) => parse_single(first),
            (found, _) => found,
        },
    }
}

/// Returns the first element of a list of two or more; `None` for all else. No value of B3 has a comma.
#[inline]
fn first_of_list(value: &[u8]) -> Option<&[u8]> {
    let (first, rest) = scan::split_once(value, b',')?;
    (!trim(rest).is_empty()).then(|| trim(first))
}

#[inline]
fn parse_single(value: &[u8]) -> Extracted {
    if let Some(decision) = state(value) {
        return Extracted::Decision(decision);
    }
    let mut parts = scan::split(value, b'-');
    let ids = ids(parts.next(), parts.next());
    let rest = [parts.next(), parts.next(), parts.next()];
    let (trace_id, span_id, short_trace_id) = match ids {
        Ok(ids) => ids,
        Err(refusal) => return Extracted::malformed(refusal),
    };
    let sampling = match rest {
        [None, ..] => Some(SamplingState::Deferred),
        // A parent span id may take the place of the state (B3-25).
        [Some(third), None, _] => state(third).or_else(|| {
            (third.len() == SPAN_ID_DIGITS && is_hex(third)).then_some(SamplingState::Deferred)
        }),
        [Some(third), Some(parent), None] if !parent.is_empty() => state(third),
        _ => return Extracted::malformed(Refusal::Delimiter),
    };
    match sampling {
        Some(sampling) => Extracted::Context(SpanContext {
            trace_id,
            span_id: Some(span_id),
            sampling,
            random: false,
            short_trace_id,
        }),
        None => Extracted::malformed(Refusal::Sampled),
    }
}

/// Reads `x-b3-*`.
#[inline]
pub fn extract_multi(headers: &RequestHeaders<'_>) -> Extracted {
    let sampling = match multi_state(headers) {
        Some(sampling) => sampling,
        None => return Extracted::malformed(Refusal::Sampled),
    };
    let trace_id = headers.first(Name::B3TraceId).map(trim);
    let span_id = headers.first(Name::B3SpanId).map(trim);
    let found = ids(trace_id, span_id).or_else(|refusal| {
        let trace_id = trace_id.map(|id| first_of_list(id).unwrap_or(id));
        let span_id = span_id.map(|id| first_of_list(id).unwrap_or(id));
        ids(trace_id, span_id).map_err(|_| refusal)
    });
    match (trace_id, span_id, found) {
        (None, None, _) if sampling == SamplingState::Deferred => Extracted::Absent,
        (None, None, _) => Extracted::Decision(sampling),
        (Some(_), Some(_), Ok((trace_id, span_id, short_trace_id))) => {
            Extracted::Context(SpanContext {
                trace_id,
                span_id: Some(span_id),
                sampling,
                random: false,
                short_trace_id,
            })
        }
        (Some(_), Some(_), Err(refusal)) => Extracted::malformed(refusal),
        // One id alone is no context, yet the decision beside the id is as clear as a decision without ids (B3-39).
        (Some(_), None, _) => Extracted::Malformed {
            refusal: Refusal::SpanId,
            decision: sampling,
        },
        (None, Some(_), _) => Extracted::Malformed {
            refusal: Refusal::TraceId,
            decision: sampling,
        },
    }
}

#[inline]
fn multi_state(headers: &RequestHeaders<'_>) -> Option<SamplingState> {
    let first = |name| {
        let value = headers.first(name).map(trim)?;
        Some(first_of_list(value).unwrap_or(value))
    };
    if first(Name::B3Flags) == Some(b"1") {
        // Debug implies accept, whatever `x-b3-sampled` says (B3-36).
        return Some(SamplingState::Debug);
    }
    Some(match first(Name::B3Sampled) {
        None | Some(b"") => SamplingState::Deferred,
        Some(b"1") => SamplingState::Accept,
        Some(b"0") => SamplingState::Deny,
        Some(state) if state.eq_ignore_ascii_case(b"true") => SamplingState::Accept,
        Some(state) if state.eq_ignore_ascii_case(b"false") => SamplingState::Deny,
        Some(_) => return None,
    })
}

#[inline]
fn state(word: &[u8]) -> Option<SamplingState> {
    match word {
        b"1" => Some(SamplingState::Accept),
        b"0" => Some(SamplingState::Deny),
        b"d" => Some(SamplingState::Debug),
        _ => None,
    }
}

#[inline]
fn ids(
    trace_id: Option<&[u8]>,
    span_id: Option<&[u8]>,
) -> Result<(TraceId, SpanId, bool), Refusal> {
    let trace_id = trace_id.ok_or(Refusal::TraceId)?;
    let is_short = trace_id.len() == SHORT_TRACE_ID_DIGITS;
    let trace_id = if is_short {
        TraceId::from_short_hex(trace_id)
    } else {
        TraceId::from_hex(trace_id)
    }
    .map_err(Refusal::of_trace_id)?;
    let span_id = SpanId::from_hex(span_id.ok_or(Refusal::SpanId)?).map_err(Refusal::of_span_id)?;
    Ok((trace_id, span_id, is_short))
}

#[inline]
fn is_hex(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Takes debug from the `b3` member of `tracestate`, a single header, because `traceparent` has no word for debug. The
/// member counts only where its trace id is that of `traceparent`, which wins on everything else (MAP-1).
#[inline]
pub(super) fn merge_debug(context: &mut SpanContext, member: &[u8]) {
    if let Extracted::Context(told) = parse_single(member)
        && told.trace_id == context.trace_id
    {
        context.merge(&told);
    }
}

/// Writes `b3`, or removes the header where B3 has nothing to say.
#[inline]
pub fn inject_single(
    outgoing: &Outgoing<'_>,
    keep64bit: bool,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let text = print_single(outgoing.context, outgoing.decision, keep64bit);
    headers.set_or_remove(writer, Name::B3, text.as_bytes());
    true
}

/// Returns the value of the single header; empty where B3 has nothing to say.
#[inline]
pub(super) fn print_single(
    context: Option<SpanContext>,
    decision: SamplingState,
    keep64bit: bool,
) -> Text<MAX_TEXT_BYTES> {
    let mut text = Text::default();
    match (context, context.and_then(|context| context.span_id)) {
        (None, _) => text.push(word(decision).unwrap_or_default()),
        (Some(context), Some(span_id)) => {
            push_trace_id(&mut text, &context, keep64bit);
            text.push(b"-");
            text.push(&span_id.to_hex());
            if let Some(word) = word(context.sampling) {
                text.push(b"-");
                text.push(word);
            }
        }
        // B3 has no words for a trace id without a span id.
        (Some(_), None) => {}
    }
    text
}

/// Writes `x-b3-*`; returns false for a trace id without a span id, for which B3 has no words.
#[inline]
pub fn inject_multi(
    outgoing: &Outgoing<'_>,
    keep64bit: bool,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let short_id;
    let (trace_id, span_id, sampling): (&[u8], &[u8], _) = match &outgoing.context {
        None => (&[], &[], outgoing.decision),
        Some(context) => {
            let Some(id) = context.span_id else {
                return false;
            };
            let printed = outgoing.traceparent(context, id);
            let trace_id: &[u8] = if keep64bit && context.short_trace_id {
                short_id = context.trace_id.to_short_hex();
                &short_id
            } else {
                printed.trace_id()
            };
            (trace_id, printed.span_id(), context.sampling)
        }
    };
    // Debug implies accept, and the two must not be sent side by side (B3-7).
    let (sampled, flags): (&[u8], &[u8]) = match sampling {
        SamplingState::Deferred => (b"", b""),
        SamplingState::Debug => (b"", b"1"),
        SamplingState::Accept => (b"1", b""),
        SamplingState::Deny => (b"0", b""),
    };
    headers.set_or_remove(writer, Name::B3TraceId, trace_id);
    headers.set_or_remove(writer, Name::B3SpanId, span_id);
    headers.set_or_remove(writer, Name::B3Sampled, sampled);
    headers.set_or_remove(writer, Name::B3Flags, flags);
    // A tracer that gives each side its own span has no use for the grandparent (OpenTelemetry, "B3 Inject").
    headers.remove(writer, Name::B3ParentSpanId);
    true
}

#[inline]
fn push_trace_id<const N: usize>(text: &mut Text<N>, context: &SpanContext, keep64bit: bool) {
    if keep64bit && context.short_trace_id {
        text.push(&context.trace_id.to_short_hex());
    } else {
        text.push(&context.trace_id.to_hex());
    }
}

#[inline]
fn word(sampling: SamplingState) -> Option<&'static [u8]> {
    match sampling {
        SamplingState::Deferred => None,
        SamplingState::Deny => Some(b"0"),
        SamplingState::Accept => Some(b"1"),
        SamplingState::Debug => Some(b"d"),
    }
}

const TRACE_ID_DIGITS: usize = 32;
const SHORT_TRACE_ID_DIGITS: usize = 16;
const SPAN_ID_DIGITS: usize = 16;
/// Length of a trace id, a span id and a state with two dashes.
const MAX_TEXT_BYTES: usize = TRACE_ID_DIGITS + 1 + SPAN_ID_DIGITS + 1 + 1;

#[cfg(test)]
mod tests;
