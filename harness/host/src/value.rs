//! A typed property value and the bytes that a guest reads for it (Envoy's `serializeValue`).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::header_pairs::{self, NameEncoder};

/// A property's value, typed as Envoy's expression language types it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Text or raw bytes, passed as they are; also a protobuf message that the caller has serialised.
    Bytes(Vec<u8>),
    /// A signed number: eight bytes, little endian; also durations and times, in nanoseconds.
    Int(i64),
    /// An unsigned number: eight bytes, little endian.
    Uint(u64),
    /// A floating-point number, the only kind of number inside metadata: eight bytes, little endian.
    Double(f64),
    /// A boolean: one byte.
    Bool(bool),
    /// A map, encoded as header pairs whose values are serialised by these rules. Paths lead into a map by name.
    Map(BTreeMap<Vec<u8>, Value>),
    /// A list, encoded as header pairs with the elements as names and no values. Paths lead into a list by index.
    List(Vec<Value>),
    /// Nothing, which has no encoding: a guest that asks for it gets SERIALIZATION_FAILURE.
    Null,
}

impl Value {
    /// Returns the bytes that a guest reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    /// Writes the bytes that a guest reads behind others.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Bytes(bytes) => to.extend_from_slice(bytes),
            Self::Int(number) => to.extend(number.to_le_bytes()),
            Self::Uint(number) => to.extend(number.to_le_bytes()),
            Self::Double(number) => to.extend(number.to_le_bytes()),
            Self::Bool(truth) => to.push(u8::from(*truth)),
            Self::Map(map) => {
                let pairs: Vec<_> = map
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_bytes()))
                    .collect();
                to.extend(header_pairs::encode(&pairs));
            }
            Self::List(list) => {
                let mut names = NameEncoder::new(to, list.len());
                for value in list {
                    value.write(names.next());
                }
                names.finish();
            }
        }
    }

    /// Returns the value at the rest of a path.
    pub(crate) fn walk(&self, path: &[&[u8]]) -> Option<&Value> {
        let Some((first, rest)) = path.split_first() else {
            return Some(self);
        };
        match self {
            Self::Map(map) => map.get(*first)?.walk(rest),
            Self::List(list) => {
                let index: usize = std::str::from_utf8(first).ok()?.parse().ok()?;
                list.get(index)?.walk(rest)
            }
            _ => None,
        }
    }

    /// Returns the value of a time or a duration in nanoseconds.
    pub(crate) fn nanos(nanos: u64) -> Self {
        Self::Int(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// Returns the value of a count.
    pub(crate) fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Uint(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_each_type_as_envoy_does() {
        let map = Value::Map(BTreeMap::from([(b"k".to_vec(), Value::from(true))]));
        for (name, value, bytes) in [
            ("text", Value::from("ab"), b"ab".to_vec()),
            ("signed", Value::from(-1_i64), vec![0xFF; 8]),
            ("unsigned", Value::from(1_u64), vec![1, 0, 0, 0, 0, 0, 0, 0]),
            (
                "number in metadata",
                Value::from(1.0),
                vec![0, 0, 0, 0, 0, 0, 0xF0, 0x3F],
            ),
            ("truth", Value::from(true), vec![1]),
            (
                "duration",
                Value::from(Duration::from_nanos(2)),
                vec![2, 0, 0, 0, 0, 0, 0, 0],
            ),
            (
                "map",
                map,
                b"\x01\0\0\0\x01\0\0\0\x01\0\0\0k\0\x01\0".to_vec(),
            ),
            (
                "list",
                Value::List(vec!["x".into()]),
                b"\x01\0\0\0\x01\0\0\0\0\0\0\0x\0\0".to_vec(),
            ),
        ] {
            assert_eq!(value.to_bytes(), bytes, "{name}");
        }
    }

    #[test]
    fn walks_into_maps_by_name_and_into_lists_by_index() {
        let list = Value::List(vec!["zero".into(), "one".into()]);
        let map = Value::Map(BTreeMap::from([(b"list".to_vec(), list)]));
        assert_eq!(map.walk(&[b"list", b"1"]), Some(&Value::from("one")));
        for path in [[&b"list"[..], b"2"], [b"list", b"x"], [b"none", b"0"]] {
            assert_eq!(map.walk(&path), None);
        }
    }
}
