//! Sample spans for the unit tests of this folder.

use std::sync::Arc;

use crate::store::samples;
use crate::store::{Attribute, Link, Resource, Scope, SpanKind, StoredSpan, Value};

/// Returns a span `(trace, id, parent)` of a service that takes `(start, duration)` in milliseconds. Ids are padded with
/// zeros, a parent of 0 is none, and Sidespan made the span because its trace was sampled.
pub(super) fn span(
    service: &str,
    kind: SpanKind,
    (trace, id, parent): (u64, u64, u64),
    (start, duration): (u64, u64),
) -> StoredSpan {
    let start_unix_nanos = 1_700_000_000_000_000_000 + start * 1_000_000;
    StoredSpan {
        trace_id: format!(
            "{:032x}",
            u128::from(trace) << 64 | 0xabc0 | u128::from(trace)
        ),
        parent_span_id: (parent > 0).then(|| format!("{parent:016x}")),
        name: "GET".into(),
        kind,
        start_unix_nanos,
        end_unix_nanos: start_unix_nanos + duration * 1_000_000,
        resource: Arc::new(Resource {
            attributes: vec![attribute("service.name", service.into())],
            ..Resource::default()
        }),
        scope: Arc::new(Scope {
            name: "sidespan".into(),
            ..Scope::default()
        }),
        attributes: vec![attribute("sidespan.decision", "received".into())],
        span_id: format!("{id:016x}"),
        ..samples::span("1", None)
    }
}

/// Adds an attribute, before those that are there.
pub(super) fn with(mut span: StoredSpan, key: &str, value: &str) -> StoredSpan {
    span.attributes.insert(0, attribute(key, value.into()));
    span
}

/// Returns a call of a service.
pub(super) fn call(service: &str, to: &str, ids: (u64, u64, u64), times: (u64, u64)) -> StoredSpan {
    with(
        span(service, SpanKind::Client, ids, times),
        "server.address",
        to,
    )
}

/// Makes a span one that another tracer made.
pub(super) fn by(scope: &str, mut span: StoredSpan) -> StoredSpan {
    span.scope = Arc::new(Scope {
        name: scope.into(),
        ..Scope::default()
    });
    span.attributes.retain(|it| it.key != "sidespan.decision");
    span
}

/// Adds a link to another span, with a reason.
pub(super) fn linked(mut span: StoredSpan, to: &StoredSpan, reason: &str) -> StoredSpan {
    span.links.push(Link {
        trace_id: to.trace_id.clone(),
        span_id: to.span_id.clone(),
        trace_state: String::new(),
        flags: 0,
        attributes: vec![attribute("link.reason", reason.into())],
        dropped_attributes_count: 0,
    });
    span
}

fn attribute(key: &str, value: Value) -> Attribute {
    Attribute {
        key: key.into(),
        value,
    }
}
