//! The spans that the filter has exported, taken out of its OTLP requests, gRPC or HTTP.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span as Wire;
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};
use sidespan_host::{Headers, HttpCall};

/// One exported span.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    /// Name of the span.
    pub name: String,
    /// Kind: `server`, `client`, ….
    pub kind: String,
    /// Trace id, 32 hex digits.
    pub trace_id: String,
    /// Span id, 16 hex digits.
    pub span_id: String,
    /// Parent span id, 16 hex digits; none for a root.
    pub parent_span_id: Option<String>,
    /// `service.name` of the resource.
    pub service: String,
    /// Status: `unset`, `ok` or `error`.
    pub status: String,
    /// Trace state, as in `tracestate`.
    pub trace_state: String,
    /// OTLP's flags.
    pub flags: u32,
    /// Start, in nanoseconds since 1970.
    pub start: u64,
    /// End, in nanoseconds since 1970.
    pub end: u64,
    /// Attributes of the span.
    pub attributes: BTreeMap<String, Value>,
    /// Attributes of the resource.
    pub resource: BTreeMap<String, Value>,
}

/// The protocol of a call that exports traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf.
    Http,
}

impl Export {
    /// Returns the protocol of a call that exports traces; `None` for another call.
    pub fn of(headers: &Headers) -> Option<Self> {
        match headers.text("content-type")?.as_str() {
            "application/x-protobuf" => Some(Self::Http),
            kind if kind.starts_with("application/grpc")
                && headers.text(":path")?
                    == "/opentelemetry.proto.collector.trace.v1.TraceService/Export" =>
            {
                Some(Self::Grpc)
            }
            _ => None,
        }
    }
}

/// Reads the spans of an export.
///
/// # Errors
/// When the body does not fit the headers.
pub fn decode(export: Export, call: &HttpCall) -> anyhow::Result<Vec<Span>> {
    let message = match export {
        Export::Http => call.body.as_slice(),
        Export::Grpc => {
            let (head, message) = call
                .body
                .split_at_checked(5)
                .context("a gRPC message is shorter than its frame")?;
            ensure!(head[0] == 0, "a gRPC message is compressed");
            let length = head[1..]
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            ensure!(
                length == message.len(),
                "a gRPC frame says {length} bytes and holds {}",
                message.len()
            );
            message
        }
    };
    let request = ExportTraceServiceRequest::decode(message)
        .context("an export is no ExportTraceServiceRequest")?;
    let mut spans = Vec::new();
    for envelope in request.resource_spans {
        let resource = attributes(envelope.resource.unwrap_or_default().attributes);
        for scope in envelope.scope_spans {
            spans.extend(scope.spans.into_iter().map(|span| of_wire(span, &resource)));
        }
    }
    Ok(spans)
}

fn of_wire(span: Wire, resource: &BTreeMap<String, Value>) -> Span {
    let service = resource
        .get("service.name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Span {
        kind: format!("{:?}", span.kind()).to_lowercase(),
        status: span.status.map_or("unset".into(), |status| {
            format!("{:?}", status.code()).to_lowercase()
        }),
        name: span.name,
        trace_id: hex::encode(span.trace_id),
        span_id: hex::encode(span.span_id),
        parent_span_id: Some(hex::encode(span.parent_span_id)).filter(|id| !id.is_empty()),
        service: service.into(),
        trace_state: span.trace_state,
        flags: span.flags,
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        attributes: attributes(span.attributes),
        resource: resource.clone(),
    }
}

fn attributes(list: Vec<KeyValue>) -> BTreeMap<String, Value> {
    list.into_iter()
        .map(|KeyValue { key, value, .. }| (key, of_any(value)))
        .collect()
}

fn of_any(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        Some(Any::StringValue(text)) => text.into(),
        Some(Any::BoolValue(value)) => value.into(),
        Some(Any::IntValue(number)) => number.into(),
        Some(Any::DoubleValue(number)) => number.into(),
        Some(Any::BytesValue(bytes)) => json!({ "hex": hex::encode(bytes) }),
        Some(Any::ArrayValue(list)) => list
            .values
            .into_iter()
            .map(|value| of_any(Some(value)))
            .collect(),
        Some(Any::KvlistValue(list)) => attributes(list.values).into_iter().collect(),
        // A missing value is null, and so is a reference into a string table, because only profiles have that table.
        _ => Value::Null,
    }
}
