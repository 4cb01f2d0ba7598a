//! The request in JSON, as the protocol has it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use serde_json::{Value as Json, json};

/// Returns the request in proto3's JSON with OTLP's two exceptions: ids in hexadecimal, kinds and codes as numbers.
pub fn json_of(request: &ExportTraceServiceRequest) -> Json {
    let scopes = |resource: &ResourceSpans| -> Vec<Json> {
        let scopes = resource.scope_spans.iter();
        scopes
            .map(|scope| {
                let mut object = json!({
                    "schemaUrl": scope.schema_url,
                    "spans": scope.spans.iter().map(span_json).collect::<Vec<_>>(),
                });
                if let Some(scope) = &scope.scope {
                    object["scope"] = json!({
                        "name": scope.name,
                        "version": scope.version,
                        "attributes": attributes_json(&scope.attributes),
                        "droppedAttributesCount": scope.dropped_attributes_count,
                    });
                }
                object
            })
            .collect()
    };
    let resources = request.resource_spans.iter();
    let resources = resources.map(|resource| {
        let mut object = json!({"schemaUrl": resource.schema_url, "scopeSpans": scopes(resource)});
        if let Some(resource) = &resource.resource {
            object["resource"] = json!({
                "attributes": attributes_json(&resource.attributes),
                "droppedAttributesCount": resource.dropped_attributes_count,
            });
        }
        object
    });
    json!({"resourceSpans": resources.collect::<Vec<_>>()})
}

fn span_json(span: &Span) -> Json {
    let mut object = json!({
        "traceId": hex::encode(&span.trace_id),
        "spanId": hex::encode(&span.span_id),
        "parentSpanId": hex::encode(&span.parent_span_id),
        "traceState": span.trace_state,
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(),
        "endTimeUnixNano": span.end_time_unix_nano.to_string(),
        "attributes": attributes_json(&span.attributes),
        "droppedAttributesCount": span.dropped_attributes_count,
        "events": span.events.iter().map(|event| json!({
            "timeUnixNano": event.time_unix_nano.to_string(),
            "name": event.name,
            "attributes": attributes_json(&event.attributes),
            "droppedAttributesCount": event.dropped_attributes_count,
        })).collect::<Vec<_>>(),
        "droppedEventsCount": span.dropped_events_count,
        "links": span.links.iter().map(|link| json!({
            "traceId": hex::encode(&link.trace_id),
            "spanId": hex::encode(&link.span_id),
            "traceState": link.trace_state,
            "attributes": attributes_json(&link.attributes),
            "droppedAttributesCount": link.dropped_attributes_count,
            "flags": link.flags,
        })).collect::<Vec<_>>(),
        "droppedLinksCount": span.dropped_links_count,
    });
    if let Some(status) = &span.status {
        object["status"] = json!({"message": status.message, "code": status.code});
    }
    object
}

fn attributes_json(attributes: &[KeyValue]) -> Vec<Json> {
    let attributes = attributes.iter();
    attributes
        .map(|it| json!({"key": it.key, "value": any_json(it.value.as_ref())}))
        .collect()
}

fn any_json(any: Option<&AnyValue>) -> Json {
    match any.and_then(|any| any.value.as_ref()) {
        Some(Any::StringValue(it)) => json!({"stringValue": it}),
        Some(Any::BoolValue(it)) => json!({"boolValue": it}),
        Some(Any::IntValue(it)) => json!({"intValue": it.to_string()}),
        Some(Any::DoubleValue(it)) if it.is_nan() => json!({"doubleValue": "NaN"}),
        Some(Any::DoubleValue(it)) if it.is_infinite() => json!({"doubleValue": "Infinity"}),
        Some(Any::DoubleValue(it)) => json!({"doubleValue": it}),
        Some(Any::BytesValue(it)) => json!({"bytesValue": BASE64.encode(it)}),
        Some(Any::ArrayValue(it)) => {
            let values = it.values.iter().map(|value| any_json(Some(value)));
            json!({"arrayValue": {"values": values.collect::<Vec<_>>()}})
        }
        Some(Any::KvlistValue(it)) => {
            json!({"kvlistValue": {"values": attributes_json(&it.values)}})
        }
        Some(Any::StringValueStrindex(_)) | None => json!({}),
    }
}
