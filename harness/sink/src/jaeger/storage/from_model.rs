//! Jaeger's spans in OTLP: the inverse of what Jaeger makes of OTLP
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/>).

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{self as common, AnyValue, InstrumentationScope};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::model::{self, KeyValue, Log, SpanRef, ValueType};
use super::time::Time;
use crate::jaeger::sanitize::{SERVICE_NAME, warn};

/// Returns the request that exports one span.
pub(super) fn request(span: model::Span) -> ExportTraceServiceRequest {
    let process = span.process.unwrap_or_default();
    let mut attributes = vec![text(SERVICE_NAME, process.service_name)];
    attributes.extend(process.tags.into_iter().map(attribute));
    let mut tags: Vec<common::KeyValue> = span.tags.into_iter().map(attribute).collect();
    let scope = InstrumentationScope {
        name: take_text(&mut tags, "otel.scope.name"),
        version: take_text(&mut tags, "otel.scope.version"),
        ..InstrumentationScope::default()
    };
    let nanos = |time: Option<Time>| time.map_or(0, |it| it.as_nanos());
    let start = u64::try_from(nanos(span.start_time)).unwrap_or_default();
    let duration = u64::try_from(nanos(span.duration)).unwrap_or_default();
    let parent = parent(&span.trace_id, &span.references);
    let is_parent = |it: &&SpanRef| it.ref_type == CHILD_OF && it.span_id == parent;
    let links = span.references.iter().filter(|it| !is_parent(it));
    let mut own = Span {
        links: links.map(link).collect(),
        parent_span_id: parent.clone(),
        trace_id: span.trace_id,
        span_id: span.span_id,
        trace_state: take_text(&mut tags, "w3c.tracestate"),
        flags: span.flags,
        name: span.operation_name,
        kind: kind(&take_text(&mut tags, "span.kind")).into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start.saturating_add(duration),
        events: span.logs.into_iter().map(event).collect(),
        status: status(&mut tags),
        ..Span::default()
    };
    own.attributes = tags;
    for warning in span.warnings {
        warn(&mut own, warning);
    }
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes,
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans: vec![own],
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

/// Returns the id of the parent: the first reference into the same trace that says so, else the first into it.
fn parent(trace_id: &[u8], references: &[SpanRef]) -> Vec<u8> {
    let own = || references.iter().filter(|it| it.trace_id == trace_id);
    let child = own().find(|it| it.ref_type == CHILD_OF);
    let parent = child.or_else(|| own().next());
    parent.map(|it| it.span_id.clone()).unwrap_or_default()
}

fn link(reference: &SpanRef) -> Link {
    let kind = match reference.ref_type {
        CHILD_OF => "child_of",
        _ => "follows_from",
    };
    Link {
        trace_id: reference.trace_id.clone(),
        span_id: reference.span_id.clone(),
        attributes: vec![text("opentracing.ref_type", kind.to_owned())],
        ..Link::default()
    }
}

fn event(log: Log) -> Event {
    let mut fields: Vec<common::KeyValue> = log.fields.into_iter().map(attribute).collect();
    let time = log.timestamp.map_or(0, |it| it.as_nanos());
    Event {
        time_unix_nano: u64::try_from(time).unwrap_or_default(),
        name: take_text(&mut fields, "event"),
        attributes: fields,
        dropped_attributes_count: 0,
    }
}

fn status(tags: &mut Vec<common::KeyValue>) -> Option<Status> {
    let is_error = |pair: &common::KeyValue| {
        pair.key == "error" && *value_of(pair) == Some(Value::BoolValue(true))
    };
    let error = tags.iter().position(is_error);
    let named = take_text(tags, "otel.status_code");
    let code = match (error, named.as_str()) {
        (Some(_), _) | (None, "ERROR") => StatusCode::Error,
        (None, "OK") => StatusCode::Ok,
        (None, _) => return None,
    };
    tags.retain(|pair| !is_error(pair));
    Some(Status {
        message: take_text(tags, "otel.status_description"),
        code: code.into(),
    })
}

fn kind(name: &str) -> SpanKind {
    match name {
        "internal" => SpanKind::Internal,
        "server" => SpanKind::Server,
        "client" => SpanKind::Client,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => SpanKind::Unspecified,
    }
}

fn attribute(pair: KeyValue) -> common::KeyValue {
    let value = match pair.v_type() {
        ValueType::String => Value::StringValue(pair.v_str),
        ValueType::Bool => Value::BoolValue(pair.v_bool),
        ValueType::Int64 => Value::IntValue(pair.v_int64),
        ValueType::Float64 => Value::DoubleValue(pair.v_float64),
        ValueType::Binary => Value::BytesValue(pair.v_binary),
    };
    common::KeyValue {
        key: pair.key,
        value: Some(AnyValue { value: Some(value) }),
        ..common::KeyValue::default()
    }
}

fn value_of(pair: &common::KeyValue) -> &Option<Value> {
    pair.value.as_ref().map_or(&None, |it| &it.value)
}

/// Takes the first text of a key out of the attributes; empty where there is none.
fn take_text(attributes: &mut Vec<common::KeyValue>, key: &str) -> String {
    let is_text = |pair: &common::KeyValue| {
        pair.key == key && matches!(value_of(pair), Some(Value::StringValue(_)))
    };
    let taken = attributes.iter().position(is_text);
    match taken.map(|at| attributes.remove(at).value) {
        Some(Some(AnyValue {
            value: Some(Value::StringValue(text)),
        })) => text,
        _ => String::new(),
    }
}

fn text(key: &str, text: String) -> common::KeyValue {
    common::KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(text)),
        }),
        ..common::KeyValue::default()
    }
}

/// The type of a reference to a parent.
const CHILD_OF: i32 = 0;
