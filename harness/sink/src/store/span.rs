//! The span as this sink keeps it: plain values, cheap to build and to compare in a test.
//!
//! Field for field it is `opentelemetry.proto.trace.v1.Span` with the envelopes that it came in; nothing that
//! the protocol carries is left out. Invariants: `trace_id` is 32 lower-case hex digits and `span_id` 16, neither
//! all zero; `parent_span_id` is `None` for a root, never an empty or zero id.

use std::fmt;
use std::sync::Arc;

use super::value::{Attribute, Value, cost, find};

/// One span, with the resource and the scope that it was sent under.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSpan {
    /// 32 lower-case hex digits.
    pub trace_id: String,
    /// 16 lower-case hex digits.
    pub span_id: String,
    /// The parent's `span_id`; `None` for a root.
    pub parent_span_id: Option<String>,
    /// The W3C `tracestate` of this span's context, as sent.
    pub trace_state: String,
    /// Bits 0 to 7 are the W3C flags, 0x100 "the parent's remoteness is known", 0x200 "the parent is remote".
    pub flags: u32,
    /// The span's name.
    pub name: String,
    /// Which side of which exchange this span is.
    pub kind: SpanKind,
    /// Nanoseconds since 1970 when it began.
    pub start_unix_nanos: u64,
    /// Nanoseconds since 1970 when it ended; a sender with a bad clock may say less than the start.
    pub end_unix_nanos: u64,
    /// In the order sent, duplicates included.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
    /// In the order sent.
    pub events: Vec<Event>,
    /// How many events the sender dropped.
    pub dropped_events_count: u32,
    /// In the order sent.
    pub links: Vec<Link>,
    /// How many links the sender dropped.
    pub dropped_links_count: u32,
    /// Whether the sender calls it failed.
    pub status: SpanStatus,
    /// Who made the span.
    pub resource: Arc<Resource>,
    /// Which library made the span.
    pub scope: Arc<Scope>,
}

impl StoredSpan {
    /// Returns the first attribute of this key.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        find(&self.attributes, key)
    }

    /// Returns the resource's `service.name`, or `unknown_service` as the conventions say for its absence.
    pub fn service(&self) -> &str {
        find(&self.resource.attributes, "service.name")
            .and_then(Value::as_str)
            .unwrap_or("unknown_service")
    }

    /// Returns how long the span took; 0 when it ends before it starts.
    pub fn duration_nanos(&self) -> u64 {
        self.end_unix_nanos.saturating_sub(self.start_unix_nanos)
    }

    /// Whether the sender calls this span failed.
    pub fn is_error(&self) -> bool {
        self.status.code == StatusCode::Error
    }

    /// Returns what the span costs in memory. The shared envelopes are counted in full for every span, because the
    /// last one alive keeps them: a bound on the sum may be too high, never too low.
    pub(crate) fn cost_bytes(&self) -> usize {
        let parent = self.parent_span_id.as_ref().map_or(0, String::len);
        let events: usize = self
            .events
            .iter()
            .map(|event| size_of::<Event>() + event.name.len() + cost(&event.attributes))
            .sum();
        let links: usize = self
            .links
            .iter()
            .map(|link| {
                size_of::<Link>()
                    + link.trace_id.len()
                    + link.span_id.len()
                    + link.trace_state.len()
                    + cost(&link.attributes)
            })
            .sum();
        size_of::<Self>()
            + self.trace_id.len()
            + self.span_id.len()
            + parent
            + self.trace_state.len()
            + self.name.len()
            + self.status.message.len()
            + cost(&self.attributes)
            + events
            + links
            + size_of::<Resource>()
            + self.resource.schema_url.len()
            + cost(&self.resource.attributes)
            + size_of::<Scope>()
            + self.scope.name.len()
            + self.scope.version.len()
            + self.scope.schema_url.len()
            + cost(&self.scope.attributes)
    }
}

/// Who made the spans: `opentelemetry.proto.resource.v1.Resource` and the schema URL of its envelope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// In the order sent.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
    /// The version of the semantic conventions that the resource follows.
    pub schema_url: String,
}

impl Resource {
    /// Returns the first attribute of this key.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        find(&self.attributes, key)
    }
}

/// Which library made the spans, and the schema URL of its envelope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// The library's name.
    pub name: String,
    /// The library's version.
    pub version: String,
    /// In the order sent.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
    /// The version of the semantic conventions that the spans follow.
    pub schema_url: String,
}

/// What happened at one moment of a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Nanoseconds since 1970.
    pub unix_nanos: u64,
    /// The event's name.
    pub name: String,
    /// In the order sent.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
}

/// Another span that this one has to do with.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Lower-case hex, of whatever length was sent.
    pub trace_id: String,
    /// Lower-case hex, of whatever length was sent.
    pub span_id: String,
    /// The W3C `tracestate` of the linked context.
    pub trace_state: String,
    /// As in [`StoredSpan::flags`].
    pub flags: u32,
    /// In the order sent.
    pub attributes: Vec<Attribute>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
}

/// Which side of which exchange a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// 0: the sender did not say.
    Unspecified,
    /// 1: inside one process.
    Internal,
    /// 2: the side that is asked.
    Server,
    /// 3: the side that asks.
    Client,
    /// 4: puts a message into a queue.
    Producer,
    /// 5: takes a message from a queue.
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
    /// Unset, ok or error.
    pub code: StatusCode,
    /// Meant for people; empty unless the code is an error.
    pub message: String,
}

/// The code of a [`SpanStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusCode {
    /// 0: the sender did not say.
    Unset,
    /// 1: the sender says it went well.
    Ok,
    /// 2: the sender says it failed.
    Error,
    /// A number that this version of the protocol does not know.
    Unknown(i32),
}
