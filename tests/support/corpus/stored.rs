//! Both sides of a comparison: spans as they were sent, and as the store gives them back.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use sidespan_sink::{Attribute, SpanKind, StatusCode, StoredSpan, Value};

/// A span with the envelopes that it came in, as lines of text: a NaN is equal to itself in them.
pub fn lines_sent(request: &ExportTraceServiceRequest) -> Vec<String> {
    let mut lines = Vec::new();
    for resource in &request.resource_spans {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                // Absent and empty are one to OTLP's fields that are messages with defaults.
                let span = Span {
                    status: Some(span.status.clone().unwrap_or_default()),
                    ..span.clone()
                };
                lines.push(line(
                    &span,
                    scope.scope.clone().unwrap_or_default(),
                    &scope.schema_url,
                    resource.resource.clone().unwrap_or_default(),
                    &resource.schema_url,
                ));
            }
        }
    }
    lines.sort();
    lines
}

/// Returns the same lines of what the store gives back.
pub fn lines_kept<'a>(spans: impl IntoIterator<Item = &'a StoredSpan>) -> Vec<String> {
    let lines = spans.into_iter().map(|stored| {
        let scope = InstrumentationScope {
            name: stored.scope.name.clone(),
            version: stored.scope.version.clone(),
            attributes: sent_again(&stored.scope.attributes),
            dropped_attributes_count: stored.scope.dropped_attributes_count,
        };
        let resource = Resource {
            attributes: sent_again(&stored.resource.attributes),
            dropped_attributes_count: stored.resource.dropped_attributes_count,
            ..Resource::default()
        };
        line(
            &span_again(stored),
            scope,
            &stored.scope.schema_url,
            resource,
            &stored.resource.schema_url,
        )
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

fn line(
    span: &Span,
    scope: InstrumentationScope,
    scope_schema: &str,
    resource: Resource,
    resource_schema: &str,
) -> String {
    format!("{span:?} | {scope:?} {scope_schema:?} | {resource:?} {resource_schema:?}")
}

fn span_again(stored: &StoredSpan) -> Span {
    let id = |digits: &str| hex::decode(digits).expect("an id");
    Span {
        trace_id: id(&stored.trace_id),
        span_id: id(&stored.span_id),
        trace_state: stored.trace_state.clone(),
        parent_span_id: stored.parent_span_id.as_deref().map(id).unwrap_or_default(),
        flags: stored.flags,
        name: stored.name.clone(),
        kind: match stored.kind {
            SpanKind::Unspecified => 0,
            SpanKind::Internal => 1,
            SpanKind::Server => 2,
            SpanKind::Client => 3,
            SpanKind::Producer => 4,
            SpanKind::Consumer => 5,
            SpanKind::Unknown(number) => number,
        },
        start_time_unix_nano: stored.start_unix_nanos,
        end_time_unix_nano: stored.end_unix_nanos,
        attributes: sent_again(&stored.attributes),
        dropped_attributes_count: stored.dropped_attributes_count,
        events: stored
            .events
            .iter()
            .map(|event| Event {
                time_unix_nano: event.unix_nanos,
                name: event.name.clone(),
                attributes: sent_again(&event.attributes),
                dropped_attributes_count: event.dropped_attributes_count,
            })
            .collect(),
        dropped_events_count: stored.dropped_events_count,
        links: stored
            .links
            .iter()
            .map(|link| Link {
                trace_id: id(&link.trace_id),
                span_id: id(&link.span_id),
                trace_state: link.trace_state.clone(),
                attributes: sent_again(&link.attributes),
                dropped_attributes_count: link.dropped_attributes_count,
                flags: link.flags,
            })
            .collect(),
        dropped_links_count: stored.dropped_links_count,
        status: Some(Status {
            message: stored.status.message.clone(),
            code: match stored.status.code {
                StatusCode::Unset => 0,
                StatusCode::Ok => 1,
                StatusCode::Error => 2,
                StatusCode::Unknown(number) => number,
            },
        }),
    }
}

fn sent_again(attributes: &[Attribute]) -> Vec<KeyValue> {
    let attributes = attributes.iter();
    attributes
        .map(|it| KeyValue {
            key: it.key.clone(),
            value: Some(any_again(&it.value)),
            ..KeyValue::default()
        })
        .collect()
}

fn any_again(value: &Value) -> AnyValue {
    let value = match value {
        Value::Empty => None,
        Value::String(it) => Some(Any::StringValue(it.clone())),
        Value::Bool(it) => Some(Any::BoolValue(*it)),
        Value::Int(it) => Some(Any::IntValue(*it)),
        Value::Double(it) => Some(Any::DoubleValue(*it)),
        Value::Bytes(it) => Some(Any::BytesValue(it.clone())),
        Value::Array(it) => Some(Any::ArrayValue(ArrayValue {
            values: it.iter().map(any_again).collect(),
        })),
        Value::Map(it) => Some(Any::KvlistValue(KeyValueList {
            values: sent_again(it),
        })),
    };
    AnyValue { value }
}
