//! The bytes of a body or of one chunk of it, and the time before them.
//!
//! ```yaml
//! body: some text
//! body: {hex: 00ff}
//! chunks: [first, {text: x, times: 65536}, {text: last, after: 20ms}]
//! ```

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::length::Length;
use super::pattern::quote;

/// Bytes, and the time that passes before they are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// The time before them.
    pub(super) after: Duration,
}

impl Body {
    /// Returns true if there are no bytes.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text, or {text: … or hex: …, times: …, after: …}")
    }

    fn visit_unit<E: Error>(self) -> Result<Body, E> {
        Ok(Body::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Body, E> {
        Ok(Body {
            bytes: text.into(),
            after: Duration::ZERO,
        })
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Body, E> {
        Err(quote(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Body, E> {
        Err(quote(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Body, E> {
        Err(quote(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Body, E> {
        Err(quote(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Body, A::Error> {
        let (mut bytes, mut times, mut after) = (Vec::new(), 1, Duration::ZERO);
        while let Some(key) = access.next_key::<String>()? {
            match key.as_str() {
                "text" => bytes = access.next_value::<String>()?.into_bytes(),
                "hex" => {
                    let digits: String = access.next_value()?;
                    bytes = hex::decode(&digits).map_err(|error| {
                        A::Error::custom(format!(
                            "expected pairs of hex digits, found {digits:?}: {error}"
                        ))
                    })?;
                }
                "times" => times = access.next_value::<usize>()?,
                "after" => after = access.next_value::<Length>()?.0,
                other => {
                    return Err(A::Error::unknown_field(
                        other,
                        &["text", "hex", "times", "after"],
                    ));
                }
            }
        }
        Ok(Body {
            bytes: bytes.repeat(times),
            after,
        })
    }
}

impl JsonSchema for Body {
    fn schema_name() -> Cow<'static, str> {
        "Body".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let length = generator.subschema_for::<Length>();
        json_schema!({"anyOf": [
            {"type": ["string", "null"]},
            {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "text": {"type": "string", "description": "The bytes as text."},
                    "hex": {"type": "string", "pattern": "^([0-9a-fA-F]{2})*$", "description": "The bytes in hex."},
                    "times": {"type": "integer", "minimum": 0, "description": "How often the bytes are repeated, 1 by default."},
                    "after": length,
                },
            },
        ]})
    }
}
