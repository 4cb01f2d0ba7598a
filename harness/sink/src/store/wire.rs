//! The protobuf of a trace request, read in place.
//!
//! A span is stored as the bytes that were sent, so that fields of a later protocol survive. What is stored must be readable
//! later on, so every known field is held to its type here, nested ones too, as prost would hold it when decoding. prost's
//! own decoding would do it as well, but makes owned strings and lists of everything, which is the larger part of the cost
//! of receiving; its readers of keys, numbers and unknown fields are used.

use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// A request whose protobuf cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to decode Protobuf message: {0}")]
pub struct MalformedRequest(pub(super) String);

impl From<DecodeError> for MalformedRequest {
    fn from(error: DecodeError) -> Self {
        let text = error.to_string();
        let cause = text.strip_prefix("failed to decode Protobuf message: ");
        Self(cause.unwrap_or(&text).to_owned())
    }
}

fn malformed(cause: &str) -> MalformedRequest {
    MalformedRequest(cause.to_owned())
}

/// A message type of OTLP's traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Request,
    ResourceSpans,
    Resource,
    EntityRef,
    ScopeSpans,
    Scope,
    Span,
    Event,
    Link,
    Status,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Varint,
    Fixed32,
    Fixed64,
    Text,
    Bytes,
    Nested(Message),
}

impl Message {
    /// Returns the type of a field; `None` for a number that this version of the protocol does not know.
    fn field(self, number: u32) -> Option<Type> {
        use Message as M;
        use Type::{Bytes, Fixed32, Fixed64, Nested, Text, Varint};
        Some(match (self, number) {
            (M::Request, 1) => Nested(M::ResourceSpans),
            (M::ResourceSpans, 1) => Nested(M::Resource),
            (M::ResourceSpans, 2) => Nested(M::ScopeSpans),
            (M::ResourceSpans | M::ScopeSpans, 3) => Text,
            (M::Resource, 1) => Nested(M::KeyValue),
            (M::Resource, 2) => Varint,
            (M::Resource, 3) => Nested(M::EntityRef),
            (M::EntityRef, 1..=4) => Text,
            (M::ScopeSpans, 1) => Nested(M::Scope),
            (M::ScopeSpans, 2) => Nested(M::Span),
            (M::Scope, 1 | 2) => Text,
            (M::Scope, 3) => Nested(M::KeyValue),
            (M::Scope, 4) => Varint,
            (M::Span, 1 | 2 | 4) => Bytes,
            (M::Span, 3 | 5) => Text,
            (M::Span, 6 | 10 | 12 | 14) => Varint,
            (M::Span, 7 | 8) => Fixed64,
            (M::Span, 9) => Nested(M::KeyValue),
            (M::Span, 11) => Nested(M::Event),
            (M::Span, 13) => Nested(M::Link),
            (M::Span, 15) => Nested(M::Status),
            (M::Span, 16) => Fixed32,
            (M::Event, 1) => Fixed64,
            (M::Event, 2) => Text,
            (M::Event, 3) => Nested(M::KeyValue),
            (M::Event, 4) => Varint,
            (M::Link, 1 | 2) => Bytes,
            (M::Link, 3) => Text,
            (M::Link, 4) => Nested(M::KeyValue),
            (M::Link, 5) => Varint,
            (M::Link, 6) => Fixed32,
            (M::Status, 2) => Text,
            (M::Status, 3) => Varint,
            (M::KeyValue, 1) => Text,
            (M::KeyValue, 2) => Nested(M::AnyValue),
            (M::KeyValue, 3) => Varint,
            (M::AnyValue, 1) => Text,
            (M::AnyValue, 2 | 3 | 8) => Varint,
            (M::AnyValue, 4) => Fixed64,
            (M::AnyValue, 5) => Nested(M::ArrayValue),
            (M::AnyValue, 6) => Nested(M::KeyValueList),
            (M::AnyValue, 7) => Bytes,
            (M::ArrayValue, 1) => Nested(M::AnyValue),
            (M::KeyValueList, 1) => Nested(M::KeyValue),
            _ => return None,
        })
    }
}

/// The content of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// A number: a varint, or one of fixed width.
    Number(u64),
    /// Text, bytes or a nested message.
    Bytes(&'a [u8]),
    /// A field that this version of the protocol does not know.
    Unknown,
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) content: Content<'a>,
    /// The field as it was sent, with its key.
    pub(super) raw: &'a [u8],
}

/// Reads the next field of a message and removes it from `rest`; text is checked, a nested message is not.
pub(super) fn next_field<'a>(
    message: Message,
    rest: &mut &'a [u8],
) -> Result<Field<'a>, MalformedRequest> {
    let before = *rest;
    let (number, wire_type) = decode_key(rest)?;
    let content = match message.field(number) {
        None => {
            skip_field(wire_type, number, rest, DecodeContext::default())?;
            Content::Unknown
        }
        Some(expected) => content(expected, wire_type, rest)?,
    };
    let read = before.len() - rest.len();
    let raw = before.get(..read).unwrap_or_default();
    Ok(Field {
        number,
        content,
        raw,
    })
}

fn content<'a>(
    expected: Type,
    found: WireType,
    rest: &mut &'a [u8],
) -> Result<Content<'a>, MalformedRequest> {
    match (expected, found) {
        (Type::Varint, WireType::Varint) => Ok(Content::Number(decode_varint(rest)?)),
        (Type::Fixed32, WireType::ThirtyTwoBit) => match rest.split_first_chunk() {
            Some((bytes, after)) => {
                *rest = after;
                Ok(Content::Number(u64::from(u32::from_le_bytes(*bytes))))
            }
            None => Err(malformed("buffer underflow")),
        },
        (Type::Fixed64, WireType::SixtyFourBit) => match rest.split_first_chunk() {
            Some((bytes, after)) => {
                *rest = after;
                Ok(Content::Number(u64::from_le_bytes(*bytes)))
            }
            None => Err(malformed("buffer underflow")),
        },
        (Type::Text | Type::Bytes | Type::Nested(_), WireType::LengthDelimited) => {
            let length = usize::try_from(decode_varint(rest)?).unwrap_or(usize::MAX);
            let (bytes, after) = rest
                .split_at_checked(length)
                .ok_or_else(|| malformed("buffer underflow"))?;
            *rest = after;
            if expected == Type::Text && std::str::from_utf8(bytes).is_err() {
                return Err(malformed("invalid string value: data is not UTF-8 encoded"));
            }
            Ok(Content::Bytes(bytes))
        }
        _ => Err(malformed("invalid wire type")),
    }
}

/// Checks a message to its depth.
pub(super) fn check(message: Message, bytes: &[u8], depth: u32) -> Result<(), MalformedRequest> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let field = next_field(message, &mut rest)?;
        check_nested(message, &field, depth)?;
    }
    Ok(())
}

/// Checks the message in a field, if the field holds one.
pub(super) fn check_nested(
    message: Message,
    field: &Field<'_>,
    depth: u32,
) -> Result<(), MalformedRequest> {
    let (Content::Bytes(bytes), Some(Type::Nested(nested))) =
        (field.content, message.field(field.number))
    else {
        return Ok(());
    };
    let left = depth
        .checked_sub(1)
        .ok_or_else(|| malformed("recursion limit reached"))?;
    check(nested, bytes, left)
}

/// The depth of messages in messages at which prost gives up, counted from the request.
pub(super) const MAX_DEPTH: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    use crate::store::golden;

    #[test]
    fn takes_what_prost_takes_and_refuses_what_prost_refuses() {
        let whole = golden::request().encode_to_vec();
        assert_eq!(check(Message::Request, &whole, MAX_DEPTH), Ok(()));
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut accepted = 0;
        for round in 0..40_000usize {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let mut bytes = whole.clone();
            let [place, with, cut, ..] = seed.to_le_bytes();
            let at = (usize::from(place) * 256 + usize::from(cut) + round) % bytes.len();
            bytes[at] = with;
            if round % 3 == 0 {
                bytes.truncate(at);
            }
            let ours = check(Message::Request, &bytes, MAX_DEPTH).is_ok();
            let prost = ExportTraceServiceRequest::decode(bytes.as_slice()).is_ok();
            assert_eq!(ours, prost, "byte {at} is {with}, round {round}");
            accepted += usize::from(ours);
        }
        assert!(
            accepted > 1_000,
            "some changes must be harmless: {accepted}"
        );
    }

    #[test]
    fn stops_at_the_depth_at_which_prost_stops() {
        use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, any_value::Value};
        for depth in 1..120 {
            let mut value = AnyValue::default();
            for _ in 0..depth {
                let values = vec![value];
                value = AnyValue {
                    value: Some(Value::ArrayValue(ArrayValue { values })),
                };
            }
            let mut request = golden::request();
            request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value = Some(value);
            let bytes = request.encode_to_vec();
            let ours = check(Message::Request, &bytes, MAX_DEPTH).is_ok();
            let prost = ExportTraceServiceRequest::decode(bytes.as_slice()).is_ok();
            assert_eq!(ours, prost, "depth {depth}");
        }
    }
}
