//! Attributes.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};

/// Returns an attribute that is a text.
pub(super) fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Value::StringValue(value.into()))
}

/// Returns an attribute.
pub(super) fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Returns an attribute whose value is there and has no content.
pub(super) fn nothing(key: &str) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue::default()),
        ..KeyValue::default()
    }
}

/// Returns a list.
pub(super) fn list(values: impl IntoIterator<Item = Value>) -> Value {
    let values = values.into_iter();
    let values = values.map(|value| AnyValue { value: Some(value) });
    Value::ArrayValue(ArrayValue {
        values: values.collect(),
    })
}

/// Returns a map.
pub(super) fn map(values: Vec<KeyValue>) -> Value {
    Value::KvlistValue(KeyValueList { values })
}
