//! The comparison of attributes in stored bytes, without decoding a span.

use memchr::memmem::Finder;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message as _;

use super::token;
use super::wire::{Content, Message, next_field};

/// An attribute that is looked for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    key: Finder<'a>,
    /// The value, unless a number or a truth may be equal to it, whose bytes differ.
    text: Option<Finder<'a>>,
    name: &'a str,
    value: &'a str,
    /// The tokens of attributes that are equal to it.
    pub(super) tokens: Vec<u64>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(name: &'a str, value: &'a str) -> Self {
        // Every whole number is a number with a fraction as well.
        let is_text = value.parse::<f64>().is_err() && value.parse::<bool>().is_err();
        Self {
            key: Finder::new(name.as_bytes()),
            text: is_text.then(|| Finder::new(value.as_bytes())),
            name,
            value,
            tokens: token::of_text(name, value),
        }
    }

    /// Returns true if a span has the attribute.
    pub(super) fn is_of_span(&self, span: &[u8]) -> bool {
        self.is_among(Message::Span, 9, span)
    }

    /// Returns true if the resource of a `ResourceSpans` has the attribute.
    pub(super) fn is_of_resource(&self, resource_spans: &[u8]) -> bool {
        fields(Message::ResourceSpans, 1, resource_spans)
            .any(|resource| self.is_among(Message::Resource, 1, resource))
    }

    fn is_among(&self, message: Message, number: u32, bytes: &[u8]) -> bool {
        // Most spans do not have the key or the value at all, and a search for bytes is much cheaper than reading fields.
        let is_there = |what: &Finder<'_>| what.find(bytes).is_some();
        is_there(&self.key)
            && self.text.as_ref().is_none_or(is_there)
            && fields(message, number, bytes).any(|pair| self.is_pair(pair))
    }

    fn is_pair(&self, pair: &[u8]) -> bool {
        // Only the pair with the key is decoded, which makes owned texts.
        fields(Message::KeyValue, 1, pair).any(|key| key == self.name.as_bytes())
            && KeyValue::decode(pair).is_ok_and(|pair| {
                pair.key == self.name && pair.value.is_some_and(|value| self.is_value(&value))
            })
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

/// Returns the contents of the fields of a number. Stored bytes were checked; in a damaged file what can be read is compared.
fn fields(message: Message, number: u32, bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let field = next_field(message, &mut rest).ok()?;
            match field.content {
                Content::Bytes(content) if field.number == number => return Some(content),
                _ => {}
            }
        }
        None
    })
}
