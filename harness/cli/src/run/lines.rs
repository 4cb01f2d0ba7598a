//! The values of one header in a scenario: text, bytes, several lines, or none.
//!
//! ```yaml
//! traceparent: 00-{trace}-{span}-01     # one line
//! tracestate: [a=1, b=2]                # two lines, in this order
//! x-binary: {hex: ff00}                 # bytes that are not text
//! b3: null                              # no line
//! ```

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::pattern::{Known, Pattern, quote};

/// All lines of one header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lines(pub(super) Vec<Line>);

/// One line of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Text with names and stars.
    Text(Pattern),
    /// Exactly these bytes.
    Bytes(Vec<u8>),
}

impl Line {
    /// Returns true if a value matches this line.
    pub(super) fn matches(&self, value: &[u8], known: &mut Known) -> bool {
        match self {
            Self::Text(pattern) => {
                std::str::from_utf8(value).is_ok_and(|value| pattern.matches(value, known))
            }
            Self::Bytes(bytes) => bytes == value,
        }
    }

    /// Returns the bytes to send.
    ///
    /// # Errors
    /// The name that stands for nothing yet.
    pub(super) fn fill(&self, known: &Known) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(pattern) => pattern.fill(known).map(String::into_bytes),
            Self::Bytes(bytes) => Ok(bytes.clone()),
        }
    }

    /// Returns the line for people.
    pub(super) fn shown(&self, known: &Known) -> String {
        match self {
            Self::Text(pattern) => pattern.shown(known),
            Self::Bytes(bytes) => shown(bytes),
        }
    }
}

/// Returns a value for people: as it is, or in hex where it is no text.
pub(super) fn shown(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => text.into(),
        _ => format!("hex {}", hex::encode(value)),
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LinesVisitor)
    }
}

struct LinesVisitor;

impl<'de> Visitor<'de> for LinesVisitor {
    type Value = Lines;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text, {hex: …}, a list of these, or null for no such header")
    }

    fn visit_unit<E: Error>(self) -> Result<Lines, E> {
        Ok(Lines(Vec::new()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Lines, E> {
        Ok(Lines(vec![Line::Text(
            Pattern::parse(text).map_err(E::custom)?,
        )]))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Lines, E> {
        Err(quote(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Lines, E> {
        Err(quote(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Lines, E> {
        Err(quote(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Lines, E> {
        Err(quote(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Lines, A::Error> {
        let mut lines = Vec::new();
        while let Some(Lines(more)) = access.next_element()? {
            lines.extend(more);
        }
        Ok(Lines(lines))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Lines, A::Error> {
        let mut lines = Vec::new();
        while let Some(key) = access.next_key::<String>()? {
            if key != "hex" {
                return Err(A::Error::custom(format!(
                    "expected {{hex: …}}, found the key {key:?}"
                )));
            }
            let digits: String = access.next_value()?;
            let bytes = hex::decode(&digits).map_err(|error| {
                A::Error::custom(format!(
                    "expected pairs of hex digits, found {digits:?}: {error}"
                ))
            })?;
            lines.push(Line::Bytes(bytes));
        }
        Ok(Lines(lines))
    }
}

impl JsonSchema for Lines {
    fn schema_name() -> Cow<'static, str> {
        "Lines".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Pattern>();
        let bytes = json_schema!({
            "type": "object",
            "additionalProperties": false,
            "required": ["hex"],
            "properties": {"hex": {"type": "string", "pattern": "^([0-9a-fA-F]{2})*$"}},
        });
        json_schema!({"anyOf": [
            text,
            bytes,
            {"type": "null", "description": "No such header."},
            {"type": "array", "items": {"anyOf": [text, bytes]}},
        ]})
    }
}
