//! What is found wrong with a trace.

use serde::Serialize;

/// One thing that is wrong with a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// How bad it is.
    pub severity: Severity,
    /// The hop at which it is wrong, as far as it is known.
    pub hop: Option<Hop>,
    /// The most likely cause, as far as there is evidence for one.
    pub cause: Option<Cause>,
    /// The spans that show it, 16 hex digits each; the caller's first.
    pub span_ids: Vec<String>,
    /// The other trace, where the hop broke one trace into two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_trace_id: Option<String>,
    /// What is wrong, where, and what was seen.
    pub message: String,
    /// What to do about it.
    pub cure: String,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The trace does not go on where one service called another.
    BrokenHop,
    /// A span names a parent that is missing, and nothing tells whose it was.
    MissingParent,
    /// Several spans have no parent, and nothing tells why.
    SeveralRoots,
    /// A request came with two contexts that disagree.
    ConflictingFormats,
    /// Several spans have one id.
    DuplicateSpanId,
    /// A span is its own ancestor.
    Cycle,
    /// Spans say of no service that it made them.
    NoServiceName,
    /// A span began before the span that caused it, or after its end.
    ClockSkew,
}

/// The causes of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A service or tracer handed on no header of a format that the next one reads.
    FormatNotForwarded,
    /// The headers were removed between two proxies.
    HeaderStripped,
    /// One side recorded the request and the other did not.
    SampledHereNotThere,
    /// Something between the two put another context in place.
    ContextRewritten,
    /// The trace id lost its upper 64 bits.
    TraceIdCut,
    /// The clocks of two machines differ.
    ClockSkew,
    /// Spans that were recorded never came here.
    NotExported,
    /// One context was used for several requests.
    ContextReplayed,
}

/// The degrees of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The trace is not whole.
    Error,
    /// The trace is whole, and a reader may be misled.
    Warning,
}

/// Two services, one of which calls the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Hop {
    /// The service that calls.
    pub from: String,
    /// The service that is called.
    pub to: String,
}

impl FindingKind {
    /// Returns the name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::BrokenHop => "broken_hop",
            Self::MissingParent => "missing_parent",
            Self::SeveralRoots => "several_roots",
            Self::ConflictingFormats => "conflicting_formats",
            Self::DuplicateSpanId => "duplicate_span_id",
            Self::Cycle => "cycle",
            Self::NoServiceName => "no_service_name",
            Self::ClockSkew => "clock_skew",
        }
    }
}

impl Cause {
    /// Returns the name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::FormatNotForwarded => "format_not_forwarded",
            Self::HeaderStripped => "header_stripped",
            Self::SampledHereNotThere => "sampled_here_not_there",
            Self::ContextRewritten => "context_rewritten",
            Self::TraceIdCut => "trace_id_cut",
            Self::ClockSkew => "clock_skew",
            Self::NotExported => "not_exported",
            Self::ContextReplayed => "context_replayed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_json() {
        let json = |value: serde_json::Value| value.as_str().unwrap().to_owned();
        for kind in [
            FindingKind::BrokenHop,
            FindingKind::MissingParent,
            FindingKind::SeveralRoots,
            FindingKind::ConflictingFormats,
            FindingKind::DuplicateSpanId,
            FindingKind::Cycle,
            FindingKind::NoServiceName,
            FindingKind::ClockSkew,
        ] {
            assert_eq!(json(serde_json::to_value(kind).unwrap()), kind.name());
        }
        for cause in [
            Cause::FormatNotForwarded,
            Cause::HeaderStripped,
            Cause::SampledHereNotThere,
            Cause::ContextRewritten,
            Cause::TraceIdCut,
            Cause::ClockSkew,
            Cause::NotExported,
            Cause::ContextReplayed,
        ] {
            assert_eq!(json(serde_json::to_value(cause).unwrap()), cause.name());
        }
    }
}
