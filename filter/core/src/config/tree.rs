//! The configuration as a tree with all keys in their order, repeated ones included.
//!
//! serde_json parses the text. Its own tree, `serde_json::Value`, is not used because it keeps only the last of two
//! equal keys, which must be refused. Every node has its place in the document, so that errors found late (one key
//! against another) can still be reported in the order of the text.

use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::Number;

/// A value and its place.
#[derive(Debug)]
pub(super) struct JsonNode {
    /// The number of nodes that begin before this one.
    pub(super) place: usize,
    /// The value.
    pub(super) value: Value,
}

/// The value of a node.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    Number(Number),
    String(String),
    List(Vec<JsonNode>),
    Object(Vec<(String, JsonNode)>),
}

impl JsonNode {
    /// Parses JSON.
    ///
    /// # Errors
    /// The errors of serde_json, with line and column.
    pub(super) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let node = NodeReader(&Cell::new(0)).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(node)
    }

    /// Returns true if two nodes have the same value; the order of keys does not count.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            // serde_json distinguishes 1 and 1.0, which are one number.
            (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
            (Value::String(a), Value::String(b)) => a == b,
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b))
            }
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len()
                    && sorted(a)
                        .zip(sorted(b))
                        .all(|(a, b)| a.0 == b.0 && a.1.is_same(b.1))
            }
            _ => false,
        }
    }
}

/// Returns true for bytes that begin like an encoded `google.protobuf.Struct`: a map entry (field 1), in it a key (field 1)
/// and a value (field 2). A line feed is the tag of field 1, so that the parser of JSON takes it for white space and
/// complains of the byte behind it.
pub(super) fn is_protobuf_struct(bytes: &[u8]) -> bool {
    let [b'\n', entry @ ..] = bytes else {
        return false;
    };
    let length = entry.iter().take_while(|byte| **byte >= 0x80).count();
    let [_, b'\n', key, rest @ ..] = entry.get(length..).unwrap_or_default() else {
        return false;
    };
    rest.get(usize::from(*key)) == Some(&0x12)
}

/// A reader of nodes, with the number of nodes that have begun. serde_json limits the depth to 128.
#[derive(Clone, Copy)]
struct NodeReader<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for NodeReader<'_> {
    type Value = JsonNode;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<JsonNode, D::Error> {
        let place = self.0.get();
        self.0.set(place.saturating_add(1));
        let value = deserializer.deserialize_any(self)?;
        Ok(JsonNode { place, value })
    }
}

impl<'de> Visitor<'de> for NodeReader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        // JSON has neither infinities nor NaN.
        Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = entries.next_element_seed(self)? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Vec::new();
        while let Some(key) = members.next_key()? {
            object.push((key, members.next_value_seed(self)?));
        }
        Ok(Value::Object(object))
    }
}

/// Returns the pairs in the order of their keys. A heap and not `sort`, which is far more code.
fn sorted(object: &[(String, JsonNode)]) -> impl Iterator<Item = (&str, &JsonNode)> {
    let keys = object.iter().zip(0_usize..);
    let heap: BinaryHeap<_> = keys
        .map(|((key, _), index)| (key.as_str(), index))
        .collect();
    heap.into_sorted_vec()
        .into_iter()
        .filter_map(|(key, index)| Some((key, &object.get(index)?.1)))
}
