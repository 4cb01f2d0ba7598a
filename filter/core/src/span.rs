//! A finished span, and the attributes that it collects while it is open.
//!
//! Attributes are kept in the form in which they leave, so that each is written once: a span costs one growing buffer
//! and no tree of values. Limits: 128 attributes a span (OpenTelemetry's default) and 1,024 bytes a value; what is over
//! is counted on the span itself.

pub mod attributes;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::ids::{SpanId, TraceId};
use crate::span::attributes::Attributes;
use crate::time::Nanos;

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span that called, if there is one.
    pub parent_span_id: Option<SpanId>,
    /// W3C's `tracestate`, as it went upstream.
    pub trace_state: Vec<u8>,
    /// OTLP's flags: W3C's in the low byte, and whether the parent is remote.
    pub flags: u32,
    /// `{method}`, or `{method} {target}`.
    pub name: Cow<'static, str>,
    /// Which side of the call.
    pub kind: SpanKind,
    /// When the request's headers arrived.
    pub start: Nanos,
    /// When the stream ended; never before `start`.
    pub end: Nanos,
    /// What is known of it.
    pub attributes: Attributes,
    /// Another trace that this request was also part of.
    pub link: Option<Link>,
    /// Whether it failed.
    pub status: Status,
}

/// A context that came in beside, or instead of, the one that was continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its span.
    pub span_id: SpanId,
    /// Why it was not continued.
    pub reason: LinkReason,
}

/// Why a context was not continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkReason {
    /// A format that is read earlier told of another trace.
    ConflictingFormat,
    /// Contexts from outside start a new trace here.
    Restarted,
}

impl LinkReason {
    /// The value of `link.reason`.
    #[inline]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConflictingFormat => "conflicting_format",
            Self::Restarted => "restarted",
        }
    }
}

/// Which side of a call a span describes (OTLP's numbers).
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
    /// It failed.
    Error,
}
