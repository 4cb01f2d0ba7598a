//! Tags: what Jaeger calls attributes, with a type each.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::value::{infinite, text_of};

/// A tag of a span or process, or a field of a log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: TagValue,
}

/// The value of a tag, in the order in which tags of one key are sorted.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(super) enum TagValue {
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Binary(Vec<u8>),
}

impl Tag {
    /// Returns a tag of text.
    pub(super) fn text(key: &str, text: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            value: TagValue::Text(text.into()),
        }
    }

    /// Returns the tag of an attribute; lists and maps become text.
    pub(super) fn of(pair: &KeyValue) -> Self {
        let value = pair.value.as_ref().and_then(|it| it.value.as_ref());
        Self {
            key: pair.key.clone(),
            value: match value {
                Some(Value::BoolValue(truth)) => TagValue::Bool(*truth),
                Some(Value::IntValue(number)) => TagValue::Int(*number),
                Some(Value::DoubleValue(number)) => TagValue::Double(*number),
                Some(Value::BytesValue(bytes)) => TagValue::Binary(bytes.clone()),
                other => TagValue::Text(text_of(other)),
            },
        }
    }
}

/// Sorts tags by key, and those of one key by type and value.
pub(super) fn sort(tags: &mut [Tag]) {
    tags.sort_by(|a, b| {
        let by_value = || a.value.partial_cmp(&b.value).unwrap_or(Ordering::Equal);
        a.key.cmp(&b.key).then_with(by_value)
    });
}

impl Serialize for Tag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Tag", 3)?;
        out.serialize_field("key", &self.key)?;
        match &self.value {
            TagValue::Text(text) => {
                out.serialize_field("type", "string")?;
                out.serialize_field("value", text)?;
            }
            TagValue::Bool(truth) => {
                out.serialize_field("type", "bool")?;
                out.serialize_field("value", truth)?;
            }
            TagValue::Int(number) => {
                out.serialize_field("type", "int64")?;
                match number.unsigned_abs() > LARGEST_SAFE {
                    true => out.serialize_field("value", &number.to_string())?,
                    false => out.serialize_field("value", number)?,
                }
            }
            TagValue::Double(number) => {
                out.serialize_field("type", "float64")?;
                match (whole(*number), number.is_finite()) {
                    (Some(whole), _) => out.serialize_field("value", &whole)?,
                    (None, true) => out.serialize_field("value", number)?,
                    (None, false) => out.serialize_field("value", infinite(*number))?,
                }
            }
            TagValue::Binary(bytes) => {
                out.serialize_field("type", "binary")?;
                out.serialize_field("value", &STANDARD.encode(bytes))?;
            }
        }
        out.end()
    }
}

/// Returns a number without a fraction as a whole number, which JSON writes without a point.
fn whole(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() < 1e15 && !is_negative_zero(number);
    is_whole.then(|| format!("{number:.0}").parse().ok())?
}

fn is_negative_zero(number: f64) -> bool {
    number == 0.0 && number.is_sign_negative()
}

/// The largest whole number that JavaScript tells from its neighbours; those beyond are written as text.
const LARGEST_SAFE: u64 = (1 << 53) - 1;
