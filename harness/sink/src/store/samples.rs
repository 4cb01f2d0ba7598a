//! Sample spans for the unit tests of this crate.

use std::sync::Arc;

use super::span::{Resource, Scope, SpanKind, SpanStatus, StatusCode, StoredSpan};
use super::value::Attribute;

/// Returns a span of trace `aaaa…` whose id is padded with zeros; the span starts at its id and takes 10 ns.
pub(crate) fn span(id: &str, parent: Option<&str>) -> StoredSpan {
    let start = u64::from_str_radix(id, 16).unwrap();
    StoredSpan {
        trace_id: "a".repeat(32),
        span_id: format!("{id:0>16}"),
        parent_span_id: parent.map(|parent| format!("{parent:0>16}")),
        trace_state: String::new(),
        flags: 0x301,
        name: format!("span {id}"),
        kind: SpanKind::Server,
        start_unix_nanos: start,
        end_unix_nanos: start + 10,
        attributes: vec![],
        dropped_attributes_count: 0,
        events: vec![],
        dropped_events_count: 0,
        links: vec![],
        dropped_links_count: 0,
        status: SpanStatus {
            code: StatusCode::Unset,
            message: String::new(),
        },
        resource: Arc::new(Resource {
            attributes: vec![Attribute {
                key: "service.name".into(),
                value: "shop".into(),
            }],
            ..Resource::default()
        }),
        scope: Arc::new(Scope::default()),
    }
}
