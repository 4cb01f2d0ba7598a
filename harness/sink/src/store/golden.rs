//! A request with every field of the protocol and odd values, for tests.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};

/// Returns two spans of one trace: one with every field, one with as few as are allowed.
pub(crate) fn request() -> ExportTraceServiceRequest {
    let small = Span {
        trace_id: vec![0xAB; 16],
        span_id: vec![0x0E; 8],
        start_time_unix_nano: u64::MAX,
        kind: 17,
        status: Some(Status::default()),
        ..Span::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![pair("service.name", Value::StringValue("cart".into()))],
                dropped_attributes_count: 6,
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "lib".into(),
                    version: "1.2".into(),
                    attributes: vec![pair("scope", Value::BoolValue(false))],
                    dropped_attributes_count: 7,
                }),
                spans: vec![full(), small],
                schema_url: "scope-schema".into(),
            }],
            schema_url: "resource-schema".into(),
        }],
    }
}

/// Returns a span with every field.
pub(crate) fn full() -> Span {
    Span {
        trace_id: vec![0xAB; 16],
        span_id: vec![0x0C; 8],
        trace_state: "ot=th:8".into(),
        parent_span_id: vec![0x0D; 8],
        flags: 0x301,
        name: "GET /orders \u{0}\"\\<b>é\u{10FFFF}".into(),
        kind: 2,
        start_time_unix_nano: 10,
        end_time_unix_nano: 25,
        attributes: vec![
            pair("s", Value::StringValue("v".into())),
            pair("b", Value::BoolValue(true)),
            pair("i", Value::IntValue(i64::MIN)),
            pair("d", Value::DoubleValue(1.5)),
            pair("inf", Value::DoubleValue(f64::NEG_INFINITY)),
            pair("y", Value::BytesValue(vec![0, 255, 62])),
            pair(
                "a",
                list(vec![any(Value::IntValue(1)), AnyValue::default()]),
            ),
            pair("a0", list(vec![])),
            pair(
                "m",
                Value::KvlistValue(KeyValueList {
                    values: vec![pair("k", Value::IntValue(2))],
                }),
            ),
            pair("", Value::StringValue(String::new())),
            KeyValue {
                key: "none".into(),
                ..KeyValue::default()
            },
            pair("s", Value::StringValue("again".into())),
        ],
        dropped_attributes_count: 1,
        events: vec![span::Event {
            time_unix_nano: 12,
            name: "retry".into(),
            attributes: vec![pair("n", Value::IntValue(3))],
            dropped_attributes_count: 2,
        }],
        dropped_events_count: 3,
        links: vec![span::Link {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            trace_state: "a=b".into(),
            attributes: vec![pair("l", Value::DoubleValue(-0.0))],
            dropped_attributes_count: 4,
            flags: 0x101,
        }],
        dropped_links_count: u32::MAX,
        status: Some(Status {
            message: "boom".into(),
            code: 2,
        }),
    }
}

fn list(values: Vec<AnyValue>) -> Value {
    Value::ArrayValue(ArrayValue { values })
}

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

pub(crate) fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(any(value)),
        ..KeyValue::default()
    }
}
