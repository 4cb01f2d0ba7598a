//! The canonical ids and contexts of the tests, as `filter/RULES.md` has them ("Symbols"), and requests that carry
//! them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use super::context::{Extracted, Outgoing, SamplingState, SpanContext};
use super::format::{Format, FormatSet};
use super::tracestate::Tracestate;
use crate::ids::{SpanId, TraceId};
use crate::in_memory::header_list::HeaderList;

/// A trace id of 128 bits.
pub(super) const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The right half of [`T`].
pub(super) const T64: &str = "a3ce929d0e0e4736";
/// A span id.
pub(super) const S: &str = "00f067aa0ba902b7";
/// The span id of the caller's parent.
pub(super) const P: &str = "05e3ac9a4f6e3b90";

/// Returns the context of these ids.
pub(super) fn context(sampling: SamplingState) -> SpanContext {
    SpanContext {
        trace_id: TraceId::from_hex(T.as_bytes()).unwrap(),
        span_id: SpanId::from_hex(S.as_bytes()).ok(),
        sampling,
        random: false,
        short_trace_id: false,
    }
}

/// Returns the answer of a format that has the context.
pub(super) fn found(sampling: SamplingState) -> Extracted {
    Extracted::Context(context(sampling))
}

/// Returns a request that arrived without trace context and leaves with this context or decision.
pub(super) fn saying(context: Option<SpanContext>, decision: SamplingState) -> Outgoing<'static> {
    Outgoing {
        context,
        decision,
        tracestate: &Tracestate::Absent,
        same_trace: FormatSet::default(),
        present: FormatSet::default(),
        request_ids: FormatSet::default(),
        traceparent: OnceCell::new(),
    }
}

/// Returns a request that arrived without trace context and leaves with this context.
pub(super) fn carrying(context: SpanContext) -> Outgoing<'static> {
    saying(Some(context), SamplingState::Deferred)
}

/// Returns a request that arrived in this format and leaves with this context.
pub(super) fn carrying_in(format: Format, context: SpanContext) -> Outgoing<'static> {
    let own: FormatSet = [format].into_iter().collect();
    Outgoing {
        same_trace: own,
        present: own,
        ..carrying(context)
    }
}

/// Returns all headers, in alphabetical order.
pub(super) fn lines(headers: &HeaderList) -> Vec<String> {
    let mut lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", core::str::from_utf8(value).unwrap()))
        .collect();
    lines.sort();
    lines
}
