//! OpenCensus' format [binary context], as gRPC carries it: base64 in a header whose name ends in `-bin`.
//!
//! ```abnf
//! grpc-trace-bin = base64 *( OWS "," OWS base64 )      ; RFC 4648 section 4, padded or not
//! bytes          = %x00 *field *OCTET                  ; a version, and fields until an unknown one
//! field          = %x00 16OCTET / %x01 8OCTET / %x02 OCTET ; trace id, span id, options: bit 0 sampled
//! ```
//!
//! `AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE`
//!
//! Of several values, in one line or in many, the first valid context counts; where none is valid, the refusal of the
//! first value is reported. An options bit that is not set means deny: the format would allow "undecided" as well, and
//! its libraries never mean that. A written value always has the 29 bytes with all fields in order, because some
//! readers know no other layout (OC-4).
//!
//! [binary context]: https://github.com/census-instrumentation/opencensus-specs/blob/master/encodings/BinaryEncoding.md

use base64::{DecodeSliceError, Engine};

use super::context::{Extracted, Outgoing, Refusal, SamplingState, SpanContext};
use crate::codec::base64::BASE64;
use crate::codec::number::trim;
use crate::codec::scan;
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::{SpanId, TraceId};

/// Reads `grpc-trace-bin`; empty values count as absent.
pub fn extract(headers: &RequestHeaders<'_>) -> Extracted {
    let lines = headers.lines(Name::GrpcTraceBin);
    let values = lines
        .iter()
        .flat_map(|line| scan::split(line, b','))
        .map(trim)
        .filter(|value| !value.is_empty());
    let mut first_refusal = None;
    for value in values {
        match decode(value) {
            Ok(context) => return Extracted::Context(context),
            Err(refusal) => {
                first_refusal.get_or_insert(refusal);
            }
        }
    }
    first_refusal.map_or(Extracted::Absent, Extracted::malformed)
}

fn decode(value: &[u8]) -> Result<SpanContext, Refusal> {
    let mut bytes = [0; MAX_BYTES];
    let length = BASE64
        .decode_slice(value, &mut bytes)
        .map_err(|error| match error {
            DecodeSliceError::OutputSliceTooSmall => Refusal::Length,
            DecodeSliceError::DecodeError(_) => Refusal::Encoding,
        })?;
    let (version, mut rest) = bytes
        .get(..length)
        .and_then(<[u8]>::split_first)
        .ok_or(Refusal::Length)?;
    if *version != VERSION {
        return Err(Refusal::Version);
    }
    let (mut trace_id, mut span_id, mut options) = (None, None, 0);
    while let Some((id, behind)) = rest.split_first() {
        rest = match *id {
            TRACE_ID => {
                let (field, rest) = behind.split_first_chunk().ok_or(Refusal::Length)?;
                trace_id = Some(*field);
                rest
            }
            SPAN_ID => {
                let (field, rest) = behind.split_first_chunk().ok_or(Refusal::Length)?;
                span_id = Some(*field);
                rest
            }
            OPTIONS => {
                let (field, rest) = behind.split_first().ok_or(Refusal::Length)?;
                options = *field;
                rest
            }
            // The length of an unknown field is not known, so nothing behind it can be read; the fields before it are
            // valid.
            _ => &[],
        };
    }
    let trace_id = trace_id.ok_or(Refusal::TraceId)?;
    let span_id = span_id.ok_or(Refusal::SpanId)?;
    Ok(SpanContext {
        trace_id: TraceId::from_bytes(trace_id).ok_or(Refusal::TraceIdZero)?,
        span_id: Some(SpanId::from_bytes(span_id).ok_or(Refusal::SpanIdZero)?),
        sampling: if options & SAMPLED == 0 {
            SamplingState::Deny
        } else {
            SamplingState::Accept
        },
        random: false,
        short_trace_id: false,
    })
}

/// Writes `grpc-trace-bin`; returns false without ids or a decision, because an options bit that is not set would be
/// read as deny.
pub fn inject(
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let Some((context, span_id)) = outgoing.decided() else {
        return false;
    };
    let mut text = [0; TEXT_BYTES];
    let is_whole = BASE64
        .encode_slice(encode(context, span_id), &mut text)
        .is_ok_and(|length| length == TEXT_BYTES);
    if is_whole {
        headers.set(writer, Name::GrpcTraceBin, &text);
    }
    is_whole
}

fn encode(context: &SpanContext, span_id: SpanId) -> [u8; BYTES] {
    let options = match context.sampling {
        SamplingState::Accept | SamplingState::Debug => SAMPLED,
        SamplingState::Deny | SamplingState::Deferred => 0,
    };
    let fields: [(u8, &[u8]); 3] = [
        (TRACE_ID, &context.trace_id.to_bytes()),
        (SPAN_ID, &span_id.to_bytes()),
        (OPTIONS, &[options]),
    ];
    let mut bytes = [VERSION; BYTES];
    let written = fields
        .iter()
        .flat_map(|(id, field)| [*id].into_iter().chain(field.iter().copied()));
    for (byte, written) in bytes.iter_mut().skip(1).zip(written) {
        *byte = written;
    }
    bytes
}

const VERSION: u8 = 0;
const TRACE_ID: u8 = 0;
const SPAN_ID: u8 = 1;
const OPTIONS: u8 = 2;
const SAMPLED: u8 = 0x01;
/// Length of the version and of each field behind its id.
const BYTES: usize = 1 + (1 + 16) + (1 + 8) + (1 + 1);
/// Length in base64, where three bytes are four characters, without padding.
const TEXT_BYTES: usize = (BYTES * 4).div_ceil(3);
/// Longest value that is decoded: three times the known layout, because later versions may add fields.
const MAX_BYTES: usize = 96;

#[cfg(test)]
mod tests;
