//! Attributes: a key, and a value with the type that was sent (`opentelemetry.proto.common.v1.AnyValue`).
//!
//! A list of attributes is kept as sent, in order and with duplicates, because a test must see whether keys are unique.

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The key, unique in a well-formed list.
    pub key: String,
    /// The value, with the type that was sent.
    pub value: Value,
}

/// An attribute's value: `opentelemetry.proto.common.v1.AnyValue`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A value without any content, which the protocol allows.
    Empty,
    /// Text.
    String(String),
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A list.
    Array(Vec<Value>),
    /// Keys and values.
    Map(Vec<Attribute>),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// Returns the text; `None` for every other type.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the whole number; `None` for every other type.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

/// Returns the value of the first attribute of this key.
pub(crate) fn find<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a Value> {
    attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .map(|attribute| &attribute.value)
}
