//! OTLP's spans in Jaeger's model, in pieces that its clients take.

use opentelemetry_proto::tonic::trace::v1::{self as otlp, ResourceSpans};
use prost::Message as _;

use super::model::{KeyValue, Log, Process, Span, SpanRef, ValueType};
use super::time::Time;
use super::v1_messages::SpansResponseChunk;
use crate::jaeger::span::{RefType, Reference};
use crate::jaeger::tag::{Tag, TagValue};
use crate::jaeger::translate;

/// The size of a piece beyond which no span is added to it, in bytes. A larger span is a piece of its own.
const ENOUGH: usize = 1 << 20;

/// Cuts a trace into pieces.
pub(super) fn pieces(data: Vec<ResourceSpans>) -> Vec<SpansResponseChunk> {
    let mut pieces = Vec::new();
    let mut piece = SpansResponseChunk::default();
    let mut size = 0;
    for resource_spans in data {
        let process = translate::process(resource_spans.resource.as_ref());
        let process = Process {
            service_name: process.service_name,
            tags: process.tags.into_iter().map(key_value).collect(),
        };
        for scope_spans in resource_spans.scope_spans {
            let scope = scope_spans.scope.as_ref();
            for own in scope_spans.spans {
                let span = span(&own, translate::span(&own, scope), &process);
                let length = span.encoded_len();
                if size > 0 && size + length > ENOUGH {
                    pieces.push(std::mem::take(&mut piece));
                    size = 0;
                }
                size += length;
                piece.spans.push(span);
            }
        }
    }
    if !piece.spans.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn span(own: &otlp::Span, shown: crate::jaeger::span::Span, process: &Process) -> Span {
    let duration = own
        .end_time_unix_nano
        .saturating_sub(own.start_time_unix_nano);
    // In Jaeger's JSON times are microseconds; here they are as sent.
    let logs = shown.logs.into_iter().zip(&own.events);
    let logs = logs.map(|(log, event)| Log {
        timestamp: Some(Time::of_nanos(event.time_unix_nano)),
        fields: log.fields.into_iter().map(key_value).collect(),
    });
    Span {
        trace_id: own.trace_id.clone(),
        span_id: own.span_id.clone(),
        operation_name: shown.operation_name,
        references: shown.references.iter().map(reference).collect(),
        flags: 0,
        start_time: Some(Time::of_nanos(own.start_time_unix_nano)),
        duration: Some(Time::of_nanos(duration)),
        tags: shown.tags.into_iter().map(key_value).collect(),
        logs: logs.collect(),
        process: Some(process.clone()),
        warnings: shown.warnings.unwrap_or_default(),
    }
}

fn reference(reference: &Reference) -> SpanRef {
    let trace_id = u128::from_str_radix(&reference.trace_id, 16).unwrap_or_default();
    let span_id = u64::from_str_radix(&reference.span_id, 16).unwrap_or_default();
    SpanRef {
        trace_id: trace_id.to_be_bytes().into(),
        span_id: span_id.to_be_bytes().into(),
        ref_type: match reference.ref_type {
            RefType::ChildOf => 0,
            RefType::FollowsFrom => 1,
        },
    }
}

fn key_value(tag: Tag) -> KeyValue {
    let mut pair = KeyValue {
        key: tag.key,
        ..KeyValue::default()
    };
    match tag.value {
        TagValue::Text(text) => pair.v_str = text,
        TagValue::Bool(truth) => {
            pair.set_v_type(ValueType::Bool);
            pair.v_bool = truth;
        }
        TagValue::Int(number) => {
            pair.set_v_type(ValueType::Int64);
            pair.v_int64 = number;
        }
        TagValue::Double(number) => {
            pair.set_v_type(ValueType::Float64);
            pair.v_float64 = number;
        }
        TagValue::Binary(bytes) => {
            pair.set_v_type(ValueType::Binary);
            pair.v_binary = bytes;
        }
    }
    pair
}
