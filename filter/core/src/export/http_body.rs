//! The body of an OTLP/HTTP answer, read by its content type (OTLP, "OTLP/HTTP Response").
//!
//! A receiver answers in the encoding of the request, so protobuf is expected; some answer in JSON all the same. Any other
//! body comes from something that is no receiver: a login page, a proxy's page, another service under the same name. An
//! empty body is the shortest success in every encoding.

use alloc::string::String;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::answer::Answer;

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HttpBody<'a> {
    /// A protobuf message, or nothing.
    Protobuf(&'a [u8]),
    /// A JSON object with what it says of the request.
    Json(JsonAnswer),
    /// Anything else.
    Other(&'a [u8]),
}

/// The members of a JSON answer that are read: of `ExportTraceServiceResponse`, and of `google.rpc.Status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JsonAnswer {
    /// `partialSuccess.rejectedSpans`; a negative number counts as zero.
    pub(crate) rejected: u64,
    /// `partialSuccess.errorMessage`, or `message` of a status.
    pub(crate) message: String,
}

impl<'a> HttpBody<'a> {
    /// Reads the body of an answer.
    pub(crate) fn read(answer: &Answer<'a>) -> Self {
        let body = answer.body;
        let kind = answer.content_type.unwrap_or_default();
        let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
        let is = |other: &[u8]| kind.trim_ascii().eq_ignore_ascii_case(other);
        if body.is_empty() || is(b"application/x-protobuf") || is(b"application/protobuf") {
            return Self::Protobuf(body);
        }
        if is(b"application/json") {
            return JsonAnswer::parse(body).map_or(Self::Other(body), Self::Json);
        }
        // A message begins with the key of its first field, of which none is printable: 0x0a, 0x08, 0x12.
        let is_message = kind.is_empty() && body.first().is_some_and(|byte| *byte < b' ');
        match is_message {
            true => Self::Protobuf(body),
            false => Self::Other(body),
        }
    }
}

impl JsonAnswer {
    fn parse(json: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let whole = Members {
            is_partial_success: false,
            found: &mut found,
        };
        whole.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(found)
    }
}

/// One of the two objects of an answer.
struct Members<'f> {
    is_partial_success: bool,
    found: &'f mut JsonAnswer,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match (self.is_partial_success, name.as_str()) {
                (false, "partialSuccess") => map.next_value_seed(Members {
                    is_partial_success: true,
                    found: self.found,
                })?,
                (true, "rejectedSpans") => self.found.rejected = map.next_value_seed(Count)?,
                (true, "errorMessage") | (false, "message") => {
                    self.found.message = map.next_value::<Option<String>>()?.unwrap_or_default();
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A 64-bit integer of protobuf's JSON, which writes it as text and reads numbers, too.
struct Count;

impl<'de> DeserializeSeed<'de> for Count {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Count {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_unit<E: Error>(self) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<u64, E> {
        Ok(count)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        let count = text.parse::<i64>().map_err(|_| E::custom("no integer"))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(content_type: &'a str, body: &'a [u8]) -> HttpBody<'a> {
        HttpBody::read(&Answer {
            content_type: (!content_type.is_empty()).then_some(content_type.as_bytes()),
            body,
            ..Answer::default()
        })
    }

    fn json(rejected: u64, message: &str) -> HttpBody<'static> {
        let message = message.into();
        HttpBody::Json(JsonAnswer { rejected, message })
    }

    #[test]
    fn rt_1_believes_a_body_by_its_content_type() {
        const MESSAGE: &[u8] = b"\x0a\x02\x08\x03";
        const PAGE: &[u8] = b"<html>log in</html>";
        for (content_type, body, expected) in [
            ("", &b""[..], HttpBody::Protobuf(b"")),
            ("text/html", b"", HttpBody::Protobuf(b"")),
            (
                "application/x-protobuf",
                MESSAGE,
                HttpBody::Protobuf(MESSAGE),
            ),
            (
                "Application/X-Protobuf; x=1",
                MESSAGE,
                HttpBody::Protobuf(MESSAGE),
            ),
            ("application/protobuf", MESSAGE, HttpBody::Protobuf(MESSAGE)),
            ("", MESSAGE, HttpBody::Protobuf(MESSAGE)),
            ("", PAGE, HttpBody::Other(PAGE)),
            ("text/html; charset=utf-8", PAGE, HttpBody::Other(PAGE)),
            ("text/plain", b"OK", HttpBody::Other(b"OK")),
            ("application/json", b"{}", json(0, "")),
            (
                "application/json",
                br#"{"partialSuccess": null}"#,
                json(0, ""),
            ),
            (
                "application/json; charset=utf-8",
                br#"{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}"#,
                json(3, "too old"),
            ),
            (
                "application/json",
                br#"{"partialSuccess": {"rejectedSpans": 3}, "x": [1]}"#,
                json(3, ""),
            ),
            (
                "application/json",
                br#"{"partialSuccess": {"rejectedSpans": null, "errorMessage": null}}"#,
                json(0, ""),
            ),
            (
                "application/json",
                br#"{"partialSuccess": {"rejectedSpans": -3}}"#,
                json(0, ""),
            ),
            (
                "application/json",
                br#"{"partialSuccess": {"rejectedSpans": "-3"}}"#,
                json(0, ""),
            ),
            (
                "application/json",
                br#"{"code": 3, "message": "no such tenant"}"#,
                json(0, "no such tenant"),
            ),
            ("application/json", b"[]", HttpBody::Other(b"[]")),
            ("application/json", b"{", HttpBody::Other(b"{")),
            (
                "application/json",
                br#"{"partialSuccess": {"rejectedSpans": "many"}}"#,
                HttpBody::Other(br#"{"partialSuccess": {"rejectedSpans": "many"}}"#),
            ),
        ] {
            assert_eq!(
                read(content_type, body),
                expected,
                "{content_type} {body:?}"
            );
        }
    }
}
