//! A finished span, and the attributes that it collects while it is open.
//!
//! Attributes are kept in the form in which they leave, so that each is written once: a span costs one growing buffer
//! and no tree of values. A span has at most 128 attributes (OpenTelemetry's default), and counts those beyond; a value
//! has at most 1,024 bytes, and is cut (RS-5).

pub mod attributes;
pub(crate) mod encoded_key;
pub mod spare_blocks;
pub(crate) mod wire;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ids::{SpanId, TraceId};
use crate::span::attributes::Attributes;
use crate::time::Nanos;

/// A finished span.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace id.
    pub trace_id: TraceId,
    /// The span id.
    pub span_id: SpanId,
    /// The caller's span id; `None` for a root.
    pub parent_span_id: Option<SpanId>,
    /// W3C's `tracestate`, as it was sent upstream.
    pub trace_state: Vec<u8>,
    /// OTLP's flags: W3C's in the low byte, and two bits on a remote parent.
    pub flags: u32,
    /// The name: `{method}`, or `{method} {target}`.
    pub name: Cow<'static, str>,
    /// The side of the call.
    pub kind: SpanKind,
    /// The time when the request's headers arrived.
    pub start: Nanos,
    /// The time when the stream ended; never before `start`.
    pub end: Nanos,
    /// The attributes.
    pub attributes: Attributes,
    /// A link to another trace that this request was also part of.
    // Boxed, because hardly any span has one, and all would be moved with its room.
    pub link: Option<Box<Link>>,
    /// The status.
    pub status: Status,
}

/// A link to a context that was received and not continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The trace id of the context.
    pub trace_id: TraceId,
    /// The span id of the context.
    pub span_id: SpanId,
    /// The reason why the context was not continued.
    pub reason: LinkReason,
}

/// The reason why a context was not continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkReason {
    /// Another trace in a format that is read earlier.
    ConflictingFormat,
    /// A new trace for each outside context (`trust.context` is `restart`).
    Restarted,
}

impl LinkReason {
    /// Returns the value of `link.reason`.
    #[inline]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConflictingFormat => "conflicting_format",
            Self::Restarted => "restarted",
        }
    }
}

/// The side of a call that a span describes, by OTLP's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// The side that answers.
    Server = 2,
    /// The side that asks.
    Client = 3,
}

/// OpenTelemetry's span status; `Ok` is for applications alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nothing to report.
    #[default]
    Unset,
    /// A failure.
    Error,
}
