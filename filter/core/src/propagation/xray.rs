//! The [AWS X-Ray] format, as X-Ray's SDKs, load balancers and gateways send it.
//!
//! ```abnf
//! x-amzn-trace-id = part *( OWS ";" OWS part )
//! part            = "Root=1-" 1*8HEXDIG "-" 24HEXDIG  ; the trace id in two pieces
//!                 / "Parent=" 16HEXDIG                ; the span id, which load balancers leave out
//!                 / "Sampled=" ( "1" / "0" / "?" )    ; "?" or absent: deferred
//!                 / "Lineage=" lineage                ; AWS's own loop detection
//!                 / "Self=1-" …                       ; the last load balancer's own id of the request
//!                 / key "=" anything                  ; an application's own, such as CalledFrom; copied in printable ASCII
//!                 / anything
//! ```
//!
//! `Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1`, or `Root` alone.
//!
//! Parts come in any order, and keys are compared with case. Digits may be upper case, and leading zeros of the first
//! piece may be missing; both are repaired. The first line of a repeated header and the first of equal keys count. All
//! other parts are copied, byte for byte, as AWS's load balancers do it: `Self` is theirs, and the rest applications'.
//! `Lineage` goes before them where there is not room for all, because a loop that AWS does not see costs money.
//!
//! [AWS X-Ray]: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader

use alloc::vec::Vec;

use super::context::{Extracted, Outgoing, Refusal, SamplingState, SpanContext};
use super::format::Format;
use crate::codec::number::trim;
use crate::codec::scan;
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::{SpanId, TraceId};

/// Reads `x-amzn-trace-id`; an empty header counts as absent.
pub fn extract(headers: &RequestHeaders<'_>) -> Extracted {
    match headers.first(Name::XAmznTraceId).map(trim) {
        None | Some(b"") => Extracted::Absent,
        Some(value) => parse(value),
    }
}

fn parse(value: &[u8]) -> Extracted {
    let parts = Parts::read(value);
    let sampling = match parts.sampled {
        None | Some(b"?") => SamplingState::Deferred,
        Some(b"1") => SamplingState::Accept,
        Some(b"0") => SamplingState::Deny,
        Some(_) => return Extracted::malformed(Refusal::Sampled),
    };
    let Some(root) = parts.root else {
        // A decision without a trace id is no context, yet as clear as a decision beside a trace id.
        return Extracted::Malformed {
            refusal: Refusal::TraceId,
            decision: sampling,
        };
    };
    let span_id = parts.parent.map(parse_span_id).transpose();
    match (parse_trace_id(root), span_id) {
        (Ok(trace_id), Ok(span_id)) => Extracted::Context(SpanContext {
            trace_id,
            span_id,
            sampling,
            random: false,
            short_trace_id: false,
        }),
        (Err(refusal), _) | (_, Err(refusal)) => Extracted::malformed(refusal),
    }
}

/// The text behind each known key, from the first part with that key.
#[derive(Default)]
struct Parts<'a> {
    root: Option<&'a [u8]>,
    parent: Option<&'a [u8]>,
    sampled: Option<&'a [u8]>,
    lineage: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// Reads the parts of a value in one pass.
    fn read(value: &'a [u8]) -> Self {
        let mut parts = Self::default();
        for part in scan::split(value, b';') {
            let part = trim(part);
            let (place, key) = match part.first() {
                Some(b'R') => (&mut parts.root, ROOT),
                Some(b'P') => (&mut parts.parent, PARENT),
                Some(b'S') => (&mut parts.sampled, SAMPLED),
                Some(b'L') => (&mut parts.lineage, LINEAGE),
                _ => continue,
            };
            if place.is_none() {
                *place = part.strip_prefix(key);
            }
        }
        parts
    }
}

fn parse_trace_id(root: &[u8]) -> Result<TraceId, Refusal> {
    let (version, rest) = scan::split_once(root, b'-').ok_or(Refusal::Delimiter)?;
    let (epoch, unique) = scan::split_once(rest, b'-').ok_or(Refusal::Delimiter)?;
    if version != b"1" {
        return Err(Refusal::Version);
    }
    if epoch.is_empty() || epoch.len() > EPOCH_DIGITS || unique.len() != UNIQUE_DIGITS {
        return Err(Refusal::TraceId);
    }
    let mut digits = [b'0'; EPOCH_DIGITS + UNIQUE_DIGITS];
    let (left, right) = digits.split_at_mut(EPOCH_DIGITS);
    let missing = left.len().saturating_sub(epoch.len());
    for (place, received) in [(left.get_mut(missing..), epoch), (Some(right), unique)] {
        place.ok_or(Refusal::TraceId)?.copy_from_slice(received);
    }
    TraceId::from_loose_hex(&digits).map_err(Refusal::of_trace_id)
}

fn parse_span_id(parent: &[u8]) -> Result<SpanId, Refusal> {
    if parent.len() != PARENT_DIGITS {
        return Err(Refusal::SpanId);
    }
    SpanId::from_loose_hex(parent).map_err(Refusal::of_span_id)
}

/// Writes `x-amzn-trace-id`; returns false without a context, because the format has no words for a decision alone.
pub fn inject(
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let Some(context) = outgoing.context else {
        return false;
    };
    // A load balancer's id of the request may be replaced, and the parts beside it are still of this request.
    let own = outgoing.same_trace.and(outgoing.request_ids);
    let received = headers
        .first(Name::XAmznTraceId)
        .filter(|_| own.contains(Format::XRay))
        .unwrap_or_default();
    let text = print(&context, received);
    headers.set(writer, Name::XAmznTraceId, &text);
    true
}

/// Returns the value, with the parts that only the received header has.
fn print(context: &SpanContext, received: &[u8]) -> Vec<u8> {
    let known = match received {
        b"" => Parts::default(),
        received => Parts::read(received),
    };
    let mut text = Vec::with_capacity(USUAL_TEXT_BYTES);
    let trace_id = context.trace_id.to_hex();
    let (epoch, unique) = trace_id.split_at_checked(EPOCH_DIGITS).unwrap_or_default();
    text.extend_from_slice(ROOT);
    text.extend_from_slice(b"1-");
    text.extend_from_slice(epoch);
    text.extend_from_slice(b"-");
    text.extend_from_slice(unique);
    if let Some(span_id) = context.span_id {
        text.extend_from_slice(b";");
        text.extend_from_slice(PARENT);
        text.extend_from_slice(&span_id.to_hex());
    }
    let sampled: &[u8] = match context.sampling {
        SamplingState::Accept | SamplingState::Debug => b"1",
        SamplingState::Deny => b"0",
        // Some libraries refuse the whole header for a `?`, so only a request that had a `?` leaves with one.
        SamplingState::Deferred if known.sampled == Some(b"?") => b"?",
        SamplingState::Deferred => b"",
    };
    if !sampled.is_empty() {
        text.extend_from_slice(b";");
        text.extend_from_slice(SAMPLED);
        text.extend_from_slice(sampled);
    }
    if received.is_empty() {
        return text;
    }
    if let Some(lineage) = known.lineage.filter(|lineage| !lineage.is_empty()) {
        append(&mut text, &[LINEAGE, lineage]);
    }
    for part in scan::split(received, b';').map(trim) {
        let is_known = [ROOT, PARENT, SAMPLED, LINEAGE]
            .iter()
            .any(|key| part.starts_with(key));
        if !is_known && scan::position(part, b'=').is_some_and(|length| length > 0) {
            append(&mut text, &[part]);
        }
    }
    text
}

/// Appends a part as a whole or not at all: a piece of a lineage would be another lineage. Readers that take header lines of
/// printable ASCII alone would lose the ids with a part that is otherwise.
fn append(text: &mut Vec<u8>, pieces: &[&[u8]]) {
    let length = pieces
        .iter()
        .fold(text.len().saturating_add(1), |sum, piece| {
            sum.saturating_add(piece.len())
        });
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    if length <= MAX_TEXT_BYTES && pieces.iter().copied().flatten().all(is_plain) {
        text.push(b';');
        for piece in pieces {
            text.extend_from_slice(piece);
        }
    }
}

const ROOT: &[u8] = b"Root=";
const PARENT: &[u8] = b"Parent=";
const SAMPLED: &[u8] = b"Sampled=";
const LINEAGE: &[u8] = b"Lineage=";
/// Digits of the trace id's first piece, once the second of the trace's creation (XR-10).
const EPOCH_DIGITS: usize = 8;
/// Digits of the trace id's second piece.
const UNIQUE_DIGITS: usize = 24;
const PARENT_DIGITS: usize = 16;
/// Length of a value without further parts.
const USUAL_TEXT_BYTES: usize = 80;
/// Length beyond which OpenTelemetry's Java propagator (`AwsXrayPropagator`) refuses the value.
const MAX_TEXT_BYTES: usize = 256;

#[cfg(test)]
mod tests;
