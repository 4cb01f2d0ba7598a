//! The decoder of an `ExportTraceServiceRequest` into [`StoredSpan`]s.
//!
//! A span with invalid ids is refused: the trace id must have 16 bytes and the span id 8, neither all zero (`trace.proto`,
//! "invalid"), and the parent id, where there is one, 8. The rest of the request is kept, and the answer counts the refused
//! spans in `partial_success`. An all-zero parent id is read as none, as the Collector does. Everything else is kept as
//! sent, nonsense included, because a tool that repairs what it shows hides the bug.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as WireValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span};

use crate::store::{
    Attribute, Event, Link, Resource, Scope, SpanKind, SpanStatus, StatusCode, StoredSpan, Value,
};

/// The spans of one request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    /// The spans with valid ids, in the order sent.
    pub(crate) spans: Vec<StoredSpan>,
    /// The reason for each refused span.
    pub(crate) refused: Vec<&'static str>,
}

/// Reads all spans of a request.
pub(crate) fn decode(request: ExportTraceServiceRequest) -> Decoded {
    let mut decoded = Decoded::default();
    for resource_spans in request.resource_spans {
        let resource = Arc::new(resource(resource_spans.resource, resource_spans.schema_url));
        for scope_spans in resource_spans.scope_spans {
            let scope = Arc::new(scope(scope_spans.scope, scope_spans.schema_url));
            for wire in scope_spans.spans {
                match stored(wire, &resource, &scope) {
                    Ok(span) => decoded.spans.push(span),
                    Err(reason) => decoded.refused.push(reason),
                }
            }
        }
    }
    decoded
}

fn stored(
    wire: Span,
    resource: &Arc<Resource>,
    scope: &Arc<Scope>,
) -> Result<StoredSpan, &'static str> {
    let parent_span_id = match wire.parent_span_id.as_slice() {
        [] => None,
        parent if parent.len() != 8 => return Err("expected a parent span id of 8 bytes"),
        parent if is_zero(parent) => None,
        parent => Some(hex(parent)),
    };
    if wire.trace_id.len() != 16 || is_zero(&wire.trace_id) {
        return Err("expected a trace id of 16 bytes, not all zero");
    }
    if wire.span_id.len() != 8 || is_zero(&wire.span_id) {
        return Err("expected a span id of 8 bytes, not all zero");
    }
    Ok(StoredSpan {
        trace_id: hex(&wire.trace_id),
        span_id: hex(&wire.span_id),
        parent_span_id,
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
    })
}

fn resource(wire: Option<WireResource>, schema_url: String) -> Resource {
    let wire = wire.unwrap_or_default();
    Resource {
        attributes: attributes(wire.attributes),
        dropped_attributes_count: wire.dropped_attributes_count,
        schema_url,
    }
}

fn scope(wire: Option<InstrumentationScope>, schema_url: String) -> Scope {
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

fn kind(number: i32) -> SpanKind {
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

fn is_zero(id: &[u8]) -> bool {
    id.iter().all(|byte| *byte == 0)
}

fn hex(bytes: &[u8]) -> String {
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
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

    fn wire() -> Span {
        Span {
            trace_id: vec![0xAB; 16],
            span_id: vec![0x0C; 8],
            parent_span_id: vec![0x0D; 8],
            name: "GET /orders".into(),
            kind: 2,
            start_time_unix_nano: 10,
            end_time_unix_nano: 25,
            ..Span::default()
        }
    }

    fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                scope_spans: vec![ScopeSpans {
                    spans,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        }
    }

    fn any(value: WireValue) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn pair(key: &str, value: WireValue) -> KeyValue {
        KeyValue {
            key: key.into(),
            value: Some(any(value)),
            ..KeyValue::default()
        }
    }

    #[test]
    fn refuses_a_span_whose_ids_are_not_ids_and_keeps_its_neighbours() {
        let trace = "expected a trace id of 16 bytes, not all zero";
        let span = "expected a span id of 8 bytes, not all zero";
        let parent = "expected a parent span id of 8 bytes";
        type Row = (&'static str, fn(&mut Span), &'static str);
        let rows: [Row; 8] = [
            ("no trace id", |s| s.trace_id.clear(), trace),
            ("short trace id", |s| s.trace_id.truncate(15), trace),
            ("long trace id", |s| s.trace_id.push(1), trace),
            ("zero trace id", |s| s.trace_id.fill(0), trace),
            ("no span id", |s| s.span_id.clear(), span),
            ("long span id", |s| s.span_id.push(1), span),
            ("zero span id", |s| s.span_id.fill(0), span),
            ("short parent", |s| s.parent_span_id.truncate(7), parent),
        ];
        for (name, change, reason) in rows {
            let mut changed = wire();
            change(&mut changed);
            let decoded = decode(request(vec![wire(), changed]));
            assert_eq!(decoded.refused, [reason], "{name}");
            assert_eq!(decoded.spans.len(), 1, "{name}");
        }
    }

    #[test]
    fn reads_an_absent_and_a_zero_parent_as_a_root() {
        for parent in [vec![], vec![0; 8]] {
            let root = Span {
                parent_span_id: parent,
                ..wire()
            };
            assert_eq!(decode(request(vec![root])).spans[0].parent_span_id, None);
        }
    }

    #[test]
    fn keeps_every_field_of_a_span_and_of_its_envelopes() {
        let full = Span {
            trace_state: "ot=th:8".into(),
            flags: 0x301,
            attributes: vec![
                pair("s", WireValue::StringValue("v".into())),
                pair("b", WireValue::BoolValue(true)),
                pair("i", WireValue::IntValue(-7)),
                pair("d", WireValue::DoubleValue(1.5)),
                pair("y", WireValue::BytesValue(vec![0, 255])),
                pair(
                    "a",
                    WireValue::ArrayValue(ArrayValue {
                        values: vec![any(WireValue::IntValue(1)), AnyValue::default()],
                    }),
                ),
                pair(
                    "m",
                    WireValue::KvlistValue(KeyValueList {
                        values: vec![pair("k", WireValue::IntValue(2))],
                    }),
                ),
            ],
            dropped_attributes_count: 1,
            events: vec![span::Event {
                time_unix_nano: 12,
                name: "retry".into(),
                attributes: vec![pair("n", WireValue::IntValue(3))],
                dropped_attributes_count: 2,
            }],
            dropped_events_count: 3,
            links: vec![span::Link {
                trace_id: vec![1; 16],
                span_id: vec![2; 8],
                trace_state: "a=b".into(),
                attributes: vec![],
                dropped_attributes_count: 4,
                flags: 0x101,
            }],
            dropped_links_count: 5,
            status: Some(Status {
                message: "boom".into(),
                code: 2,
            }),
            ..wire()
        };
        let mut request = request(vec![full]);
        let envelope = &mut request.resource_spans[0];
        envelope.schema_url = "resource-schema".into();
        envelope.resource = Some(WireResource {
            attributes: vec![pair("service.name", WireValue::StringValue("cart".into()))],
            dropped_attributes_count: 6,
            ..WireResource::default()
        });
        envelope.scope_spans[0].schema_url = "scope-schema".into();
        envelope.scope_spans[0].scope = Some(InstrumentationScope {
            name: "lib".into(),
            version: "1.2".into(),
            attributes: vec![],
            dropped_attributes_count: 7,
        });

        let decoded = decode(request);
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
            name: "GET /orders".into(),
            kind: SpanKind::Server,
            start_unix_nanos: 10,
            end_unix_nanos: 25,
            attributes: vec![
                attribute("s", "v".into()),
                attribute("b", true.into()),
                attribute("i", (-7).into()),
                attribute("d", 1.5.into()),
                attribute("y", Value::Bytes(vec![0, 255])),
                attribute("a", Value::Array(vec![1.into(), Value::Empty])),
                attribute("m", Value::Map(vec![attribute("k", 2.into())])),
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
                attributes: vec![],
                dropped_attributes_count: 4,
            }],
            dropped_links_count: 5,
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
                attributes: vec![],
                dropped_attributes_count: 7,
                schema_url: "scope-schema".into(),
            }),
        };
        assert_eq!(decoded.spans, [expected]);
        assert_eq!(decoded.spans[0].service(), "cart");
        assert_eq!(decoded.spans[0].duration_nanos(), 15);
    }
}
