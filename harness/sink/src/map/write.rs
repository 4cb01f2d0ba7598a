//! The map in JSON. Numbers of 64 bits are text, as in OTLP's JSON.

use serde::Serialize;

use super::tally::{Requests, Tally};
use crate::store::Outlines;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireMap<'a> {
    nodes: Vec<WireNode<'a>>,
    edges: Vec<WireEdge<'a>>,
    span_seconds: String,
    traces: usize,
    spans: usize,
    left_out_traces: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireNode<'a> {
    service: &'a str,
    r#virtual: bool,
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also_named: Vec<&'a str>,
    #[serde(flatten)]
    requests: WireRequests,
    without_caller: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireEdge<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(flatten)]
    requests: WireRequests,
    tries: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireRequests {
    requests: usize,
    errors: u64,
    p50_nano: Option<String>,
    p99_nano: Option<String>,
    weighted: f64,
}

impl WireRequests {
    fn of(requests: &Requests) -> Self {
        let percentile = |percent| requests.percentile(percent).map(|nanos| nanos.to_string());
        Self {
            requests: requests.count(),
            errors: requests.errors,
            p50_nano: percentile(50),
            p99_nano: percentile(99),
            // A thousandth of a request is finer than any threshold's own precision.
            weighted: (requests.weighted * 1_000.0).round() / 1_000.0,
        }
    }
}

/// Writes the map, in one line. `asked` is the range of time that was asked for; `now` is for a range without an end.
pub(super) fn write(
    tally: &Tally,
    outlines: &Outlines,
    asked: (Option<u64>, Option<u64>),
    now: u64,
) -> String {
    let map = WireMap {
        nodes: tally
            .nodes
            .iter()
            .map(|(service, node)| WireNode {
                service,
                r#virtual: node.kind.is_some(),
                kind: node.kind.map_or("service", |kind| kind.word()),
                also_named: node.names.iter().map(String::as_str).collect(),
                requests: WireRequests::of(&node.requests),
                without_caller: node.without_caller,
            })
            .collect(),
        edges: tally
            .edges
            .iter()
            .map(|((from, to), requests)| WireEdge {
                from,
                to,
                requests: WireRequests::of(requests),
                tries: requests.tries,
            })
            .collect(),
        span_seconds: seconds(covered(outlines, asked, now)),
        traces: outlines.traces.len(),
        spans: outlines.traces.iter().map(Vec::len).sum(),
        left_out_traces: outlines.left_out,
    };
    // Texts, numbers and lists of them always become JSON.
    serde_json::to_string(&map).unwrap_or_default()
}

/// Returns the range of time that the map covers, in nanoseconds: the one that was asked for, where all of it was read, and
/// else from the start of the first span to the end of the last.
fn covered(outlines: &Outlines, asked: (Option<u64>, Option<u64>), now: u64) -> u64 {
    let spans = || outlines.traces.iter().flatten();
    // A span without a time would make it half a century.
    let first = spans().map(|span| span.start).filter(|start| *start > 0);
    let first = first.min().unwrap_or_default();
    let last = spans().map(|span| span.end).max().unwrap_or_default();
    match asked {
        (Some(from), to) if outlines.left_out == 0 => to.unwrap_or(now).saturating_sub(from),
        _ => last.saturating_sub(first),
    }
}

fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
