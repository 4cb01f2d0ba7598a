//! The decoder of stored bytes into [`StoredSpan`]s.
//!
//! Everything is shown as sent, nonsense included, because a tool that repairs what it shows hides the bug.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value as WireValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use prost::Message as _;

use super::span::{Event, Link, Resource, Scope, SpanKind, SpanStatus, StatusCode, StoredSpan};
use super::value::{Attribute, Value};

/// Reads the fields around the spans of one resource and scope.
pub(super) fn context(resource: &[u8], scope: &[u8]) -> (Arc<Resource>, Arc<Scope>) {
    // The bytes were checked before they were stored; what a damaged file holds is shown as empty.
    let around = ResourceSpans::decode(resource).unwrap_or_default();
    let within = ScopeSpans::decode(scope).unwrap_or_default();
    (
        Arc::new(resource_of(around.resource, around.schema_url)),
        Arc::new(scope_of(within.scope, within.schema_url)),
    )
}

/// Reads one span.
pub(super) fn span(body: &[u8], resource: &Arc<Resource>, scope: &Arc<Scope>) -> StoredSpan {
    let wire = Span::decode(body).unwrap_or_default();
    let parent = wire.parent_span_id.as_slice();
    StoredSpan {
        trace_id: hex(&wire.trace_id),
        span_id: hex(&wire.span_id),
        parent_span_id: parent.iter().any(|byte| *byte != 0).then(|| hex(parent)),
        trace_state: wire.trace_state,
        flags: wire.flags,
        name: wire.name,
        kind: kind(wire.kind),
        start_unix_nanos: wire.start_time_unix_nano,
        end_unix_nanos: wire.end_time_unix_nano,
        attributes: attributes(wire.attributes),
        dropped_attributes_count: wire.dropped_attributes_count,
        events: wire.events.into_iter().map(event).collect(),
        dropped_events_count: wire.dropped_events_count,
        links: wire.links.into_iter().map(link).collect(),
        dropped_links_count: wire.dropped_links_count,
        status: status(wire.status.unwrap_or_default()),
        resource: Arc::clone(resource),
        scope: Arc::clone(scope),
    }
}

fn resource_of(wire: Option<WireResource>, schema_url: String) -> Resource {
    let wire = wire.unwrap_or_default();
    Resource {
        attributes: attributes(wire.attributes),
        dropped_attributes_count: wire.dropped_attributes_count,
        schema_url,
    }
}

fn scope_of(wire: Option<InstrumentationScope>, schema_url: String) -> Scope {
    let wire = wire.unwrap_or_default();
    Scope {
        name: wire.name,
        version: wire.version,
        attributes: attributes(wire.attributes),
        dropped_attributes_count: wire.dropped_attributes_count,
        schema_url,
    }
}

fn event(wire: span::Event) -> Event {
    Event {
        unix_nanos: wire.time_unix_nano,
        name: wire.name,
        attributes: attributes(wire.attributes),
        dropped_attributes_count: wire.dropped_attributes_count,
    }
}

fn link(wire: span::Link) -> Link {
    Link {
        trace_id: hex(&wire.trace_id),
        span_id: hex(&wire.span_id),
        trace_state: wire.trace_state,
        flags: wire.flags,
        attributes: attributes(wire.attributes),
        dropped_attributes_count: wire.dropped_attributes_count,
    }
}

fn status(wire: Status) -> SpanStatus {
    let code = match wire.code {
        0 => StatusCode::Unset,
        1 => StatusCode::Ok,
        2 => StatusCode::Error,
        other => StatusCode::Unknown(other),
    };
    SpanStatus {
        code,
        message: wire.message,
    }
}

pub(super) fn kind(number: i32) -> SpanKind {
    match number {
        0 => SpanKind::Unspecified,
        1 => SpanKind::Internal,
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        other => SpanKind::Unknown(other),
    }
}

fn attributes(wire: Vec<KeyValue>) -> Vec<Attribute> {
    wire.into_iter()
        .map(|pair| Attribute {
            key: pair.key,
            value: value(pair.value),
        })
        .collect()
}

fn value(wire: Option<AnyValue>) -> Value {
    match wire.and_then(|any| any.value) {
        // An index into a string table, which only the profiles signal has.
        None | Some(WireValue::StringValueStrindex(_)) => Value::Empty,
        Some(WireValue::StringValue(text)) => Value::String(text),
        Some(WireValue::BoolValue(truth)) => Value::Bool(truth),
        Some(WireValue::IntValue(number)) => Value::Int(number),
        Some(WireValue::DoubleValue(number)) => Value::Double(number),
        Some(WireValue::ArrayValue(array)) => Value::Array(
            array
                .values
                .into_iter()
                .map(|item| value(Some(item)))
                .collect(),
        ),
        Some(WireValue::KvlistValue(list)) => Value::Map(attributes(list.values)),
        Some(WireValue::BytesValue(bytes)) => Value::Bytes(bytes),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::store::golden;

    #[test]
    fn shows_every_field_of_a_span_and_of_what_stands_around_it() {
        let mut request = golden::request();
        let mut around = request.resource_spans.remove(0);
        let mut within = around.scope_spans.remove(0);
        within.spans.clear();
        let (resource, scope) = context(&around.encode_to_vec(), &within.encode_to_vec());
        let attribute = |key: &str, value: Value| Attribute {
            key: key.into(),
            value,
        };
        let expected = StoredSpan {
            trace_id: "ab".repeat(16),
            span_id: "0c".repeat(8),
            parent_span_id: Some("0d".repeat(8)),
            trace_state: "ot=th:8".into(),
            flags: 0x301,
            name: golden::full().name,
            kind: SpanKind::Server,
            start_unix_nanos: 10,
            end_unix_nanos: 25,
            attributes: vec![
                attribute("s", "v".into()),
                attribute("b", true.into()),
                attribute("i", i64::MIN.into()),
                attribute("d", 1.5.into()),
                attribute("inf", f64::NEG_INFINITY.into()),
                attribute("y", Value::Bytes(vec![0, 255, 62])),
                attribute("a", Value::Array(vec![1.into(), Value::Empty])),
                attribute("a0", Value::Array(vec![])),
                attribute("m", Value::Map(vec![attribute("k", 2.into())])),
                attribute("", "".into()),
                attribute("none", Value::Empty),
                attribute("s", "again".into()),
            ],
            dropped_attributes_count: 1,
            events: vec![Event {
                unix_nanos: 12,
                name: "retry".into(),
                attributes: vec![attribute("n", 3.into())],
                dropped_attributes_count: 2,
            }],
            dropped_events_count: 3,
            links: vec![Link {
                trace_id: "01".repeat(16),
                span_id: "02".repeat(8),
                trace_state: "a=b".into(),
                flags: 0x101,
                attributes: vec![attribute("l", (-0.0).into())],
                dropped_attributes_count: 4,
            }],
            dropped_links_count: u32::MAX,
            status: SpanStatus {
                code: StatusCode::Error,
                message: "boom".into(),
            },
            resource: Arc::new(Resource {
                attributes: vec![attribute("service.name", "cart".into())],
                dropped_attributes_count: 6,
                schema_url: "resource-schema".into(),
            }),
            scope: Arc::new(Scope {
                name: "lib".into(),
                version: "1.2".into(),
                attributes: vec![attribute("scope", false.into())],
                dropped_attributes_count: 7,
                schema_url: "scope-schema".into(),
            }),
        };
        assert_eq!(
            span(&golden::full().encode_to_vec(), &resource, &scope),
            expected
        );
    }

    #[test]
    fn shows_numbers_that_no_enumeration_has_yet() {
        assert_eq!(kind(17), SpanKind::Unknown(17));
        let status = status(Status {
            code: 9,
            ..Status::default()
        });
        assert_eq!(status.code, StatusCode::Unknown(9));
    }
}
