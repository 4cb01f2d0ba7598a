//! Summaries of traces in JSON, for both ends: `{"traces":[…]}`.
//!
//! Numbers of 64 bits are text, as in OTLP's JSON, because many readers of JSON have no such numbers.

use serde::{Deserialize, Serialize};

use super::text::kind_of;
use crate::store::{Root, SpanKind, TraceSummary};

/// The error of JSON that is no summary.
#[derive(Debug, thiserror::Error)]
#[error("not a summary of traces: {0}")]
pub struct SummaryError(#[from] serde_json::Error);

#[derive(Serialize, Deserialize)]
struct WireTraces {
    traces: Vec<WireSummary>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSummary {
    trace_id: String,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    duration_nano: String,
    spans: u64,
    errors: u64,
    services: Vec<String>,
    root: Option<WireRoot>,
    arrived_time_unix_nano: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRoot {
    service: String,
    name: String,
    kind: String,
    duration_nano: String,
}

impl WireSummary {
    fn of(summary: &TraceSummary) -> Self {
        let (start, end) = (summary.start_unix_nanos, summary.end_unix_nanos);
        Self {
            trace_id: summary.trace_id.clone(),
            start_time_unix_nano: start.to_string(),
            end_time_unix_nano: end.to_string(),
            duration_nano: end.saturating_sub(start).to_string(),
            spans: summary.spans,
            errors: summary.errors,
            services: summary.services.clone(),
            root: summary.root.as_ref().map(|root| WireRoot {
                service: root.service.clone(),
                name: root.name.clone(),
                kind: root.kind.to_string(),
                duration_nano: root.duration_nanos.to_string(),
            }),
            arrived_time_unix_nano: summary.arrived_unix_nanos.to_string(),
        }
    }

    fn summary(self) -> TraceSummary {
        // A number that is none is shown as 0, because a reader of a later version must not lose the trace.
        let number = |text: String| text.parse().unwrap_or(0);
        TraceSummary {
            trace_id: self.trace_id,
            start_unix_nanos: number(self.start_time_unix_nano),
            end_unix_nanos: number(self.end_time_unix_nano),
            spans: self.spans,
            errors: self.errors,
            root: self.root.map(|root| Root {
                service: root.service,
                name: root.name,
                kind: kind_of(&root.kind).unwrap_or(SpanKind::Unspecified),
                duration_nanos: number(root.duration_nano),
            }),
            services: self.services,
            arrived_unix_nanos: number(self.arrived_time_unix_nano),
        }
    }
}

/// Writes a summary as an object, in one line.
pub fn write_summary(summary: &TraceSummary) -> String {
    // Texts, numbers and lists of them always become JSON.
    serde_json::to_string(&WireSummary::of(summary)).unwrap_or_default()
}

/// Writes summaries as `{"traces":[…]}`, in one line.
pub fn write_summaries(summaries: &[TraceSummary]) -> String {
    let traces = summaries.iter().map(WireSummary::of).collect();
    serde_json::to_string(&WireTraces { traces }).unwrap_or_default()
}

/// Reads a summary.
///
/// # Errors
/// [`SummaryError`] when it is none.
pub fn read_summary(json: &[u8]) -> Result<TraceSummary, SummaryError> {
    let wire: WireSummary = serde_json::from_slice(json)?;
    Ok(wire.summary())
}

/// Reads `{"traces":[…]}`.
///
/// # Errors
/// [`SummaryError`] when it is none.
pub fn read_summaries(json: &[u8]) -> Result<Vec<TraceSummary>, SummaryError> {
    let wire: WireTraces = serde_json::from_slice(json)?;
    Ok(wire.traces.into_iter().map(WireSummary::summary).collect())
}
