//! The tags of a search: attributes of the span, its scope, its resource or its events, compared as text, and the tags that
//! the answers show beside them.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::translate::{kind, status_code};
use super::value::text_of;
use crate::store::SpanTest;

/// Returns the test of spans that have all tags.
pub(super) fn all(tags: Vec<(String, String)>) -> SpanTest {
    Arc::new(move |resource, scope, span| {
        let mut tags = tags.iter();
        tags.all(|(key, value)| has(key, value, resource, scope, span))
    })
}

fn has(key: &str, value: &str, resource: &ResourceSpans, scope: &ScopeSpans, span: &Span) -> bool {
    let is_among = |attributes: &[KeyValue]| {
        let own = attributes.iter().filter(|pair| pair.key == key);
        let mut texts = own.map(|it| text_of(it.value.as_ref().and_then(|it| it.value.as_ref())));
        texts.any(|text| text == value)
    };
    is_among(&span.attributes)
        || scope
            .scope
            .as_ref()
            .is_some_and(|it| is_among(&it.attributes))
        || resource
            .resource
            .as_ref()
            .is_some_and(|it| is_among(&it.attributes))
        || span.events.iter().any(|it| is_among(&it.attributes))
        || is_shown(key, value, scope, span)
}

/// Returns true for a tag that is no attribute but that the answers show.
fn is_shown(key: &str, value: &str, scope: &ScopeSpans, span: &Span) -> bool {
    let is = |text: &str| !text.is_empty() && text == value;
    let status = span.status.as_ref();
    let code = status.map_or(StatusCode::Unset, |it| it.code());
    match key {
        "error" => match code {
            StatusCode::Error => value == "true",
            StatusCode::Unset | StatusCode::Ok => value == "false",
        },
        "span.kind" => is(kind(span.kind)),
        "otel.status_code" => is(status_code(code)),
        "otel.status_description" => status.is_some_and(|it| is(&it.message)),
        "w3c.tracestate" => is(&span.trace_state),
        "otel.scope.name" => scope.scope.as_ref().is_some_and(|it| is(&it.name)),
        "otel.scope.version" => scope.scope.as_ref().is_some_and(|it| is(&it.version)),
        "event" => span.events.iter().any(|it| is(&it.name)),
        _ => false,
    }
}
