//! Lengths of time in a scenario.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A length of time, written `250ms` or `5s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length(pub(super) Duration);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Length;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a length of time such as 250ms, 5s or 2m")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Length, E> {
                let digits = text
                    .find(|character: char| !character.is_ascii_digit())
                    .unwrap_or(text.len());
                let unit = match &text[digits..] {
                    "ms" => 1,
                    "s" => 1_000,
                    "m" => 60_000,
                    _ => return Err(E::invalid_value(Unexpected::Str(text), &self)),
                };
                let number: Option<u64> = text[..digits].parse().ok();
                number
                    .and_then(|number| number.checked_mul(unit))
                    .map(|length| Length(Duration::from_millis(length)))
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]+(ms|s|m)$", "examples": ["250ms", "5s", "2m"]})
    }
}
