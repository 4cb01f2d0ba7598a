//! The comparison of attributes in stored bytes, without decoding a span.

use memchr::memmem::Finder;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message as _;

use super::wire::{Content, Message, next_field};

/// An attribute that is looked for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    key: Finder<'a>,
    name: &'a str,
    value: &'a str,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(name: &'a str, value: &'a str) -> Self {
        Self {
            key: Finder::new(name.as_bytes()),
            name,
            value,
        }
    }

    /// Returns true if a span has the attribute.
    pub(super) fn is_of_span(&self, span: &[u8]) -> bool {
        self.is_among(Message::Span, 9, span)
    }

    /// Returns true if the resource of a `ResourceSpans` has the attribute.
    pub(super) fn is_of_resource(&self, resource_spans: &[u8]) -> bool {
        let resources = fields(Message::ResourceSpans, 1, resource_spans);
        resources
            .into_iter()
            .any(|resource| self.is_among(Message::Resource, 1, resource))
    }

    fn is_among(&self, message: Message, number: u32, bytes: &[u8]) -> bool {
        // Most spans do not have the key at all, and a search for its bytes is much cheaper than reading the fields.
        self.key.find(bytes).is_some()
            && fields(message, number, bytes)
                .into_iter()
                .any(|pair| self.is_pair(pair))
    }

    fn is_pair(&self, pair: &[u8]) -> bool {
        let Ok(pair) = KeyValue::decode(pair) else {
            return false;
        };
        pair.key == self.name && pair.value.is_some_and(|value| self.is_value(&value))
    }

    fn is_value(&self, value: &AnyValue) -> bool {
        match &value.value {
            Some(Value::StringValue(text)) => text == self.value,
            Some(Value::BoolValue(truth)) => self.value.parse() == Ok(*truth),
            Some(Value::IntValue(number)) => self.value.parse() == Ok(*number),
            Some(Value::DoubleValue(number)) => self.value.parse() == Ok(*number),
            _ => false,
        }
    }
}

fn fields(message: Message, number: u32, bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        match next_field(message, &mut rest) {
            Ok(field) => match field.content {
                Content::Bytes(content) if field.number == number => found.push(content),
                _ => {}
            },
            // Stored bytes were checked; in a damaged file what can be read is compared.
            Err(_) => break,
        }
    }
    found
}
