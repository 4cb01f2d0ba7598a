//! A number for an attribute: the hash of its key and value, by which blocks of spans are passed over that cannot have it.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use super::wire::{Content, Message, next_field};

/// A value that an attribute is looked for by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scalar<'a> {
    Text(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
}

impl Scalar<'_> {
    fn token(self, key: &[u8]) -> u64 {
        let mut hasher = FixedState::with_seed(0).build_hasher();
        hasher.write(key);
        match self {
            Self::Text(text) => {
                hasher.write_u8(1);
                hasher.write(text);
            }
            Self::Bool(truth) => {
                hasher.write_u8(2);
                hasher.write_u8(truth.into());
            }
            Self::Int(number) => {
                hasher.write_u8(3);
                hasher.write_u64(number.cast_unsigned());
            }
            Self::Double(number) => {
                hasher.write_u8(4);
                // Both zeros are equal, and have different bits.
                let number = if number == 0.0 { 0.0 } else { number };
                hasher.write_u64(number.to_bits());
            }
        }
        hasher.finish()
    }
}

/// Returns the token of a `KeyValue`; `None` if its value is not one to look for.
pub(super) fn of_pair(pair: &[u8]) -> Option<u64> {
    let mut key: &[u8] = &[];
    let mut value = None;
    let mut rest = pair;
    // Of a field that stands there twice, the last one counts, as prost reads it.
    while !rest.is_empty() {
        let field = next_field(Message::KeyValue, &mut rest).ok()?;
        match (field.number, field.content) {
            (1, Content::Bytes(bytes)) => key = bytes,
            (2, Content::Bytes(any)) => value = scalar(any, value)?,
            _ => {}
        }
    }
    value.map(|value| value.token(key))
}

/// Reads a value; the outer `None` is for bytes that cannot be read.
fn scalar<'a>(any: &'a [u8], before: Option<Scalar<'a>>) -> Option<Option<Scalar<'a>>> {
    let mut value = before;
    let mut rest = any;
    while !rest.is_empty() {
        let field = next_field(Message::AnyValue, &mut rest).ok()?;
        value = match (field.number, field.content) {
            (1, Content::Bytes(text)) => Some(Scalar::Text(text)),
            (2, Content::Number(truth)) => Some(Scalar::Bool(truth != 0)),
            (3, Content::Number(number)) => Some(Scalar::Int(number.cast_signed())),
            (4, Content::Number(bits)) => Some(Scalar::Double(f64::from_bits(bits))),
            (_, Content::Unknown) => value,
            _ => None,
        };
    }
    Some(value)
}

/// Returns the tokens that an attribute may have which equals a text.
pub(super) fn of_text(key: &str, value: &str) -> Vec<u64> {
    let scalars = [
        Some(Scalar::Text(value.as_bytes())),
        value.parse().ok().map(Scalar::Bool),
        value.parse().ok().map(Scalar::Int),
        value.parse().ok().map(Scalar::Double),
    ];
    let scalars = scalars.into_iter().flatten();
    scalars.map(|scalar| scalar.token(key.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use prost::Message as _;

    use super::*;
    use crate::store::golden::pair;

    #[test]
    fn what_is_equal_to_a_text_has_one_of_its_tokens() {
        for (value, text) in [
            (Any::StringValue("200".into()), "200"),
            (Any::StringValue(String::new()), ""),
            (Any::IntValue(200), "200"),
            (Any::IntValue(-7), "-7"),
            (Any::IntValue(7), "007"),
            (Any::DoubleValue(200.0), "200"),
            (Any::DoubleValue(-0.0), "0"),
            (Any::DoubleValue(f64::INFINITY), "inf"),
            (Any::BoolValue(true), "true"),
            (Any::BoolValue(false), "false"),
        ] {
            let stored = pair("key", value).encode_to_vec();
            let token = of_pair(&stored).unwrap();
            assert!(of_text("key", text).contains(&token), "{text}");
            assert!(!of_text("kex", text).contains(&token), "{text}");
            assert!(!of_text("key", "201").contains(&token), "{text}");
        }
        let list = pair("key", Any::BytesValue(vec![1])).encode_to_vec();
        assert_eq!(of_pair(&list), None);
    }

    #[test]
    fn the_last_of_two_values_counts() {
        let first = pair("key", Any::StringValue("a".into())).encode_to_vec();
        let second = pair("key", Any::IntValue(3)).encode_to_vec();
        let token = of_pair(&[first, second].concat()).unwrap();
        assert!(of_text("key", "3").contains(&token));
        assert!(!of_text("key", "a").contains(&token));
    }
}
