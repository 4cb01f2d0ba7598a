//! The span as the sink keeps it: plain values, cheap to build and to compare in a test.
//!
//! A span has every field of `opentelemetry.proto.trace.v1.Span`, and of the `ResourceSpans` and `ScopeSpans` around it.
//! Invariants: `trace_id` is 32 lower-case hex digits and `span_id` 16, neither all zero; `parent_span_id` is `None` for a
//! root, never an empty or zero id.

use std::fmt;
use std::sync::Arc;

use super::value::{Attribute, Value, find};

/// One span, with the resource and the scope that were sent with it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSpan {
    /// The trace id, 32 lower-case hex digits.
    pub trace_id: String,
    /// The span id, 16 lower-case hex digits.
    pub span_id: String,
    /// The parent's `span_id`; `None` for a root.
    pub parent_span_id: Option<String>,
    /// The W3C `tracestate` of this span's context, as sent.
    pub trace_state: String,
    /// The flags: bits 0 to 7 are W3C's, 0x100 is "the parent's remoteness is known", 0x200 "the parent is remote".
    pub flags: u32,
    /// The span's name.
    pub name: String,
    /// The span's kind.
    pub kind: SpanKind,
    /// The start, in nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// The end, in nanoseconds since 1970; with a wrong clock it can be before the start.
    pub end_unix_nanos: u64,
    /// The attributes in the order sent, duplicates included.
    pub attributes: Vec<Attribute>,
    /// The number of attributes that the sender dropped.
    pub dropped_attributes_count: u32,
    /// The events in the order sent.
    pub events: Vec<Event>,
    /// The number of events that the sender dropped.
    pub dropped_events_count: u32,
    /// The links in the order sent.
    pub links: Vec<Link>,
    /// The number of links that the sender dropped.
    pub dropped_links_count: u32,
    /// The status that the sender set.
    pub status: SpanStatus,
    /// The entity that made the span.
    pub resource: Arc<Resource>,
    /// The instrumentation scope that made the span.
    pub scope: Arc<Scope>,
}

impl StoredSpan {
    /// Returns the first attribute of this key.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        find(&self.attributes, key)
    }

    /// Returns the resource's `service.name`, or `unknown_service`, the semantic conventions' value for its absence.
    pub fn service(&self) -> &str {
        find(&self.resource.attributes, "service.name")
            .and_then(Value::as_str)
            .unwrap_or(UNKNOWN_SERVICE)
    }

    /// Returns the duration of the span; 0 when the end is before the start.
    pub fn duration_nanos(&self) -> u64 {
        self.end_unix_nanos.saturating_sub(self.start_unix_nanos)
    }

    /// Returns true if the sender set the status to error.
    pub fn is_error(&self) -> bool {
        self.status.code == StatusCode::Error
    }
}

/// The entity that made the spans: `opentelemetry.proto.resource.v1.Resource` and the schema URL of its `ResourceSpans`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// The attributes in the order sent.
    pub attributes: Vec<Attribute>,
    /// The number of attributes that the sender dropped.
    pub dropped_attributes_count: u32,
    /// The schema URL, which names the version of the semantic conventions that the resource follows.
    pub schema_url: String,
}

impl Resource {
    /// Returns the first attribute of this key.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        find(&self.attributes, key)
    }
}

/// The instrumentation scope of the spans, a library as a rule, and the schema URL of its `ScopeSpans`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// The scope's name.
    pub name: String,
    /// The scope's version.
    pub version: String,
    /// The attributes in the order sent.
    pub attributes: Vec<Attribute>,
    /// The number of attributes that the sender dropped.
    pub dropped_attributes_count: u32,
    /// The schema URL, which names the version of the semantic conventions that the spans follow.
    pub schema_url: String,
}

/// An event at one moment of a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The moment, in nanoseconds since 1970.
    pub unix_nanos: u64,
    /// The event's name.
    pub name: String,
    /// The attributes in the order sent.
    pub attributes: Vec<Attribute>,
    /// The number of attributes that the sender dropped.
    pub dropped_attributes_count: u32,
}

/// A link from a span to another span.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The linked trace id: lower-case hex, of whatever length was sent.
    pub trace_id: String,
    /// The linked span id: lower-case hex, of whatever length was sent.
    pub span_id: String,
    /// The W3C `tracestate` of the linked context.
    pub trace_state: String,
    /// The flags, with the bits of [`StoredSpan::flags`].
    pub flags: u32,
    /// The attributes in the order sent.
    pub attributes: Vec<Attribute>,
    /// The number of attributes that the sender dropped.
    pub dropped_attributes_count: u32,
}

/// The kind of a span: its side of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// Number 0, when the sender set none.
    Unspecified,
    /// Number 1, an operation inside one process.
    Internal,
    /// Number 2, the side that answers a request.
    Server,
    /// Number 3, the side that sends a request.
    Client,
    /// Number 4, the sender of a message.
    Producer,
    /// Number 5, the receiver of a message.
    Consumer,
    /// A number that this version of the protocol does not know.
    Unknown(i32),
}

impl fmt::Display for SpanKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Internal => "INTERNAL",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Producer => "PRODUCER",
            Self::Consumer => "CONSUMER",
            Self::Unknown(_) => "UNKNOWN",
        })
    }
}

/// The span's status: a code, and for errors a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanStatus {
    /// The code: unset, ok or error.
    pub code: StatusCode,
    /// The description for people; empty unless the code is an error.
    pub message: String,
}

/// The code of a [`SpanStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusCode {
    /// Number 0, when the sender set none.
    Unset,
    /// Number 1, a success by the sender's judgement.
    Ok,
    /// Number 2, a failure by the sender's judgement.
    Error,
    /// A number that this version of the protocol does not know.
    Unknown(i32),
}

/// The semantic conventions' value for an absent `service.name`.
pub(super) const UNKNOWN_SERVICE: &str = "unknown_service";
