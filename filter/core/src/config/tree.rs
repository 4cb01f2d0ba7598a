//! The configuration as a tree that forgets nothing: keys in their order, repeated ones included.
//!
//! `serde_json::Value` keeps the last of two equal keys and so cannot refuse them. Every node has its place in the
//! document, so that errors found late (one key against another) can still be reported in the order of the text.

use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::codec::json::{JsonError, Piece, Reader};

/// One value and its place.
#[derive(Debug)]
pub(super) struct JsonNode {
    /// Nodes that begin before this one.
    pub(super) place: usize,
    /// The value.
    pub(super) value: Value,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    Number(Number),
    String(String),
    List(Vec<JsonNode>),
    Object(Vec<(String, JsonNode)>),
}

/// A number, and how it was written.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) value: f64,
    pub(super) written: String,
}

impl JsonNode {
    /// Reads JSON.
    ///
    /// # Errors
    /// The parser's own, with line and column.
    pub(super) fn parse(json: &[u8]) -> Result<Self, JsonError> {
        let mut reader = Reader::new(json);
        let node = Self::read(&mut reader, &mut 0)?;
        reader.end()?;
        Ok(node)
    }

    /// Reads the value that begins here. How deep it may go is limited by the reader.
    fn read(reader: &mut Reader<'_>, count: &mut usize) -> Result<Self, JsonError> {
        let place = *count;
        *count = place.saturating_add(1);
        let value = match reader.begin()? {
            Piece::Null => Value::Null,
            Piece::Boolean(value) => Value::Boolean(value),
            Piece::Number(number) => Value::Number(Number {
                value: number.value,
                written: number.written.into(),
            }),
            Piece::Text(text) => Value::String(text),
            Piece::List => {
                let mut list = Vec::new();
                while reader.next_entry(list.is_empty())? {
                    list.push(Self::read(reader, count)?);
                }
                Value::List(list)
            }
            Piece::Object => {
                let mut object = Vec::new();
                while let Some(key) = reader.next_key(object.is_empty())? {
                    object.push((key, Self::read(reader, count)?));
                }
                Value::Object(object)
            }
        };
        Ok(Self { place, value })
    }

    /// Whether two nodes say the same; the order of keys says nothing.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a.value == b.value,
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

/// The pairs in the order of their keys. A heap sorts ten thousand as well as `sort` does, in a quarter of its code.
fn sorted(object: &[(String, JsonNode)]) -> impl Iterator<Item = (&str, &JsonNode)> {
    let keys = object.iter().zip(0_usize..);
    let heap: BinaryHeap<_> = keys
        .map(|((key, _), index)| (key.as_str(), index))
        .collect();
    heap.into_sorted_vec()
        .into_iter()
        .filter_map(|(key, index)| Some((key, &object.get(index)?.1)))
}
