//! Attribute values as text: what a list or map is in a tag, and what a search compares.
//!
//! Lists and maps become JSON as Go's encoder writes it: keys in order, `<`, `>` and `&` escaped, bytes in base64.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// Returns the value of the first attribute of a key.
pub(super) fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let found = attributes.iter().find(|pair| pair.key == key)?;
    found.value.as_ref()?.value.as_ref()
}

/// Returns a value as text.
pub(super) fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::StringValueStrindex(_)) => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) if number.is_finite() => number_of(*number),
        Some(Value::DoubleValue(number)) => infinite(*number).to_owned(),
        Some(Value::BytesValue(bytes)) => STANDARD.encode(bytes),
        Some(list @ (Value::ArrayValue(_) | Value::KvlistValue(_))) => {
            let mut json = String::new();
            write(Some(list), &mut json);
            json
        }
    }
}

/// Returns the text of a number that is infinite or none, as protobuf's JSON has it.
pub(super) fn infinite(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

fn write(value: Option<&Value>, json: &mut String) {
    match value {
        None | Some(Value::StringValueStrindex(_)) => json.push_str("null"),
        Some(Value::StringValue(text)) => write_text(text, json),
        Some(Value::DoubleValue(number)) if !number.is_finite() => {
            write_text(infinite(*number), json);
        }
        Some(Value::BytesValue(bytes)) => write_text(&STANDARD.encode(bytes), json),
        Some(Value::ArrayValue(array)) => {
            json.push('[');
            for (at, value) in array.values.iter().enumerate() {
                json.push_str(if at > 0 { "," } else { "" });
                write(value.value.as_ref(), json);
            }
            json.push(']');
        }
        Some(Value::KvlistValue(list)) => {
            let content = |value: &'_ AnyValue| value.value.clone();
            let pairs: BTreeMap<&str, Option<Value>> = list
                .values
                .iter()
                .map(|pair| (pair.key.as_str(), pair.value.as_ref().and_then(content)))
                .collect();
            json.push('{');
            for (at, (key, value)) in pairs.iter().enumerate() {
                json.push_str(if at > 0 { "," } else { "" });
                write_text(key, json);
                json.push(':');
                write(value.as_ref(), json);
            }
            json.push('}');
        }
        Some(simple) => json.push_str(&text_of(Some(simple))),
    }
}

fn write_text(text: &str, json: &mut String) {
    for character in serde_json::Value::from(text).to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                json.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => json.push(character),
        }
    }
}

/// Writes a finite number as JavaScript does.
fn number_of(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.contains("e-") {
        true => text,
        false => text.replace('e', "e+"),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};

    use super::text_of;

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn pair(key: &str, value: AnyValue) -> KeyValue {
        KeyValue {
            key: key.into(),
            value: Some(value),
            ..KeyValue::default()
        }
    }

    #[test]
    fn values_are_the_text_that_go_writes() {
        for (number, text) in [
            (0.1, "0.1"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (-3.0, "-3"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(text_of(Some(&Value::DoubleValue(number))), text);
        }
        let map = Value::KvlistValue(KeyValueList {
            values: vec![
                pair("b", any(Value::StringValue("<&>".into()))),
                pair("a", AnyValue::default()),
                pair(
                    "list",
                    any(Value::ArrayValue(ArrayValue {
                        values: vec![
                            any(Value::IntValue(-1)),
                            any(Value::BytesValue(vec![0, 255])),
                        ],
                    })),
                ),
            ],
        });
        let json = r#"{"a":null,"b":"\u003c\u0026\u003e","list":[-1,"AP8="]}"#;
        assert_eq!(text_of(Some(&map)), json);
    }
}
