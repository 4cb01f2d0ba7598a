//! What Jaeger changes in spans when they arrive, and the sink when they are read: a service without a name gets one, and a
//! span that does not end behind its start gets an end.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

use super::go::write_time;
use super::value::find;

/// The attribute of a span that holds Jaeger's warnings, a list of texts.
pub(super) const WARNINGS: &str = "@jaeger@warnings";
/// The key of a service's name.
pub(super) const SERVICE_NAME: &str = "service.name";
/// The semantic conventions' value for an absent name of a service, which the sink lists such spans under.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// Changes the spans of a trace so that Jaeger can show them.
pub(super) fn sanitize(data: &mut [ResourceSpans]) {
    for resource_spans in data {
        let resource = resource_spans.resource.get_or_insert_default();
        if !matches!(
            find(&resource.attributes, SERVICE_NAME),
            Some(Value::StringValue(_))
        ) {
            resource.attributes.retain(|pair| pair.key != SERVICE_NAME);
            let unknown = Value::StringValue(UNKNOWN_SERVICE.to_owned());
            resource.attributes.push(pair(SERVICE_NAME, unknown));
        }
        for scope_spans in &mut resource_spans.scope_spans {
            scope_spans.spans.iter_mut().for_each(end);
        }
    }
}

fn end(span: &mut Span) {
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    if start < end {
        return;
    }
    span.end_time_unix_nano = start.saturating_add(1);
    let [start, end] = [span.end_time_unix_nano, end].map(|it| write_time(it.cast_signed()));
    let warning = format!(
        "Negative duration detected, sanitizing end timestamp. Original end timestamp: {end}, adjusted to: {start}"
    );
    warn(span, warning);
}

/// Adds a warning to a span.
pub(super) fn warn(span: &mut Span, warning: String) {
    let warning = AnyValue {
        value: Some(Value::StringValue(warning)),
    };
    let has = |pair: &&mut KeyValue| pair.key == WARNINGS;
    let own = span.attributes.iter_mut().find(has);
    match own.and_then(|pair| pair.value.as_mut()?.value.as_mut()) {
        Some(Value::ArrayValue(array)) => array.values.push(warning),
        _ => {
            span.attributes.retain(|pair| pair.key != WARNINGS);
            let values = vec![warning];
            let list = Value::ArrayValue(ArrayValue { values });
            span.attributes.push(pair(WARNINGS, list));
        }
    }
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
