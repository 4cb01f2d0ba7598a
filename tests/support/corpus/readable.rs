//! Spans in which every field of OTLP has a value, and odd values where other programs read them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::attribute::{list, map, nothing, pair, text};

/// The trace of all spans.
pub const TRACE_ID: [u8; 16] = [
    0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c,
];
/// The services of the resources.
pub const SERVICES: [&str; 2] = ["cart", "zahlung-grün"];

/// Returns one request: two resources, in each two scopes, in each a span of every kind.
pub fn request() -> ExportTraceServiceRequest {
    let resources = SERVICES.iter().zip(0..).map(|(service, index)| {
        let spans = |scope: u8| {
            let numbers = (0..=5).map(move |kind| (index * 2 + scope) * 8 + kind);
            numbers.map(span).collect()
        };
        let scopes = [("sidespan", "0.1.0"), ("", "")].into_iter().zip(0..);
        ResourceSpans {
            resource: Some(Resource {
                attributes: [vec![text("service.name", service)], attributes()].concat(),
                dropped_attributes_count: 1 + u32::from(index),
                entity_refs: Vec::new(),
            }),
            scope_spans: scopes
                .map(|((name, version), number)| ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: name.into(),
                        version: version.into(),
                        attributes: attributes(),
                        dropped_attributes_count: 3,
                    }),
                    spans: spans(number),
                    schema_url: format!("https://opentelemetry.io/schemas/1.{number}.0"),
                })
                .collect(),
            schema_url: "https://opentelemetry.io/schemas/1.44.0".into(),
        }
    });
    ExportTraceServiceRequest {
        resource_spans: resources.collect(),
    }
}

/// Returns [`request`] without the attributes in [`NOT_JSON`].
pub fn plain() -> ExportTraceServiceRequest {
    let is_plain = |pair: &KeyValue| !NOT_JSON.contains(&pair.key.as_str());
    let mut request = request();
    for resource_spans in &mut request.resource_spans {
        if let Some(resource) = &mut resource_spans.resource {
            resource.attributes.retain(is_plain);
        }
        for scope_spans in &mut resource_spans.scope_spans {
            if let Some(scope) = &mut scope_spans.scope {
                scope.attributes.retain(is_plain);
            }
            for span in &mut scope_spans.spans {
                // To the Collector an absent status is an empty one, which means the same.
                span.status.get_or_insert_default();
                span.attributes.retain(is_plain);
                span.events
                    .iter_mut()
                    .for_each(|it| it.attributes.retain(is_plain));
                span.links
                    .iter_mut()
                    .for_each(|it| it.attributes.retain(is_plain));
            }
        }
    }
    request
}

/// Returns the number of spans of a request.
pub fn count(request: &ExportTraceServiceRequest) -> usize {
    let scopes = request.resource_spans.iter().flat_map(|it| &it.scope_spans);
    scopes.map(|scope| scope.spans.len()).sum()
}

/// Returns the span of a number, from which its ids, kind, times and status come.
fn span(number: u8) -> Span {
    let kind = i32::from(number % 8);
    let start = 1_790_000_000_000_000_000 + u64::from(number) * 1_000_000_001;
    Span {
        trace_id: TRACE_ID.into(),
        span_id: vec![0xb7, 0, 0, 0, 0, 0, 0, number + 1],
        parent_span_id: match number {
            0 => Vec::new(),
            _ => vec![0xb7, 0, 0, 0, 0, 0, 0, number],
        },
        trace_state: "ot=th:8;rv:9b8233f7e3a151,vendor=a/b".into(),
        flags: 0x301,
        name: NAMES[usize::from(number) % NAMES.len()].into(),
        kind,
        start_time_unix_nano: start,
        // One span ends before it starts, as under a wrong clock, and one takes no time.
        end_time_unix_nano: match kind {
            4 => start - 5,
            5 => start,
            _ => start + 1_234_567,
        },
        attributes: attributes(),
        dropped_attributes_count: 4,
        events: vec![Event {
            time_unix_nano: start + 1,
            name: "exception".into(),
            attributes: attributes(),
            dropped_attributes_count: 5,
        }],
        dropped_events_count: 6,
        links: vec![Link {
            trace_id: vec![number + 1; 16],
            span_id: vec![number + 1; 8],
            trace_state: "vendor=linked".into(),
            attributes: attributes(),
            dropped_attributes_count: 7,
            flags: 0x101,
        }],
        dropped_links_count: 8,
        status: match kind {
            0 => None,
            _ => Some(Status {
                code: kind % 3,
                message: ["", "", "upstream \"reset\"\n"][usize::from(number) % 8 % 3].into(),
            }),
        },
    }
}

/// Returns attributes of every type.
fn attributes() -> Vec<KeyValue> {
    let list_of_two = list([Value::StringValue("a".into()), Value::IntValue(-1)]);
    let map_of_two = map(vec![
        text("inner", "value"),
        pair("deeper", Value::IntValue(7)),
    ]);
    let mut all: Vec<_> = [
        (
            "text",
            Value::StringValue("Größe <b>'; DROP TABLE 🚲\u{0}".into()),
        ),
        ("empty", Value::StringValue(String::new())),
        ("true", Value::BoolValue(true)),
        ("false", Value::BoolValue(false)),
        ("least", Value::IntValue(i64::MIN)),
        ("most", Value::IntValue(i64::MAX)),
        ("zero", Value::IntValue(0)),
        ("fraction", Value::DoubleValue(0.1)),
        ("infinite", Value::DoubleValue(f64::INFINITY)),
        ("tiny", Value::DoubleValue(f64::MIN_POSITIVE)),
        ("list", list_of_two),
        ("empty list", list([])),
        ("map", map_of_two),
        ("bytes", Value::BytesValue(vec![0, 0xff, 0x7f])),
    ]
    .map(|(key, value)| pair(key, value))
    .into();
    all.push(nothing("nothing"));
    all
}

/// Keys of attributes that others do not read from JSON although proto3 allows their values there: Jaeger answers 500 for a
/// trace with an infinite number, and OpenTelemetry's types in Rust take neither the text `Infinity` nor a list `{}`, both of
/// which the Collector writes.
const NOT_JSON: [&str; 2] = ["infinite", "empty list"];
/// Names of spans.
const NAMES: [&str; 3] = ["GET /api/orders/{id}", "", "名前 \u{1b}[31m"];
