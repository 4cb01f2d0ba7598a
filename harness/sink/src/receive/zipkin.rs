//! Zipkin's spans (version 2, JSON) as OTLP's.
//!
//! The mapping is that of OpenTelemetry's specification read backwards
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/>); where it is silent, names are those of the
//! semantic conventions. A trace id of 16 digits is padded with zeros, as by the Collector. The server's half of a shared
//! span has the ids of the client's, and another kind.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as WireValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::Deserialize;
use serde_json::{Map, Value};

const NANOS_PER_MICRO: u64 = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinSpan {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    timestamp: Option<u64>,
    duration: Option<u64>,
    debug: Option<bool>,
    shared: Option<bool>,
    local_endpoint: Option<Endpoint>,
    remote_endpoint: Option<Endpoint>,
    annotations: Option<Vec<Annotation>>,
    tags: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    service_name: Option<String>,
    ipv4: Option<String>,
    ipv6: Option<String>,
    port: Option<u16>,
}

#[derive(Deserialize)]
struct Annotation {
    timestamp: u64,
    value: String,
}

/// Reads a list of spans.
///
/// # Errors
/// The place and the cause, when the text is no such list: Zipkin has no partial success, so nothing of it is kept.
pub(super) fn read(json: &[u8]) -> Result<ExportTraceServiceRequest, String> {
    let spans: Vec<ZipkinSpan> = serde_json::from_slice(json)
        .map_err(|error| format!("no list of Zipkin spans: {error}"))?;
    let mut resource_spans: Vec<ResourceSpans> = Vec::new();
    let mut last: Option<(Option<String>, InstrumentationScope)> = None;
    for (index, span) in spans.into_iter().enumerate() {
        let (service, scope, span) =
            converted(span).map_err(|cause| format!("[{index}]{cause}"))?;
        let place = (service, scope);
        // A reporter sends the spans of one service, so that looking at the last suffices.
        if last.as_ref() != Some(&place) {
            resource_spans.push(envelope(&place.0, &place.1));
            last = Some(place);
        }
        let scopes = resource_spans.last_mut().map(|it| &mut it.scope_spans);
        if let Some(scope) = scopes.and_then(|scopes| scopes.last_mut()) {
            scope.spans.push(span);
        }
    }
    Ok(ExportTraceServiceRequest { resource_spans })
}

fn envelope(service: &Option<String>, scope: &InstrumentationScope) -> ResourceSpans {
    let name = service.iter().map(|name| text("service.name", name));
    ResourceSpans {
        resource: Some(Resource {
            attributes: name.collect(),
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            scope: Some(scope.clone()),
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    }
}

type Converted = (Option<String>, InstrumentationScope, Span);

fn converted(zipkin: ZipkinSpan) -> Result<Converted, String> {
    let local = zipkin.local_endpoint.unwrap_or_default();
    let remote = zipkin.remote_endpoint.unwrap_or_default();
    let start = zipkin
        .timestamp
        .unwrap_or_default()
        .saturating_mul(NANOS_PER_MICRO);
    let took = zipkin
        .duration
        .unwrap_or_default()
        .saturating_mul(NANOS_PER_MICRO);
    let parent = match zipkin.parent_id.as_deref() {
        None | Some("") => vec![],
        Some(parent) => id(parent, 8).ok_or(".parentId: expected 1 to 16 hexadecimal digits")?,
    };
    let mut span = Span {
        trace_id: id(&zipkin.trace_id, 16)
            .filter(|id| !is_zero(id))
            .ok_or(".traceId: expected 1 to 32 hexadecimal digits, not all zero")?,
        span_id: id(&zipkin.id, 8)
            .filter(|id| !is_zero(id))
            .ok_or(".id: expected 1 to 16 hexadecimal digits, not all zero")?,
        parent_span_id: parent,
        name: zipkin.name.unwrap_or_default(),
        kind: i32::from(kind(zipkin.kind.as_deref())),
        start_time_unix_nano: start,
        end_time_unix_nano: start.saturating_add(took),
        ..Span::default()
    };
    let mut scope = InstrumentationScope::default();
    let mut status = Status::default();
    let mut error = None;
    for (key, value) in zipkin.tags.unwrap_or_default() {
        let value = match value {
            Value::String(text) => text,
            // Zipkin's own server refuses these; there is one way to read them.
            other => other.to_string(),
        };
        match key.as_str() {
            "otel.scope.name" | "otel.library.name" => scope.name = value,
            "otel.scope.version" | "otel.library.version" => scope.version = value,
            "w3c.tracestate" => span.trace_state = value,
            "otel.status_code" if value == "OK" => status.code = i32::from(StatusCode::Ok as u8),
            "otel.status_code" if value == "ERROR" => error = error.or(Some(String::new())),
            "error" => error = Some(value),
            _ => span.attributes.push(text(&key, &value)),
        }
    }
    if let Some(message) = error {
        status.code = i32::from(StatusCode::Error as u8);
        // Brave writes `true` where it has no message.
        if message != "true" {
            status.message = message;
        }
    }
    if status != Status::default() {
        span.status = Some(status);
    }
    let is_set = |flag: Option<bool>| flag == Some(true);
    for (key, flag) in [
        ("zipkin.debug", zipkin.debug),
        ("zipkin.shared", zipkin.shared),
    ] {
        if is_set(flag) {
            span.attributes.push(pair(key, WireValue::BoolValue(true)));
        }
    }
    address(&mut span.attributes, "network.local", &local);
    address(&mut span.attributes, "network.peer", &remote);
    if let Some(name) = &remote.service_name {
        span.attributes.push(text("peer.service", name));
    }
    let annotations = zipkin.annotations.unwrap_or_default().into_iter();
    span.events = annotations
        .map(|annotation| Event {
            time_unix_nano: annotation.timestamp.saturating_mul(NANOS_PER_MICRO),
            name: annotation.value,
            ..Event::default()
        })
        .collect();
    Ok((local.service_name, scope, span))
}

fn address(attributes: &mut Vec<KeyValue>, side: &str, endpoint: &Endpoint) {
    if let Some(address) = endpoint.ipv4.as_ref().or(endpoint.ipv6.as_ref()) {
        attributes.push(text(&format!("{side}.address"), address));
    }
    if let Some(port) = endpoint.port.filter(|port| *port != 0) {
        let port = WireValue::IntValue(port.into());
        attributes.push(pair(&format!("{side}.port"), port));
    }
}

/// Returns the kind: a span without any is one within its service.
fn kind(zipkin: Option<&str>) -> i16 {
    let kind = match zipkin {
        None | Some("") => SpanKind::Internal,
        Some("SERVER") => SpanKind::Server,
        Some("CLIENT") => SpanKind::Client,
        Some("PRODUCER") => SpanKind::Producer,
        Some("CONSUMER") => SpanKind::Consumer,
        Some(_) => SpanKind::Unspecified,
    };
    kind as i16
}

/// Reads an id of up to `length` bytes, with zeros in front.
fn id(digits: &str, length: usize) -> Option<Vec<u8>> {
    if digits.is_empty() || digits.len() > length * 2 {
        return None;
    }
    let padded = format!("{digits:0>width$}", width = length * 2);
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let bytes = padded.as_bytes().chunks_exact(2);
    bytes
        .map(|pair| Some(digit(pair.first()?)? * 16 + digit(pair.last()?)?))
        .collect()
}

fn is_zero(id: &[u8]) -> bool {
    id.iter().all(|byte| *byte == 0)
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, WireValue::StringValue(value.to_owned()))
}

fn pair(key: &str, value: WireValue) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(change: impl FnOnce(&mut Value)) -> Result<ExportTraceServiceRequest, String> {
        let mut span = json!({"traceId": "5af7183fb1d4cf5f", "id": "352bff9a74ca9ad2"});
        change(&mut span);
        read(json!([span]).to_string().as_bytes())
    }

    fn span(request: &ExportTraceServiceRequest) -> &Span {
        &request.resource_spans[0].scope_spans[0].spans[0]
    }

    #[test]
    fn reads_every_field_of_the_example_of_zipkins_api() {
        let example = br#"[{
            "id": "352bff9a74ca9ad2", "traceId": "5af7183fb1d4cf5f", "parentId": "6b221d5bc9e6496c",
            "name": "get /api", "timestamp": 1556604172355737, "duration": 1431, "kind": "SERVER",
            "localEndpoint": {"serviceName": "backend", "ipv4": "192.168.99.1", "port": 3306},
            "remoteEndpoint": {"ipv4": "172.19.0.2", "port": 58648, "serviceName": "front"},
            "annotations": [{"timestamp": 1556604172355800, "value": "wr"}],
            "debug": true, "shared": true,
            "tags": {"http.method": "GET", "http.path": "/api", "error": "boom", "w3c.tracestate": "a=b",
                     "otel.scope.name": "lib", "otel.scope.version": "1.2"}}]"#;
        let expected = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![text("service.name", "backend")],
                    ..Resource::default()
                }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "lib".into(),
                        version: "1.2".into(),
                        ..InstrumentationScope::default()
                    }),
                    spans: vec![Span {
                        trace_id: [
                            &[0; 8][..],
                            &[0x5a, 0xf7, 0x18, 0x3f, 0xb1, 0xd4, 0xcf, 0x5f],
                        ]
                        .concat(),
                        span_id: vec![0x35, 0x2b, 0xff, 0x9a, 0x74, 0xca, 0x9a, 0xd2],
                        parent_span_id: vec![0x6b, 0x22, 0x1d, 0x5b, 0xc9, 0xe6, 0x49, 0x6c],
                        trace_state: "a=b".into(),
                        name: "get /api".into(),
                        kind: 2,
                        start_time_unix_nano: 1_556_604_172_355_737_000,
                        end_time_unix_nano: 1_556_604_172_357_168_000,
                        attributes: vec![
                            text("http.method", "GET"),
                            text("http.path", "/api"),
                            pair("zipkin.debug", WireValue::BoolValue(true)),
                            pair("zipkin.shared", WireValue::BoolValue(true)),
                            text("network.local.address", "192.168.99.1"),
                            pair("network.local.port", WireValue::IntValue(3306)),
                            text("network.peer.address", "172.19.0.2"),
                            pair("network.peer.port", WireValue::IntValue(58648)),
                            text("peer.service", "front"),
                        ],
                        events: vec![Event {
                            time_unix_nano: 1_556_604_172_355_800_000,
                            name: "wr".into(),
                            ..Event::default()
                        }],
                        status: Some(Status {
                            message: "boom".into(),
                            code: 2,
                        }),
                        ..Span::default()
                    }],
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        assert_eq!(read(example).unwrap(), expected);
    }

    #[test]
    fn maps_kinds_and_statuses() {
        for (kind, expected) in [
            (json!(null), 1),
            (json!("CLIENT"), 3),
            (json!("PRODUCER"), 4),
            (json!("CONSUMER"), 5),
            (json!("OTHER"), 0),
        ] {
            let request = one(|span| span["kind"] = kind.clone()).unwrap();
            assert_eq!(span(&request).kind, expected, "{kind}");
        }
        for (tags, expected) in [
            (json!(null), None),
            (json!({"otel.status_code": "OK"}), Some((1, ""))),
            (json!({"otel.status_code": "ERROR"}), Some((2, ""))),
            (json!({"error": "true"}), Some((2, ""))),
            (
                json!({"error": "no", "otel.status_code": "ERROR"}),
                Some((2, "no")),
            ),
        ] {
            let request = one(|span| span["tags"] = tags.clone()).unwrap();
            let found = span(&request).status.as_ref();
            let found = found.map(|status| (status.code, status.message.as_str()));
            assert_eq!(found, expected, "{tags}");
            assert_eq!(span(&request).attributes, [], "{tags}");
        }
        let request = one(|span| span["tags"] = json!({"count": 3, "yes": true})).unwrap();
        assert_eq!(
            span(&request).attributes,
            [text("count", "3"), text("yes", "true")]
        );
    }

    #[test]
    fn keeps_the_spans_of_several_services_apart() {
        let of = |service: &str, id: &str| json!({"traceId": "a", "id": id, "localEndpoint": {"serviceName": service}});
        let spans = json!([of("cart", "1"), of("cart", "2"), of("stock", "1")]);
        let request = read(spans.to_string().as_bytes()).unwrap();
        let counts = request.resource_spans.iter();
        let counts: Vec<_> = counts
            .map(|resource| resource.scope_spans[0].spans.len())
            .collect();
        assert_eq!(counts, [2, 1]);
        assert_eq!(span(&request).trace_id[15], 10);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        type Row = (fn(&mut Value), &'static str);
        let rows: [Row; 7] = [
            (|span| span["traceId"] = json!("0"), "[0].traceId: expected"),
            (|span| span["traceId"] = json!("x"), "[0].traceId: expected"),
            (
                |span| span["id"] = json!("123456789abcdef01"),
                "[0].id: expected",
            ),
            (
                |span| span["parentId"] = json!("+1"),
                "[0].parentId: expected",
            ),
            (
                |span| span["timestamp"] = json!(-1),
                "no list of Zipkin spans: ",
            ),
            (
                |span| span["annotations"] = json!([{}]),
                "no list of Zipkin spans: ",
            ),
            (|span| *span = json!([]), "no list of Zipkin spans: "),
        ];
        for (change, start) in rows {
            let cause = one(change).unwrap_err();
            assert!(cause.starts_with(start), "{cause}");
        }
        assert_eq!(read(b"[]").unwrap().resource_spans, []);
        assert!(read(b"{}").is_err());
    }

    #[test]
    fn times_beyond_the_end_of_time_stop_there() {
        let request = one(|span| {
            span["timestamp"] = json!(u64::MAX);
            span["duration"] = json!(u64::MAX);
        });
        assert_eq!(span(&request.unwrap()).end_time_unix_nano, u64::MAX);
    }
}
