//! Jaeger's older JSON, made OTLP again: the inverse of what Jaeger does with OTLP
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/>).
//!
//! Read leniently: what is not understood is left out, because Jaeger's own page shows the rest, too. Times are microseconds
//! there, and a link's attributes and a span's flags are lost.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde_json::Value;

/// Returns the spans of `{"data": […]}`.
pub(super) fn request(json: &Value) -> ExportTraceServiceRequest {
    let mut resource_spans = Vec::new();
    for trace in list(json, "data") {
        for span in list(trace, "spans") {
            let process = span.get("process").or_else(|| {
                let name = span.get("processID")?.as_str()?;
                trace.get("processes")?.get(name)
            });
            let mut tags = attributes(list(span, "tags"));
            let scope = InstrumentationScope {
                name: take_text(&mut tags, &["otel.scope.name", "otel.library.name"]),
                version: take_text(&mut tags, &["otel.scope.version", "otel.library.version"]),
                ..InstrumentationScope::default()
            };
            resource_spans.push(ResourceSpans {
                resource: Some(resource(process)),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope),
                    spans: vec![self::span(span, tags)],
                    schema_url: String::new(),
                }],
                schema_url: String::new(),
            });
        }
    }
    ExportTraceServiceRequest { resource_spans }
}

fn resource(process: Option<&Value>) -> Resource {
    let name = process.and_then(|process| process.get("serviceName")?.as_str());
    let mut all: Vec<KeyValue> = name
        .map(|name| pair("service.name", Any::StringValue(name.to_owned())))
        .into_iter()
        .collect();
    all.extend(process.map_or(Vec::new(), |process| attributes(list(process, "tags"))));
    Resource {
        attributes: all,
        ..Resource::default()
    }
}

fn span(json: &Value, mut tags: Vec<KeyValue>) -> Span {
    let start = micros(json, "startTime");
    let (parent, links) = references(json);
    let kind = match take_text(&mut tags, &["span.kind"]).as_str() {
        "internal" => 1,
        "server" => 2,
        "client" => 3,
        "producer" => 4,
        "consumer" => 5,
        _ => 0,
    };
    Span {
        trace_id: id(json, "traceID", 32),
        span_id: id(json, "spanID", 16),
        parent_span_id: parent,
        name: text(json, "operationName").to_owned(),
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: start.saturating_add(micros(json, "duration")),
        trace_state: take_text(&mut tags, &["w3c.tracestate"]),
        status: Some(status(&mut tags)),
        events: list(json, "logs").map(event).collect(),
        links,
        attributes: tags,
        ..Span::default()
    }
}

/// Takes the status out of the tags: OpenTelemetry's own, or else OpenTracing's `error`.
fn status(tags: &mut Vec<KeyValue>) -> Status {
    let code = take_text(tags, &["otel.status_code"]);
    let message = take_text(tags, &["otel.status_description"]);
    let error = tags.iter().position(|tag| {
        let value = tag.value.as_ref().and_then(|any| any.value.as_ref());
        tag.key == "error" && value == Some(&Any::BoolValue(true))
    });
    let code = match code.to_ascii_uppercase().as_str() {
        "OK" => 1,
        "ERROR" => 2,
        _ if error.is_some() => 2,
        _ => 0,
    };
    if let Some(error) = error {
        tags.remove(error);
    }
    Status { message, code }
}

/// Returns the parent and the links. The parent is the first reference to the same trace, preferably `CHILD_OF`.
fn references(json: &Value) -> (Vec<u8>, Vec<Link>) {
    let own = id(json, "traceID", 32);
    let all: Vec<&Value> = list(json, "references").collect();
    let parent = ["CHILD_OF", "FOLLOWS_FROM"].into_iter().find_map(|wanted| {
        all.iter().position(|reference| {
            text(reference, "refType") == wanted && id(reference, "traceID", 32) == own
        })
    });
    let links = all.iter().enumerate().filter(|(at, _)| Some(*at) != parent);
    let links = links.map(|(_, reference)| Link {
        trace_id: id(reference, "traceID", 32),
        span_id: id(reference, "spanID", 16),
        ..Link::default()
    });
    let links = links.collect();
    let parent = parent.and_then(|at| all.get(at));
    match parent {
        Some(parent) => (id(parent, "spanID", 16), links),
        None if text(json, "parentSpanID").is_empty() => (Vec::new(), links),
        None => (id(json, "parentSpanID", 16), links),
    }
}

fn event(json: &Value) -> Event {
    let mut fields = attributes(list(json, "fields"));
    Event {
        time_unix_nano: micros(json, "timestamp"),
        name: take_text(&mut fields, &["event", "message"]),
        attributes: fields,
        ..Event::default()
    }
}

fn attributes<'a>(tags: impl Iterator<Item = &'a Value>) -> Vec<KeyValue> {
    tags.map(|tag| {
        let value = tag.get("value").unwrap_or(&Value::Null);
        pair(text(tag, "key"), any(text(tag, "type"), value))
    })
    .collect()
}

fn any(kind: &str, value: &Value) -> Any {
    let as_text = value.as_str();
    let number = || value.as_i64().or_else(|| as_text?.parse().ok());
    let read = match kind {
        "bool" => value.as_bool().map(Any::BoolValue),
        "int64" => number().map(Any::IntValue),
        "float64" => value.as_f64().map(Any::DoubleValue),
        _ => None,
    };
    read.unwrap_or_else(|| {
        Any::StringValue(as_text.map_or_else(|| value.to_string(), str::to_owned))
    })
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Takes the first tag with one of these names, if it is text.
fn take_text(tags: &mut Vec<KeyValue>, names: &[&str]) -> String {
    for name in names {
        let at = tags.iter().position(|tag| tag.key == *name);
        if let Some(at) = at
            && let Some(Any::StringValue(text)) = tags[at].value.clone().and_then(|any| any.value)
        {
            tags.remove(at);
            return text;
        }
    }
    String::new()
}

fn list<'a>(json: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    json.get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn micros(json: &Value, key: &str) -> u64 {
    let micros = json.get(key).and_then(Value::as_u64).unwrap_or_default();
    micros.saturating_mul(1_000)
}

/// Returns an id of so many digits; old clients' are filled up with zeros.
fn id(json: &Value, key: &str, digits: usize) -> Vec<u8> {
    hex::decode(format!("{:0>digits$}", text(json, key))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_jaeger_made_of_otlp_becomes_otlp_again() {
        let tag =
            |key: &str, kind: &str, value: Value| json!({"key": key, "type": kind, "value": value});
        let read = request(&json!({"data": [{
            "spans": [{
                "traceID": "ab", "spanID": "cd", "operationName": "GET", "processID": "p1",
                "references": [
                    {"refType": "FOLLOWS_FROM", "traceID": "01", "spanID": "02"},
                    {"refType": "CHILD_OF", "traceID": "00ab", "spanID": "ef"}
                ],
                "startTime": 5, "duration": 7,
                "tags": [
                    tag("span.kind", "string", json!("client")),
                    tag("error", "bool", json!(true)),
                    tag("otel.status_code", "string", json!("ERROR")),
                    tag("otel.status_description", "string", json!("boom")),
                    tag("w3c.tracestate", "string", json!("a=b")),
                    tag("otel.scope.name", "string", json!("lib")),
                    tag("otel.scope.version", "string", json!("1")),
                    tag("n", "int64", json!(503)),
                    tag("f", "float64", json!(0.5)),
                    tag("error", "string", json!("kept")),
                ],
                "logs": [{"timestamp": 6, "fields": [tag("event", "string", json!("retry")), tag("k", "bool", json!(false))]}],
            }],
            "processes": {"p1": {"serviceName": "cart", "tags": [tag("env", "string", json!("prod"))]}},
        }]}));
        let around = &read.resource_spans[0];
        let keys: Vec<&str> = around
            .resource
            .iter()
            .flat_map(|it| &it.attributes)
            .map(|it| &*it.key)
            .collect();
        assert_eq!(keys, ["service.name", "env"]);
        let within = &around.scope_spans[0];
        let scope = within.scope.clone().unwrap_or_default();
        assert_eq!((&*scope.name, &*scope.version), ("lib", "1"));
        let expected = Span {
            trace_id: [vec![0; 15], vec![0xab]].concat(),
            span_id: [vec![0; 7], vec![0xcd]].concat(),
            parent_span_id: [vec![0; 7], vec![0xef]].concat(),
            trace_state: "a=b".into(),
            name: "GET".into(),
            kind: 3,
            start_time_unix_nano: 5_000,
            end_time_unix_nano: 12_000,
            attributes: vec![
                pair("n", Any::IntValue(503)),
                pair("f", Any::DoubleValue(0.5)),
                pair("error", Any::StringValue("kept".into())),
            ],
            events: vec![Event {
                time_unix_nano: 6_000,
                name: "retry".into(),
                attributes: vec![pair("k", Any::BoolValue(false))],
                ..Event::default()
            }],
            links: vec![Link {
                trace_id: [vec![0; 15], vec![1]].concat(),
                span_id: [vec![0; 7], vec![2]].concat(),
                ..Link::default()
            }],
            status: Some(Status {
                message: "boom".into(),
                code: 2,
            }),
            ..Span::default()
        };
        assert_eq!(within.spans[0], expected);
    }

    #[test]
    fn reads_the_rest_of_what_it_does_not_understand() {
        for odd in [
            json!(null),
            json!({"data": 1}),
            json!({"data": [{"spans": [{}, 7]}]}),
        ] {
            let _ = request(&odd);
        }
        let old = json!({"data": [{"spans": [{"traceID": "1", "spanID": "2", "parentSpanID": "3",
            "process": {"serviceName": "old"}}]}]});
        let read = request(&old);
        let span = &read.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!(span.parent_span_id.last(), Some(&3));
        assert_eq!(span.status, Some(Status::default()));
    }
}
