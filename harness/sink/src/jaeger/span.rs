//! Jaeger's model of a trace, as its JSON shows it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::tag::Tag;

/// A trace of `/api/traces`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trace {
    #[serde(rename = "traceID")]
    pub(super) trace_id: String,
    pub(super) spans: Vec<Span>,
    pub(super) processes: BTreeMap<String, Process>,
    /// Jaeger has none for a whole trace.
    pub(super) warnings: Option<()>,
}

/// A span.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    #[serde(rename = "traceID")]
    pub(super) trace_id: String,
    #[serde(rename = "spanID")]
    pub(super) span_id: String,
    pub(super) operation_name: String,
    pub(super) references: Vec<Reference>,
    /// The start, in microseconds since 1970.
    pub(super) start_time: u64,
    /// The duration, in microseconds.
    pub(super) duration: u64,
    pub(super) tags: Vec<Tag>,
    pub(super) logs: Vec<Log>,
    #[serde(rename = "processID")]
    pub(super) process_id: String,
    pub(super) warnings: Option<Vec<String>>,
}

/// A reference of a span to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reference {
    pub(super) ref_type: RefType,
    #[serde(rename = "traceID")]
    pub(super) trace_id: String,
    #[serde(rename = "spanID")]
    pub(super) span_id: String,
}

/// The type of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum RefType {
    ChildOf,
    FollowsFrom,
}

impl RefType {
    /// Returns the name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ChildOf => "CHILD_OF",
            Self::FollowsFrom => "FOLLOWS_FROM",
        }
    }
}

/// An event of a span.
#[derive(Debug, Serialize)]
pub(super) struct Log {
    /// The moment, in microseconds since 1970.
    pub(super) timestamp: u64,
    pub(super) fields: Vec<Tag>,
}

/// The process that made spans: OTLP's resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Process {
    pub(super) service_name: String,
    pub(super) tags: Vec<Tag>,
}
