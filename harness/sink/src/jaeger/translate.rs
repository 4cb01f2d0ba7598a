//! OTLP's spans in Jaeger's model: what has no place there becomes a tag, links become references.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self as otlp};

use super::sanitize::{SERVICE_NAME, WARNINGS};
use super::span::{Log, Process, RefType, Reference, Span};
use super::tag::{Tag, TagValue};
use super::value::{find, text_of};

/// Translates a span; its process is named by whoever knows all.
pub(super) fn span(span: &otlp::Span, scope: Option<&InstrumentationScope>) -> Span {
    let duration = span
        .end_time_unix_nano
        .saturating_sub(span.start_time_unix_nano);
    Span {
        trace_id: trace_id(&span.trace_id),
        span_id: span_id(&span.span_id),
        operation_name: span.name.clone(),
        references: references(span),
        start_time: span.start_time_unix_nano / 1_000,
        duration: duration / 1_000,
        tags: tags(span, scope),
        logs: span.events.iter().map(log).collect(),
        process_id: String::new(),
        warnings: warnings(&span.attributes),
    }
}

/// Translates a resource.
pub(super) fn process(resource: Option<&Resource>) -> Process {
    let attributes = resource.map_or(&[][..], |it| &it.attributes);
    let tags = attributes.iter().filter(|pair| pair.key != SERVICE_NAME);
    Process {
        service_name: text_of(find(attributes, SERVICE_NAME)),
        tags: tags.map(Tag::of).collect(),
    }
}

/// Returns a trace id as Jaeger writes it: 16 digits where the first 16 would be zeros.
pub(super) fn trace_id(id: &[u8]) -> String {
    let id = <[u8; 16]>::try_from(id).map_or(0, u128::from_be_bytes);
    match u64::try_from(id) {
        Ok(short) => format!("{short:016x}"),
        Err(_) => format!("{id:032x}"),
    }
}

/// Returns a span id as Jaeger writes it.
pub(super) fn span_id(id: &[u8]) -> String {
    format!("{:016x}", number(id))
}

/// Returns a span id as a number; 0 for none.
pub(super) fn number(id: &[u8]) -> u64 {
    <[u8; 8]>::try_from(id).map_or(0, u64::from_be_bytes)
}

fn references(span: &otlp::Span) -> Vec<Reference> {
    let mut references = Vec::new();
    let parent = Reference {
        ref_type: RefType::ChildOf,
        trace_id: trace_id(&span.trace_id),
        span_id: span_id(&span.parent_span_id),
    };
    let has_parent = number(&span.parent_span_id) != 0;
    if has_parent {
        references.push(parent.clone());
    }
    for link in &span.links {
        let reference = reference(link);
        let is_to_parent = has_parent
            && (&reference.trace_id, &reference.span_id) == (&parent.trace_id, &parent.span_id);
        match references.first_mut().filter(|_| is_to_parent) {
            Some(first) => first.ref_type = reference.ref_type,
            None => references.push(reference),
        }
    }
    references
}

fn reference(link: &Link) -> Reference {
    let is_child = matches!(
        find(&link.attributes, "opentracing.ref_type"),
        Some(Value::StringValue(text)) if text == "child_of"
    );
    Reference {
        ref_type: match is_child {
            true => RefType::ChildOf,
            false => RefType::FollowsFrom,
        },
        trace_id: trace_id(&link.trace_id),
        span_id: span_id(&link.span_id),
    }
}

fn tags(span: &otlp::Span, scope: Option<&InstrumentationScope>) -> Vec<Tag> {
    let status = span.status.as_ref();
    let code = status.map_or(StatusCode::Unset, |it| it.code());
    let error = Tag {
        key: "error".to_owned(),
        value: TagValue::Bool(true),
    };
    let text = |key: &str, text: &str| (!text.is_empty()).then(|| Tag::text(key, text));
    let own = span.attributes.iter().filter(|pair| pair.key != WARNINGS);
    let of_scope = [
        text("otel.scope.name", scope.map_or("", |it| &it.name)),
        text("otel.scope.version", scope.map_or("", |it| &it.version)),
    ];
    let of_fields = [
        text("span.kind", kind(span.kind)),
        text("otel.status_code", status_code(code)),
        (code == StatusCode::Error).then_some(error),
        text(
            "otel.status_description",
            status.map_or("", |it| &it.message),
        ),
        text("w3c.tracestate", &span.trace_state),
    ];
    let of_scope = of_scope.into_iter().flatten();
    let of_fields = of_fields.into_iter().flatten();
    of_scope.chain(own.map(Tag::of)).chain(of_fields).collect()
}

/// Returns Jaeger's name of a kind; empty for none.
pub(super) fn kind(number: i32) -> &'static str {
    match SpanKind::try_from(number) {
        Ok(SpanKind::Internal) => "internal",
        Ok(SpanKind::Server) => "server",
        Ok(SpanKind::Client) => "client",
        Ok(SpanKind::Producer) => "producer",
        Ok(SpanKind::Consumer) => "consumer",
        Ok(SpanKind::Unspecified) | Err(_) => "",
    }
}

/// Returns Jaeger's name of a status; empty for none.
pub(super) fn status_code(code: StatusCode) -> &'static str {
    match code {
        StatusCode::Unset => "",
        StatusCode::Ok => "OK",
        StatusCode::Error => "ERROR",
    }
}

fn log(event: &Event) -> Log {
    let has_name = !event.name.is_empty() && event.attributes.iter().all(|it| it.key != "event");
    let name = has_name.then(|| Tag::text("event", event.name.as_str()));
    Log {
        timestamp: event.time_unix_nano / 1_000,
        fields: name
            .into_iter()
            .chain(event.attributes.iter().map(Tag::of))
            .collect(),
    }
}

fn warnings(attributes: &[KeyValue]) -> Option<Vec<String>> {
    let pair = attributes.iter().find(|pair| pair.key == WARNINGS)?;
    match pair.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::ArrayValue(array)) => {
            let texts = array.values.iter().map(|it| text_of(it.value.as_ref()));
            let texts: Vec<String> = texts.collect();
            (!texts.is_empty()).then_some(texts)
        }
        other => Some(vec![text_of(other)]),
    }
}
