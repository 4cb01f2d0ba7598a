//! The `traceparent` header of [W3C Trace Context], level 2.
//!
//! ```abnf
//! traceparent = version "-" trace-id "-" parent-id "-" trace-flags [ "-" anything ]
//! version     = 2HEXDIGLC   ; ff is forbidden
//! trace-id    = 32HEXDIGLC  ; not all zeros
//! parent-id   = 16HEXDIGLC  ; not all zeros
//! trace-flags = 2HEXDIGLC   ; 01 sampled, 02 random trace id
//! ```
//!
//! `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`
//!
//! Version `00` ends after the flags. A later version may go on behind another `-`; the rest is neither read nor
//! copied, because version `00` is written. Digits are lower case; any other digit is refused, not repaired. A second
//! line makes the header invalid, even when both lines are equal. Unknown flags are ignored and not written.
//!
//! [W3C Trace Context]: https://www.w3.org/TR/trace-context-2/

use super::context::{Extracted, Outgoing, RANDOM, Refusal, SAMPLED, SamplingState, SpanContext};
use super::traceparent::LENGTH;
use crate::codec::hex::byte_from_hex;
use crate::codec::number::trim;
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::{SpanId, TraceId};

/// Reads `traceparent`; [`tracestate`](super::tracestate) is read once this context is believed.
#[inline]
pub fn extract(headers: &RequestHeaders<'_>) -> Extracted {
    let lines = headers.lines(Name::Traceparent);
    if !lines.is_present() {
        return Extracted::Absent;
    }
    let parsed = lines.single().ok_or(Refusal::Duplicate).and_then(parse);
    parsed.into()
}

/// Reads one value.
///
/// # Errors
/// The first flaw from the left; [`Refusal::Length`] goes before all others.
#[inline]
pub fn parse(value: &[u8]) -> Result<SpanContext, Refusal> {
    let rest = trim(value);
    if rest.len() < LENGTH {
        return Err(Refusal::Length);
    }
    let (version, rest) = field(rest, 2)?;
    let version = byte_from_hex(version)
        .filter(|version| *version != 0xff)
        .ok_or(Refusal::Version)?;
    let (trace_id, rest) = field(rest, 32)?;
    let (span_id, rest) = field(rest, 16)?;
    let (flags, rest) = rest.split_at_checked(2).ok_or(Refusal::Length)?;
    match rest {
        [] => {}
        _ if version == 0 => return Err(Refusal::Length),
        [b'-', ..] => {}
        _ => return Err(Refusal::Delimiter),
    }
    let trace_id = TraceId::from_hex(trace_id).map_err(Refusal::of_trace_id)?;
    let span_id = SpanId::from_hex(span_id).map_err(Refusal::of_span_id)?;
    let flags = byte_from_hex(flags).ok_or(Refusal::Flags)?;
    Ok(SpanContext {
        trace_id,
        span_id: Some(span_id),
        sampling: if flags & SAMPLED == 0 {
            SamplingState::Deny
        } else {
            SamplingState::Accept
        },
        random: flags & RANDOM != 0,
        short_trace_id: false,
    })
}

/// Returns the next `length` bytes, which a `-` must follow, and the rest.
#[inline]
fn field(text: &[u8], length: usize) -> Result<(&[u8], &[u8]), Refusal> {
    let (field, rest) = text.split_at_checked(length).ok_or(Refusal::Length)?;
    let rest = rest.strip_prefix(b"-").ok_or(Refusal::Delimiter)?;
    Ok((field, rest))
}

/// Writes `traceparent` and `tracestate`; returns false without ids or a decision, because a sampled flag that is not
/// set would be read as deny.
#[inline]
pub fn inject(
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let Some((context, span_id)) = outgoing.decided() else {
        return false;
    };
    let value = outgoing.traceparent(context, span_id).as_bytes();
    headers.set(writer, Name::Traceparent, value);
    headers.set_or_remove(writer, Name::Tracestate, outgoing.tracestate.as_bytes());
    true
}

#[cfg(test)]
mod tests;
