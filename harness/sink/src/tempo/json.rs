//! A trace in the JSON of Tempo, which is protobuf's and not OTLP's: ids in base64, enumerations by name, and no field that
//! has its default.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde_json::{Map, Value, json};

use crate::store;

/// Returns the resources with their spans.
pub(super) fn resource_spans(all: &[ResourceSpans]) -> Value {
    list(all, |it| {
        object([
            ("resource", it.resource.as_ref().map(resource)),
            ("scopeSpans", nonempty(&it.scope_spans, scope_spans)),
            ("schemaUrl", text(&it.schema_url)),
        ])
    })
}

/// Returns a value of the store as protobuf's JSON of an `AnyValue`.
pub(super) fn value(value: &store::Value) -> Value {
    match value {
        store::Value::Empty => json!({}),
        store::Value::String(text) => json!({ "stringValue": text }),
        store::Value::Bool(truth) => json!({ "boolValue": truth }),
        store::Value::Int(number) => json!({ "intValue": number.to_string() }),
        store::Value::Double(number) => json!({ "doubleValue": double(*number) }),
        store::Value::Bytes(bytes) => json!({ "bytesValue": STANDARD.encode(bytes) }),
        store::Value::Array(values) => {
            let values: Vec<Value> = values.iter().map(self::value).collect();
            json!({ "arrayValue": { "values": values } })
        }
        store::Value::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|pair| json!({ "key": pair.key, "value": self::value(&pair.value) }));
            json!({ "kvlistValue": { "values": pairs.collect::<Vec<Value>>() } })
        }
    }
}

fn resource(resource: &Resource) -> Value {
    object([
        ("attributes", nonempty(&resource.attributes, pair)),
        (
            "droppedAttributesCount",
            number(resource.dropped_attributes_count),
        ),
    ])
}

fn scope_spans(it: &ScopeSpans) -> Value {
    object([
        ("scope", it.scope.as_ref().map(scope)),
        ("spans", nonempty(&it.spans, span)),
        ("schemaUrl", text(&it.schema_url)),
    ])
}

fn scope(scope: &InstrumentationScope) -> Value {
    object([
        ("name", text(&scope.name)),
        ("version", text(&scope.version)),
        ("attributes", nonempty(&scope.attributes, pair)),
        (
            "droppedAttributesCount",
            number(scope.dropped_attributes_count),
        ),
    ])
}

fn span(span: &Span) -> Value {
    let kind =
        SpanKind::try_from(span.kind).map_or(json!(span.kind), |kind| json!(kind.as_str_name()));
    object([
        ("traceId", bytes(&span.trace_id)),
        ("spanId", bytes(&span.span_id)),
        ("traceState", text(&span.trace_state)),
        ("parentSpanId", bytes(&span.parent_span_id)),
        ("flags", number(span.flags)),
        ("name", text(&span.name)),
        ("kind", (span.kind != 0).then_some(kind)),
        ("startTimeUnixNano", time(span.start_time_unix_nano)),
        ("endTimeUnixNano", time(span.end_time_unix_nano)),
        ("attributes", nonempty(&span.attributes, pair)),
        (
            "droppedAttributesCount",
            number(span.dropped_attributes_count),
        ),
        ("events", nonempty(&span.events, event)),
        ("droppedEventsCount", number(span.dropped_events_count)),
        ("links", nonempty(&span.links, link)),
        ("droppedLinksCount", number(span.dropped_links_count)),
        // Tempo has a status for every span.
        (
            "status",
            Some(status(&span.status.clone().unwrap_or_default())),
        ),
    ])
}

fn event(event: &Event) -> Value {
    object([
        ("timeUnixNano", time(event.time_unix_nano)),
        ("name", text(&event.name)),
        ("attributes", nonempty(&event.attributes, pair)),
        (
            "droppedAttributesCount",
            number(event.dropped_attributes_count),
        ),
    ])
}

fn link(link: &Link) -> Value {
    object([
        ("traceId", bytes(&link.trace_id)),
        ("spanId", bytes(&link.span_id)),
        ("traceState", text(&link.trace_state)),
        ("attributes", nonempty(&link.attributes, pair)),
        (
            "droppedAttributesCount",
            number(link.dropped_attributes_count),
        ),
        ("flags", number(link.flags)),
    ])
}

fn status(status: &Status) -> Value {
    let code = StatusCode::try_from(status.code)
        .map_or(json!(status.code), |code| json!(code.as_str_name()));
    object([
        ("message", text(&status.message)),
        ("code", (status.code != 0).then_some(code)),
    ])
}

fn pair(pair: &KeyValue) -> Value {
    object([
        ("key", text(&pair.key)),
        ("value", pair.value.as_ref().map(any)),
    ])
}

fn any(value: &AnyValue) -> Value {
    match &value.value {
        None | Some(Any::StringValueStrindex(_)) => json!({}),
        Some(Any::StringValue(text)) => json!({ "stringValue": text }),
        Some(Any::BoolValue(truth)) => json!({ "boolValue": truth }),
        Some(Any::IntValue(number)) => json!({ "intValue": number.to_string() }),
        Some(Any::DoubleValue(number)) => json!({ "doubleValue": double(*number) }),
        Some(Any::BytesValue(bytes)) => json!({ "bytesValue": STANDARD.encode(bytes) }),
        Some(Any::ArrayValue(array)) => {
            json!({ "arrayValue": object([("values", nonempty(&array.values, any))]) })
        }
        Some(Any::KvlistValue(map)) => {
            json!({ "kvlistValue": object([("values", nonempty(&map.values, pair))]) })
        }
    }
}

/// Returns a number with a fraction; what JSON has no number for as protobuf's name of it.
fn double(number: f64) -> Value {
    match number {
        number if number.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        number => json!(number),
    }
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let present = fields.into_iter();
    let present = present.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<String, Value>>())
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(write).collect())
}

fn nonempty<T>(items: &[T], write: impl Fn(&T) -> Value) -> Option<Value> {
    (!items.is_empty()).then(|| list(items, write))
}

fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| json!(text))
}

fn bytes(bytes: &[u8]) -> Option<Value> {
    (!bytes.is_empty()).then(|| json!(STANDARD.encode(bytes)))
}

fn number(number: u32) -> Option<Value> {
    (number != 0).then(|| json!(number))
}

fn time(nanos: u64) -> Option<Value> {
    (nanos != 0).then(|| json!(nanos.to_string()))
}
