//! The fields that a condition can name.

use crate::store::TagScope;

/// A field of a span or of its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tempo) enum Field {
    /// An attribute; without a scope the span's, or else the resource's.
    Attribute(Option<TagScope>, String),
    /// A field that every span has.
    Intrinsic(Intrinsic),
}

/// A field that every span has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tempo) enum Intrinsic {
    Name,
    Duration,
    Status,
    StatusMessage,
    Kind,
    SpanId,
    ParentId,
    ChildCount,
    TraceId,
    TraceDuration,
    RootName,
    RootService,
    EventName,
    EventTime,
    LinkTraceId,
    LinkSpanId,
    ScopeName,
    ScopeVersion,
}

/// The type that the values of a field have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tempo) enum FieldType {
    /// Whatever the sender chose.
    Any,
    Text,
    Number,
    Status,
    Kind,
}

impl Intrinsic {
    /// Returns the field of a name, `name` as well as `span:name`.
    pub(in crate::tempo) fn named(name: &str) -> Option<Self> {
        let mut names = NAMES.into_iter();
        names.find(|(known, _)| *known == name).map(|(_, it)| it)
    }

    /// Returns the names that complete what a person types, in alphabetical order.
    pub(in crate::tempo) fn names() -> Vec<&'static str> {
        let mut names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names
    }

    /// Returns the name that Tempo shows beside a value in an answer; `None` for the fields that an answer has anyway.
    pub(in crate::tempo) fn shown_name(self) -> Option<&'static str> {
        match self {
            Self::Name
            | Self::Duration
            | Self::SpanId
            | Self::TraceId
            | Self::TraceDuration
            | Self::RootName
            | Self::RootService => None,
            other => NAMES
                .into_iter()
                .find(|(_, it)| *it == other)
                .map(|(name, _)| name),
        }
    }

    fn field_type(self) -> FieldType {
        match self {
            Self::Status => FieldType::Status,
            Self::Kind => FieldType::Kind,
            Self::Duration | Self::TraceDuration | Self::EventTime | Self::ChildCount => {
                FieldType::Number
            }
            _ => FieldType::Text,
        }
    }
}

impl Field {
    pub(in crate::tempo) fn field_type(&self) -> FieldType {
        match self {
            Self::Attribute(..) => FieldType::Any,
            Self::Intrinsic(intrinsic) => intrinsic.field_type(),
        }
    }
}

impl FieldType {
    /// Returns what the values of the type are, for messages.
    pub(in crate::tempo) fn words(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Text => "a string",
            Self::Number => "a number or duration",
            Self::Status => "error, ok or unset",
            Self::Kind => "server, client, producer, consumer, internal or unspecified",
        }
    }
}

/// The older name of a field stands first, because answers show that one.
const NAMES: [(&str, Intrinsic); 26] = [
    ("name", Intrinsic::Name),
    ("duration", Intrinsic::Duration),
    ("status", Intrinsic::Status),
    ("statusMessage", Intrinsic::StatusMessage),
    ("kind", Intrinsic::Kind),
    ("rootName", Intrinsic::RootName),
    ("rootServiceName", Intrinsic::RootService),
    ("traceDuration", Intrinsic::TraceDuration),
    ("span:name", Intrinsic::Name),
    ("span:duration", Intrinsic::Duration),
    ("span:status", Intrinsic::Status),
    ("span:statusMessage", Intrinsic::StatusMessage),
    ("span:kind", Intrinsic::Kind),
    ("span:id", Intrinsic::SpanId),
    ("span:parentID", Intrinsic::ParentId),
    ("span:childCount", Intrinsic::ChildCount),
    ("trace:id", Intrinsic::TraceId),
    ("trace:duration", Intrinsic::TraceDuration),
    ("trace:rootName", Intrinsic::RootName),
    ("trace:rootService", Intrinsic::RootService),
    ("event:name", Intrinsic::EventName),
    ("event:timeSinceStart", Intrinsic::EventTime),
    ("link:traceID", Intrinsic::LinkTraceId),
    ("link:spanID", Intrinsic::LinkSpanId),
    ("instrumentation:name", Intrinsic::ScopeName),
    ("instrumentation:version", Intrinsic::ScopeVersion),
];
