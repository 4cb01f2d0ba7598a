//! The reader of JSON values: objects, lists, and the forms that proto3 gives to each type.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Number, Value};

/// The error of a text that is not OTLP in JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at {path}")]
pub struct JsonError {
    /// The place in the text, `$` being all of it.
    pub path: String,
    /// The problem.
    pub problem: String,
}

/// The counts of what was read although the specification does not allow it, or was passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    /// Keys in snake case, which stand for the same keys in camel case.
    pub snake_case: u64,
    /// Enumerations by name, which are to be numbers.
    pub enum_names: u64,
    /// Keys that no message has; their values are lost.
    pub unknown: u64,
}

/// The answer of a message to a key.
pub(super) enum Key {
    Known,
    Unknown,
}

enum Step {
    Key(String),
    Index(usize),
}

/// The place in the text, and the warnings so far.
#[derive(Default)]
pub(super) struct Reader {
    path: Vec<Step>,
    pub(super) warnings: Warnings,
}

pub(super) type Read<T> = Result<T, JsonError>;

impl Reader {
    /// Hands each key of an object to `field`, snake case turned into camel case; `null` is an object without keys.
    pub(super) fn object(
        &mut self,
        value: Value,
        mut field: impl FnMut(&mut Self, &str, Value) -> Read<Key>,
    ) -> Read<()> {
        let fields = match value {
            Value::Null => return Ok(()),
            Value::Object(fields) => fields,
            other => return Err(self.expected("an object", &other)),
        };
        for (key, value) in fields {
            let camel = key.contains('_').then(|| camel_case(&key));
            self.path.push(Step::Key(key));
            let name = match (&camel, self.path.last()) {
                (Some(camel), _) => camel.clone(),
                (None, Some(Step::Key(key))) => key.clone(),
                _ => String::new(),
            };
            match field(self, &name, value)? {
                Key::Unknown => self.warnings.unknown += 1,
                Key::Known => self.warnings.snake_case += u64::from(camel.is_some()),
            }
            self.path.pop();
        }
        Ok(())
    }

    pub(super) fn list<T>(
        &mut self,
        value: Value,
        mut item: impl FnMut(&mut Self, Value) -> Read<T>,
    ) -> Read<Vec<T>> {
        let values = match value {
            Value::Null => return Ok(Vec::new()),
            Value::Array(values) => values,
            other => return Err(self.expected("a list", &other)),
        };
        let mut read = Vec::with_capacity(values.len());
        for (at, value) in values.into_iter().enumerate() {
            self.path.push(Step::Index(at));
            read.push(item(self, value)?);
            self.path.pop();
        }
        Ok(read)
    }

    pub(super) fn optional<T>(
        &mut self,
        value: Value,
        read: impl FnOnce(&mut Self, Value) -> Read<T>,
    ) -> Read<Option<T>> {
        match value {
            Value::Null => Ok(None),
            value => read(self, value).map(Some),
        }
    }

    pub(super) fn text(&mut self, value: Value) -> Read<String> {
        match value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text),
            other => Err(self.expected("a text", &other)),
        }
    }

    pub(super) fn truth(&self, value: &Value) -> Read<bool> {
        match value {
            Value::Null => Ok(false),
            Value::Bool(truth) => Ok(*truth),
            other => Err(self.expected("true or false", other)),
        }
    }

    /// Reads an id of `length` bytes; an absent one is empty, and a span is refused for that alone.
    pub(super) fn id(&mut self, value: Value, length: usize) -> Read<Vec<u8>> {
        let text = self.text(value)?;
        let mut id = vec![0; length];
        if text.is_empty() {
            return Ok(Vec::new());
        }
        match hex::decode_to_slice(&text, &mut id) {
            Ok(()) => Ok(id),
            Err(_) => Err(self.error(format!("expected {} hexadecimal digits", length * 2))),
        }
    }

    pub(super) fn u64(&self, value: &Value) -> Read<u64> {
        self.number(
            value,
            "a whole number from 0 to 18446744073709551615",
            Number::as_u64,
        )
    }

    pub(super) fn i64(&self, value: &Value) -> Read<i64> {
        self.number(value, "a whole number of 64 bits", Number::as_i64)
    }

    pub(super) fn u32(&self, value: &Value) -> Read<u32> {
        let narrow = |number: &Number| number.as_u64().and_then(|number| number.try_into().ok());
        self.number(value, "a whole number from 0 to 4294967295", narrow)
    }

    pub(super) fn i32(&self, value: &Value) -> Read<i32> {
        let narrow = |number: &Number| number.as_i64().and_then(|number| number.try_into().ok());
        self.number(value, "a whole number of 32 bits", narrow)
    }

    /// Reads a number, or a text that holds one, as proto3's JSON allows for every type.
    fn number<T: Default>(
        &self,
        value: &Value,
        expected: &str,
        narrow: impl Fn(&Number) -> Option<T>,
    ) -> Read<T> {
        let number = match value {
            Value::Null => return Ok(T::default()),
            Value::Number(number) => narrow(&whole(number)),
            Value::String(text) => text.parse().ok().and_then(|number| narrow(&whole(&number))),
            _ => None,
        };
        number.ok_or_else(|| self.expected(expected, value))
    }

    pub(super) fn double(&self, value: &Value) -> Read<f64> {
        let number = match value {
            Value::Null => Some(0.0),
            Value::Number(number) => number.as_f64(),
            // Rust reads `NaN`, `Infinity` and `-Infinity` as proto3 writes them.
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.expected("a number", value))
    }

    pub(super) fn bytes(&mut self, value: Value) -> Read<Vec<u8>> {
        let text = self.text(value)?;
        let alphabet = match text.contains(['-', '_']) {
            true => &alphabet::URL_SAFE,
            false => &alphabet::STANDARD,
        };
        let padding = DecodePaddingMode::Indifferent;
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding);
        let engine = GeneralPurpose::new(alphabet, config);
        engine
            .decode(text)
            .map_err(|_| self.error("expected bytes in base64".to_owned()))
    }

    pub(super) fn enumeration(&mut self, value: &Value, names: &[&str]) -> Read<i32> {
        let Value::String(text) = value else {
            return self.i32(value);
        };
        match names.iter().position(|name| name == text) {
            Some(number) => {
                self.warnings.enum_names += 1;
                Ok(i32::try_from(number).unwrap_or(i32::MAX))
            }
            None => self.i32(value),
        }
    }

    fn expected(&self, expected: &str, found: &Value) -> JsonError {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "another number",
            Value::String(_) => "another text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.error(format!("expected {expected}, found {found}"))
    }

    fn error(&self, problem: String) -> JsonError {
        let mut path = "$".to_owned();
        for step in &self.path {
            // Writing to a String cannot fail. A key is the sender's and can have any length.
            let _ = match step {
                Step::Key(key) => write!(path, ".{}", key.chars().take(64).collect::<String>()),
                Step::Index(index) => write!(path, "[{index}]"),
            };
        }
        JsonError { path, problem }
    }
}

/// Returns a number without its fraction if the fraction is zero, because `1.0` and `1e3` are whole numbers in JSON.
fn whole(number: &Number) -> Number {
    match number.as_f64() {
        Some(double) if number.is_f64() && double.fract() == 0.0 && double.abs() < EXACT => {
            format!("{double:.0}")
                .parse()
                .unwrap_or_else(|_| number.clone())
        }
        _ => number.clone(),
    }
}

/// The bound below which a double holds every whole number: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn camel_case(snake: &str) -> String {
    let mut camel = String::new();
    let mut is_start = false;
    for letter in snake.chars() {
        match (letter, is_start) {
            ('_', _) => is_start = true,
            (letter, true) => {
                camel.push(letter.to_ascii_uppercase());
                is_start = false;
            }
            (letter, false) => camel.push(letter),
        }
    }
    camel
}
