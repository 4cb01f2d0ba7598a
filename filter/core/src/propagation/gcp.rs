//! Google Cloud's legacy format [`X-Cloud-Trace-Context`].
//!
//! ```abnf
//! x-cloud-trace-context = trace-id [ "/" span-id ] [ ";o=" options ]
//! trace-id = 32HEXDIG  ; not all zeros
//! span-id  = *DIGIT    ; a decimal number of 64 bits; absent, empty or 0: no span
//! options  = *DIGIT    ; odd: sampled, even: not; absent or empty: deferred
//! ```
//!
//! `4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1`, or `4bf92f3577b34da6a3ce929d0e0e4736` alone.
//!
//! A trace id without a span is a context, because Google's front ends send such values, and App Engine's own reader
//! (`TraceContextHelper`) takes each part behind the trace id as absent or empty. Hexadecimal digits may be of either
//! case. Of the options only the lowest bit is known; the last digit of a number of any length has that bit. Options
//! that are no number are refused, because guessing would lose or invent a decision. The first line of a repeated
//! header counts.
//!
//! A written value always has a span id, `0` where there is none, as Google's client libraries document it for the
//! first span of a trace: options behind a bare trace id are outside the documented grammar, and strict readers drop
//! the trace.
//!
//! [`X-Cloud-Trace-Context`]: https://cloud.google.com/trace/docs/trace-context

use super::context::{Extracted, Outgoing, Refusal, SamplingState, SpanContext};
use super::value_buffer::Text;
use crate::codec::number::{self, trim};
use crate::codec::scan;
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::{SpanId, TraceId};

/// Reads `x-cloud-trace-context`.
pub fn extract(headers: &RequestHeaders<'_>) -> Extracted {
    let Some(value) = headers.first(Name::CloudTraceContext) else {
        return Extracted::Absent;
    };
    parse(trim(value)).into()
}

fn parse(value: &[u8]) -> Result<SpanContext, Refusal> {
    let (ids, options) = split_once(value, b';');
    let (trace_id, span_id) = split_once(ids, b'/');
    if trace_id.len() < TRACE_ID_DIGITS {
        // No document says that a shorter trace id lacks zeros, unlike in other formats.
        return Err(Refusal::TraceId);
    }
    let trace_id = TraceId::from_loose_hex(trace_id).map_err(Refusal::of_trace_id)?;
    let span_id = match span_id {
        None | Some(b"") => 0,
        Some(digits) => number::parse(digits).ok_or(Refusal::SpanId)?,
    };
    let sampling = match options {
        None => SamplingState::Deferred,
        Some(options) => state(options.strip_prefix(b"o=").ok_or(Refusal::Delimiter)?)?,
    };
    Ok(SpanContext {
        trace_id,
        span_id: SpanId::from_number(span_id),
        sampling,
        random: false,
        short_trace_id: false,
    })
}

/// Returns the text before the delimiter, and the text behind it if there is a delimiter.
fn split_once(text: &[u8], delimiter: u8) -> (&[u8], Option<&[u8]>) {
    match scan::split_once(text, delimiter) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

fn state(options: &[u8]) -> Result<SamplingState, Refusal> {
    if !options.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::Flags);
    }
    Ok(match options.last() {
        None => SamplingState::Deferred,
        Some(digit) if digit & SAMPLED == 0 => SamplingState::Deny,
        Some(_) => SamplingState::Accept,
    })
}

/// Writes `x-cloud-trace-context`, without options for a deferred decision; returns false without a context.
pub fn inject(
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let Some(context) = outgoing.context else {
        return false;
    };
    let mut text = Text::<MAX_TEXT_BYTES>::default();
    text.push(&context.trace_id.to_hex());
    text.push(b"/");
    text.push_decimal(context.span_id.map_or(0, SpanId::to_number));
    text.push(match context.sampling {
        SamplingState::Deferred => b"",
        SamplingState::Deny => b";o=0",
        SamplingState::Accept | SamplingState::Debug => b";o=1",
    });
    headers.set(writer, Name::CloudTraceContext, text.as_bytes());
    true
}

/// Bit of the options that is set for a sampled trace; the ASCII codes of digits have the parity of the digits.
const SAMPLED: u8 = 0x01;
const TRACE_ID_DIGITS: usize = 32;
/// Length of a trace id, the longest number of 64 bits, and options.
const MAX_TEXT_BYTES: usize = TRACE_ID_DIGITS + 1 + 20 + 4;

#[cfg(test)]
mod tests;
