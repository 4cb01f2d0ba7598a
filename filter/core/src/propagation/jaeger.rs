//! The Jaeger format, `uber-trace-id`, as Jaeger's [client libraries] write it.
//!
//! ```abnf
//! uber-trace-id  = trace-id ":" span-id ":" parent-span-id ":" flags
//! trace-id       = 1*32HEXDIG  ; not all zeros; senders write 16 or 32
//! span-id        = 1*16HEXDIG  ; not all zeros
//! parent-span-id = *OCTET      ; without ":"; 0 at a root
//! flags          = 1*2HEXDIG   ; 01 sampled, 02 debug, which means nothing without sampled; 08 firehose
//! ```
//!
//! `4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1`, or from older clients, which encode header values,
//! `4bf92f3577b34da6a3ce929d0e0e4736%3A00f067aa0ba902b7%3A0%3A1`.
//!
//! Digits may be of either case and lack zeros on the left. The parent is never needed, so junk in its place is
//! ignored; junk in place of flags is not, because reading it would invent a decision. A value is decoded only if it
//! has no `:`, only once, and only if the result is no longer than the grammar's longest. The first line of a repeated
//! header counts.
//!
//! [client libraries]: https://www.jaegertracing.io/sdk-migration/#propagation-format

use super::context::{Extracted, Outgoing, Refusal, SamplingState, SpanContext};
use super::value_buffer::Text;
use crate::codec::hex::{byte_from_hex, repair_hex};
use crate::codec::number::trim;
use crate::codec::{percent, scan};
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::{SpanId, TraceId};

const SAMPLED: u8 = 0x01;
const DEBUG: u8 = 0x02;

/// Reads `uber-trace-id`. A debug flag is reported as received; [`extract`](super::extract()) decides by
/// `trust.jaegerDebug` whether to believe the sender.
pub fn extract(headers: &RequestHeaders<'_>) -> Extracted {
    let Some(value) = headers.first(Name::UberTraceId) else {
        return Extracted::Absent;
    };
    parse(trim(value)).into()
}

fn parse(value: &[u8]) -> Result<SpanContext, Refusal> {
    if value.contains(&b':') {
        parse_plain(value)
    } else {
        parse_plain(decode(value)?.as_bytes())
    }
}

fn parse_plain(value: &[u8]) -> Result<SpanContext, Refusal> {
    let mut fields = scan::split(value, b':');
    let mut next = || fields.next();
    let (Some(trace_id), Some(span_id), Some(_parent), Some(flags), None) =
        (next(), next(), next(), next(), next())
    else {
        return Err(Refusal::Delimiter);
    };
    let short_trace_id = trace_id.len() <= SHORT_TRACE_ID_DIGITS;
    let trace_id = TraceId::from_loose_hex(trace_id).map_err(Refusal::of_trace_id)?;
    let span_id = SpanId::from_loose_hex(span_id).map_err(Refusal::of_span_id)?;
    let flags = byte(flags).ok_or(Refusal::Flags)?;
    Ok(SpanContext {
        trace_id,
        span_id: Some(span_id),
        sampling: match (flags & SAMPLED != 0, flags & DEBUG != 0) {
            (false, _) => SamplingState::Deny,
            (true, false) => SamplingState::Accept,
            (true, true) => SamplingState::Debug,
        },
        random: false,
        short_trace_id,
    })
}

/// Decodes percent-encoding (RFC 3986, section 2.1) of at most as many bytes as the grammar's longest value has.
fn decode(value: &[u8]) -> Result<Text<MAX_TEXT_BYTES>, Refusal> {
    let mut text = Text::default();
    for byte in percent::decoded(value) {
        if text.as_bytes().len() == MAX_TEXT_BYTES {
            return Err(Refusal::Length);
        }
        text.push(&[byte.map_err(|_| Refusal::Encoding)?]);
    }
    Ok(text)
}

fn byte(digits: &[u8]) -> Option<u8> {
    byte_from_hex(&repair_hex::<2>(digits)?)
}

/// Writes `uber-trace-id`; returns false without ids or a decision, because a sampled flag that is not set would be
/// read as deny.
pub fn inject(
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let Some((context, span_id)) = outgoing.decided() else {
        return false;
    };
    let mut text = Text::<MAX_TEXT_BYTES>::default();
    text.push(&context.trace_id.to_hex());
    text.push(b":");
    text.push(&span_id.to_hex());
    // No parent, as at a root: receivers ignore the parent, and the caller's own is not the filter's to repeat.
    text.push(b":0:");
    // One digit below 8, because some clients write hexadecimal flags and read them as decimal (JG-8).
    text.push(match context.sampling {
        SamplingState::Deny | SamplingState::Deferred => b"0",
        SamplingState::Accept => b"1",
        SamplingState::Debug => b"3",
    });
    headers.set(writer, Name::UberTraceId, text.as_bytes());
    true
}

const TRACE_ID_DIGITS: usize = 32;
const SHORT_TRACE_ID_DIGITS: usize = 16;
const SPAN_ID_DIGITS: usize = 16;
/// Length of three ids and two digits of flags, with three colons.
const MAX_TEXT_BYTES: usize = TRACE_ID_DIGITS + 1 + SPAN_ID_DIGITS + 1 + SPAN_ID_DIGITS + 1 + 2;

#[cfg(test)]
mod tests;
