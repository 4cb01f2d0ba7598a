//! The [Datadog] format: the headers `x-datadog-*`, and the member `dd` of W3C's `tracestate`.
//!
//! ```abnf
//! x-datadog-trace-id          = 1*DIGIT          ; 1 to 2^64-1: the right half of the trace id
//! x-datadog-parent-id         = 1*DIGIT          ; up to 2^64-1: the span id; absent or 0: none
//! x-datadog-sampling-priority = [ "-" ] 1*DIGIT  ; -1, 0 deny; 1 accept; 2 debug; anything else: deferred
//! x-datadog-origin            = anything
//! x-datadog-tags              = tag *( "," tag )
//! tag                         = "_dd.p." name "=" value  ; "_dd.p.tid=" 16HEXDIGLC: the left half
//! name                        = 1*( %x21-2B / %x2D-3C / %x3E-7E )
//! value                       = 1*( %x20-2B / %x2D-7E )
//!
//! dd                          = part *( ";" part )
//! part                        = "s:" priority / "o:" origin / "p:" span-id / "t." name ":" value
//! ```
//!
//! `11803532876627986230`, `67667974448284343`, `1`, none, `_dd.p.tid=4bf92f3577b34da6`; `dd=s:2;o:rum;t.dm:-4`
//!
//! A malformed left half is ignored, because the right half alone still names the trace. A priority above 1 is debug,
//! as Datadog itself maps the priority to B3: a user's wish, which no limit may drop and which must survive a hop in B3
//! (DD-6).
//!
//! The other facts are kept for their trace alone: the priority where it agrees with the decision taken here, the
//! origin, and the tags but for `_dd.p.upstream_services`, which Datadog gave up, and for those that the grammar forbids
//! (DD-9). The first line of a repeated header counts.
//!
//! [Datadog]: https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/

use alloc::vec::Vec;

use super::context::{Extracted, Outgoing, Refusal, SamplingState, SpanContext};
use super::format::Format;
use super::tracestate;
use super::value_buffer::Text;
use crate::codec::number::{self, trim};
use crate::codec::scan;
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::ids::{IdError, SpanId, TraceId};

use trace_data::{HEADER_PREFIX, MEMBER_PREFIX, TID, TraceData};

/// Reads `x-datadog-*`.
pub fn extract(headers: &RequestHeaders<'_>) -> Extracted {
    let priority = TraceData::of_headers(headers).priority;
    let sampling = priority.map_or(SamplingState::Deferred, state);
    let Some(right_half) = headers.first(Name::DatadogTraceId) else {
        let says_nothing =
            sampling == SamplingState::Deferred && !headers.has(Name::DatadogParentId);
        return if says_nothing {
            Extracted::Absent
        } else {
            // A decision without a trace id is no context, yet as clear as a decision beside a trace id.
            Extracted::Malformed {
                refusal: Refusal::TraceId,
                decision: sampling,
            }
        };
    };
    let left_half = left_half(headers).unwrap_or_default();
    match (parse_trace_id(left_half, right_half), parse_parent(headers)) {
        (Ok(trace_id), Ok(span_id)) => Extracted::Context(SpanContext {
            trace_id,
            span_id,
            sampling,
            random: false,
            short_trace_id: left_half.is_none(),
        }),
        (Err(refusal), _) | (_, Err(refusal)) => Extracted::malformed(refusal),
    }
}

fn parse_trace_id(left_half: Option<u64>, right_half: &[u8]) -> Result<TraceId, Refusal> {
    match number::parse(trim(right_half)) {
        None => Err(Refusal::TraceId),
        Some(0) => Err(Refusal::TraceIdZero),
        Some(right_half) => TraceId::from_halves(left_half.unwrap_or_default(), right_half)
            .ok_or(Refusal::TraceIdZero),
    }
}

/// Returns the left half of the trace id, if a tag has the left half.
///
/// # Errors
/// The flaw of the tag. A malformed tag costs the left half and not the context, so [`extract`] does not report the
/// flaw.
pub(super) fn left_half(headers: &RequestHeaders<'_>) -> Result<Option<u64>, Refusal> {
    let tag = TraceData::tags_of_headers(headers)
        .tags()
        .find(|(name, _)| *name == TID);
    let Some((_, digits)) = tag else {
        return Ok(None);
    };
    match TraceId::from_short_hex(digits) {
        Ok(half) => Ok(Some(half.right_half())),
        Err(IdError::Digits) => Err(Refusal::TraceId),
        Err(IdError::Zero) => Err(Refusal::TraceIdZero),
    }
}

fn parse_parent(headers: &RequestHeaders<'_>) -> Result<Option<SpanId>, Refusal> {
    match headers.first(Name::DatadogParentId) {
        None => Ok(None),
        Some(parent) => number::parse(trim(parent))
            .map(SpanId::from_number)
            .ok_or(Refusal::SpanId),
    }
}

/// Returns the `dd` member of `tracestate` without its priority and its decision maker.
pub(super) fn without_decision(member: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = scan::split(member, b';')
        .filter(|part| !part.starts_with(b"s:") && !part.starts_with(b"t.dm:"))
        .collect();
    parts.join(&b';')
}

fn print_priority(priority: i32) -> Text<MAX_PRIORITY_BYTES> {
    let mut text = Text::default();
    if priority < 0 {
        text.push(b"-");
    }
    text.push_decimal(u64::from(priority.unsigned_abs()));
    text
}

fn state(priority: i32) -> SamplingState {
    match priority {
        ..=0 => SamplingState::Deny,
        1 => SamplingState::Accept,
        2.. => SamplingState::Debug,
    }
}

/// Writes `x-datadog-*`; returns false without a trace id, and for a trace id whose right half is zero, because the
/// format has no words for either.
pub fn inject(
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    let Some(context) = outgoing.context.filter(|it| it.trace_id.right_half() != 0) else {
        return false;
    };
    let facts = if outgoing.same_trace.contains(Format::Datadog) {
        TraceData::of_headers(headers)
    } else {
        let member = outgoing.tracestate.member(tracestate::DATADOG_MEMBER);
        member.map(TraceData::of_member).unwrap_or_default()
    };
    let mut trace_id = Text::<MAX_NUMBER_BYTES>::default();
    trace_id.push_decimal(context.trace_id.right_half());
    let mut parent = Text::<MAX_NUMBER_BYTES>::default();
    if let Some(span_id) = context.span_id {
        parent.push_decimal(span_id.to_number());
    }
    let priority = facts.priority_for(context.sampling);
    let priority_text = priority.map(print_priority).unwrap_or_default();
    let origin = facts.unescape(facts.origin);
    let tags = print_tags(facts, &context, priority);
    headers.set(writer, Name::DatadogTraceId, trace_id.as_bytes());
    headers.set_or_remove(writer, Name::DatadogParentId, parent.as_bytes());
    headers.set_or_remove(
        writer,
        Name::DatadogSamplingPriority,
        priority_text.as_bytes(),
    );
    headers.set_or_remove(writer, Name::DatadogOrigin, &origin);
    headers.set_or_remove(writer, Name::DatadogTags, &tags);
    true
}

/// Returns the tags in the order of the received header, so that a header that is right already is not written again.
fn print_tags(facts: TraceData<'_>, context: &SpanContext, priority: Option<i32>) -> Vec<u8> {
    let digits = context.trace_id.to_hex();
    let mut tid = digits
        .first_chunk::<16>()
        .filter(|_| !context.trace_id.is_short());
    // Every tag counts with a comma, and the first has none, hence the limit plus one.
    let length = |name: &[u8], value: &[u8]| {
        TAG_OVERHEAD_BYTES
            .saturating_add(name.len())
            .saturating_add(value.len())
    };
    // Without the left half the other tags would belong to another trace.
    let reserved = tid.map_or(0, |tid| length(TID, tid));
    let mut free = (MAX_TAGS_BYTES + 1).saturating_sub(reserved);
    let mut text = Vec::with_capacity(USUAL_TAGS_BYTES);
    let mut push = |name: &[u8], value: &[u8]| {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(HEADER_PREFIX);
        text.extend_from_slice(name);
        text.push(b'=');
        text.extend_from_slice(value);
    };
    for (name, value) in facts.tags_beside(priority) {
        if name == TID {
            if let Some(tid) = tid.take() {
                push(TID, tid);
            }
        } else if let Some(rest) = free.checked_sub(length(name, value)) {
            free = rest;
            push(name, &facts.unescape(value));
        }
    }
    if let Some(tid) = tid {
        push(TID, tid);
    }
    text
}

/// Returns the value of the `dd` member of `tracestate` with the facts of the headers; `None` where the headers have no
/// facts beside the ids, which `traceparent` has. Parts that do not fit are left out, and characters that a member may
/// not have are replaced.
pub(super) fn member(headers: &RequestHeaders<'_>, sampling: SamplingState) -> Option<Vec<u8>> {
    let facts = TraceData::of_headers(headers);
    let mut member = Vec::with_capacity(USUAL_MEMBER_BYTES);
    let mut push = |pieces: [&[u8]; 4]| {
        let semicolon = usize::from(!member.is_empty());
        let length = pieces
            .iter()
            .fold(semicolon, |sum, piece| sum.saturating_add(piece.len()));
        if member.len().saturating_add(length) <= MAX_MEMBER_BYTES {
            if !member.is_empty() {
                member.push(b';');
            }
            let start = member.len();
            pieces
                .iter()
                .for_each(|piece| member.extend_from_slice(piece));
            let written = member.get_mut(start..).unwrap_or_default();
            written.iter_mut().for_each(|byte| *byte = escape(*byte));
        }
    };
    let priority = facts.priority_for(sampling);
    if let Some(priority) = priority {
        push([b"s:", print_priority(priority).as_bytes(), b"", b""]);
    }
    if !facts.origin.is_empty() {
        push([b"o:", facts.origin, b"", b""]);
    }
    if let Ok(Some(parent)) = parse_parent(headers) {
        push([b"p:", &parent.to_hex(), b"", b""]);
    }
    for (name, value) in facts.tags_beside(priority) {
        // A name with a colon could not be read back.
        if name != TID && !name.contains(&b':') {
            push([MEMBER_PREFIX, name, b":", value]);
        }
    }
    (!member.is_empty()).then_some(member)
}

/// Returns a byte as a part of the member may have it: `=` as `~`, and illegal bytes as `_`.
fn escape(byte: u8) -> u8 {
    match byte {
        b'=' => b'~',
        b'~' | b',' | b';' => b'_',
        b' '..=b'~' => byte,
        _ => b'_',
    }
}

/// Digits of the longest number of 64 bits.
const MAX_NUMBER_BYTES: usize = 20;
/// Length of the longest number of 32 bits, with a sign.
const MAX_PRIORITY_BYTES: usize = 11;
/// Length of a tag without its name and value: the prefix, `=` and a comma.
const TAG_OVERHEAD_BYTES: usize = HEADER_PREFIX.len() + 2;
/// Room for the left half of the trace id and the decision maker.
const USUAL_TAGS_BYTES: usize = 48;
/// Length beyond which Datadog's tracers drop all tags.
const MAX_TAGS_BYTES: usize = 512;
/// Room for a priority, a span id and the decision maker.
const USUAL_MEMBER_BYTES: usize = 48;
/// Length of the value beyond which Datadog's tracers drop the member, whose key and `=` count too (DD-5).
const MAX_MEMBER_BYTES: usize = 256 - b"dd=".len();

#[cfg(test)]
mod tests;
mod trace_data;
