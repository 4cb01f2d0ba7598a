//! The writer of OTLP in JSON.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};

/// Writes a request in one line, without the end of the line.
pub fn write_request(request: &ExportTraceServiceRequest) -> Vec<u8> {
    let mut out = Writer::default();
    out.object(|out| out.list("resourceSpans", &request.resource_spans, resource_spans));
    out.json.into_bytes()
}

/// Writes a response: `{"partialSuccess":{}}` where nothing was rejected.
pub fn write_response(response: &ExportTraceServiceResponse) -> Vec<u8> {
    let mut out = Writer::default();
    out.object(|out| {
        if let Some(partial) = &response.partial_success {
            out.key("partialSuccess");
            out.object(|out| {
                if partial.rejected_spans != 0 {
                    out.quoted("rejectedSpans", partial.rejected_spans);
                }
                out.text("errorMessage", &partial.error_message);
            });
        }
    });
    out.json.into_bytes()
}

fn resource_spans(out: &mut Writer, value: &ResourceSpans) {
    out.nested("resource", value.resource.as_ref(), resource);
    out.list("scopeSpans", &value.scope_spans, scope_spans);
    out.text("schemaUrl", &value.schema_url);
}

fn resource(out: &mut Writer, value: &Resource) {
    out.list("attributes", &value.attributes, key_value);
    out.number("droppedAttributesCount", value.dropped_attributes_count);
    out.list("entityRefs", &value.entity_refs, entity_ref);
}

fn entity_ref(out: &mut Writer, value: &EntityRef) {
    out.text("schemaUrl", &value.schema_url);
    out.text("type", &value.r#type);
    out.texts("idKeys", &value.id_keys);
    out.texts("descriptionKeys", &value.description_keys);
}

fn scope_spans(out: &mut Writer, value: &ScopeSpans) {
    out.nested("scope", value.scope.as_ref(), scope);
    out.list("spans", &value.spans, span_fields);
    out.text("schemaUrl", &value.schema_url);
}

fn scope(out: &mut Writer, value: &InstrumentationScope) {
    out.text("name", &value.name);
    out.text("version", &value.version);
    out.list("attributes", &value.attributes, key_value);
    out.number("droppedAttributesCount", value.dropped_attributes_count);
}

fn span_fields(out: &mut Writer, value: &Span) {
    out.id("traceId", &value.trace_id);
    out.id("spanId", &value.span_id);
    out.text("traceState", &value.trace_state);
    out.id("parentSpanId", &value.parent_span_id);
    out.number("flags", value.flags);
    out.text("name", &value.name);
    if value.kind != 0 {
        out.raw("kind", value.kind);
    }
    out.time("startTimeUnixNano", value.start_time_unix_nano);
    out.time("endTimeUnixNano", value.end_time_unix_nano);
    out.list("attributes", &value.attributes, key_value);
    out.number("droppedAttributesCount", value.dropped_attributes_count);
    out.list("events", &value.events, event);
    out.number("droppedEventsCount", value.dropped_events_count);
    out.list("links", &value.links, link);
    out.number("droppedLinksCount", value.dropped_links_count);
    out.nested("status", value.status.as_ref(), status);
}

fn event(out: &mut Writer, value: &span::Event) {
    out.time("timeUnixNano", value.time_unix_nano);
    out.text("name", &value.name);
    out.list("attributes", &value.attributes, key_value);
    out.number("droppedAttributesCount", value.dropped_attributes_count);
}

fn link(out: &mut Writer, value: &span::Link) {
    out.id("traceId", &value.trace_id);
    out.id("spanId", &value.span_id);
    out.text("traceState", &value.trace_state);
    out.list("attributes", &value.attributes, key_value);
    out.number("droppedAttributesCount", value.dropped_attributes_count);
    out.number("flags", value.flags);
}

fn status(out: &mut Writer, value: &Status) {
    out.text("message", &value.message);
    if value.code != 0 {
        out.raw("code", value.code);
    }
}

fn key_value(out: &mut Writer, value: &KeyValue) {
    out.text("key", &value.key);
    out.nested("value", value.value.as_ref(), any_value);
    if value.key_strindex != 0 {
        out.raw("keyStrindex", value.key_strindex);
    }
}

/// Writes a value; one that is set is written even if it is the default of its type.
fn any_value(out: &mut Writer, value: &AnyValue) {
    match &value.value {
        None => {}
        Some(Value::StringValue(text)) => {
            out.key("stringValue");
            out.string(text);
        }
        Some(Value::BoolValue(truth)) => out.raw("boolValue", truth),
        Some(Value::IntValue(number)) => out.quoted("intValue", number),
        Some(Value::DoubleValue(number)) => out.double("doubleValue", *number),
        Some(Value::ArrayValue(array)) => {
            out.key("arrayValue");
            out.object(|out| out.list("values", &array.values, any_value));
        }
        Some(Value::KvlistValue(list)) => {
            out.key("kvlistValue");
            out.object(|out| out.list("values", &list.values, key_value));
        }
        Some(Value::BytesValue(bytes)) => {
            out.key("bytesValue");
            out.string(&STANDARD.encode(bytes));
        }
        Some(Value::StringValueStrindex(index)) => out.raw("stringValueStrindex", index),
    }
}

#[derive(Default)]
struct Writer {
    json: String,
}

impl Writer {
    fn object(&mut self, content: impl FnOnce(&mut Self)) {
        self.json.push('{');
        content(self);
        self.json.push('}');
    }

    fn key(&mut self, key: &str) {
        if !self.json.ends_with('{') {
            self.json.push(',');
        }
        self.json.push('"');
        self.json.push_str(key);
        self.json.push_str("\":");
    }

    fn raw(&mut self, key: &str, value: impl std::fmt::Display) {
        self.key(key);
        // Writing to a String cannot fail.
        let _ = write!(self.json, "{value}");
    }

    fn quoted(&mut self, key: &str, value: impl std::fmt::Display) {
        self.key(key);
        let _ = write!(self.json, "\"{value}\"");
    }

    fn number(&mut self, key: &str, value: u32) {
        if value != 0 {
            self.raw(key, value);
        }
    }

    fn time(&mut self, key: &str, value: u64) {
        if value != 0 {
            self.quoted(key, value);
        }
    }

    fn double(&mut self, key: &str, value: f64) {
        match value {
            _ if value.is_nan() => self.quoted(key, "NaN"),
            f64::INFINITY => self.quoted(key, "Infinity"),
            f64::NEG_INFINITY => self.quoted(key, "-Infinity"),
            _ => self.raw(key, serde_json::Value::from(value)),
        }
    }

    fn id(&mut self, key: &str, id: &[u8]) {
        if !id.is_empty() {
            self.key(key);
            self.json.push('"');
            for byte in id {
                let _ = write!(self.json, "{byte:02x}");
            }
            self.json.push('"');
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.key(key);
            self.string(text);
        }
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.key(key);
            self.json.push('[');
            for (at, text) in texts.iter().enumerate() {
                if at > 0 {
                    self.json.push(',');
                }
                self.string(text);
            }
            self.json.push(']');
        }
    }

    fn string(&mut self, text: &str) {
        let _ = write!(self.json, "{}", serde_json::Value::from(text));
    }

    fn nested<T>(&mut self, key: &str, value: Option<&T>, write: fn(&mut Self, &T)) {
        if let Some(value) = value {
            self.key(key);
            self.object(|out| write(out, value));
        }
    }

    fn list<T>(&mut self, key: &str, values: &[T], write: fn(&mut Self, &T)) {
        if !values.is_empty() {
            self.key(key);
            self.json.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    self.json.push(',');
                }
                self.object(|out| write(out, value));
            }
            self.json.push(']');
        }
    }
}
