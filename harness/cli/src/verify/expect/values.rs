//! The values of an expectation: text with `*`, numbers, ranges, and what is not.

use std::fmt;
use std::time::Duration;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sidespan_core::pattern;
use sidespan_sink::api::{duration_of, kind_of, status_of};
use sidespan_sink::{SpanKind, StatusCode, Value};

/// A text in which `*` is any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl Text {
    /// Returns true if the text matches a whole value.
    pub(super) fn matches(&self, value: &str) -> bool {
        pattern::matches(&self.0, value.as_bytes())
    }
}

/// What an attribute must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    /// It must not be there.
    Absent,
    /// Text in which `*` is any run of characters; a number or boolean is compared as it is written.
    Text(Text),
    /// Exactly this boolean.
    Bool(bool),
    /// Exactly this number.
    Number(f64),
    /// One of these.
    Any(Vec<Wanted>),
    /// A number between two, both included.
    Range(Option<f64>, Option<f64>),
    /// Anything else than this, or nothing.
    Not(Box<Wanted>),
}

impl Wanted {
    /// Returns true if an attribute's value, or its absence, is as it must be.
    pub(super) fn matches(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Absent, found) => found.is_none(),
            (Self::Not(wanted), found) => !wanted.matches(found),
            (Self::Any(all), found) => all.iter().any(|wanted| wanted.matches(found)),
            (_, None) => false,
            (Self::Text(text), Some(found)) => text.matches(&shown(found)),
            (Self::Bool(wanted), Some(found)) => *found == Value::Bool(*wanted),
            (Self::Number(wanted), Some(found)) => number(found) == Some(*wanted),
            (Self::Range(min, max), Some(found)) => number(found).is_some_and(|found| {
                min.is_none_or(|min| min <= found) && max.is_none_or(|max| found <= max)
            }),
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

/// Returns a value as it is written, without the quotes of text.
pub(super) fn shown(value: &Value) -> String {
    let list = |all: &[Value]| all.iter().map(shown).collect::<Vec<_>>().join(", ");
    match value {
        Value::Empty => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Array(all) => format!("[{}]", list(all)),
        Value::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|it| format!("{}: {}", it.key, shown(&it.value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Bytes(bytes) => hex::encode(bytes),
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => out.write_str("none"),
            Self::Text(text) => out.write_str(&text.0),
            Self::Bool(truth) => write!(out, "{truth}"),
            Self::Number(number) => write!(out, "{number}"),
            Self::Any(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                write!(out, "one of {}", all.join(", "))
            }
            Self::Range(Some(min), Some(max)) => write!(out, "{min} to {max}"),
            Self::Range(Some(min), None) => write!(out, "at least {min}"),
            Self::Range(None, Some(max)) => write!(out, "at most {max}"),
            Self::Range(None, None) => out.write_str("a number"),
            Self::Not(wanted) => write!(out, "not {wanted}"),
        }
    }
}

/// How many there must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) min: usize,
    pub(super) max: usize,
}

impl Count {
    /// At least one, which is meant where nothing is said.
    pub(super) const SOME: Self = Self {
        min: 1,
        max: usize::MAX,
    };

    pub(super) fn holds(self, found: usize) -> bool {
        (self.min..=self.max).contains(&found)
    }

    /// Returns true if more can be too many.
    pub(super) fn can_break(self) -> bool {
        self.max < usize::MAX
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (0, 0) => out.write_str("no"),
            (min, max) if min == max => write!(out, "{min}"),
            (min, usize::MAX) => write!(out, "at least {min}"),
            (0, max) => write!(out, "at most {max}"),
            (min, max) => write!(out, "{min} to {max}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    #[serde(default)]
    min: usize,
    #[serde(default = "any")]
    max: usize,
}

fn any() -> usize {
    usize::MAX
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Count;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, or {min: 1, max: 3}")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                Ok(Count {
                    min: number,
                    max: number,
                })
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Count, E> {
                let number = u64::try_from(number);
                let number = number.map_err(|_| E::custom("expected a number from 0 on"))?;
                self.visit_u64(number)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
                let Limits { min, max } = Limits::deserialize(MapAccessDeserializer::new(map))?;
                if min > max {
                    return Err(A::Error::custom(format!(
                        "expected min up to max, found {min} and {max}"
                    )));
                }
                Ok(Count { min, max })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    #[serde(default)]
    min: Option<f64>,
    #[serde(default)]
    max: Option<f64>,
    #[serde(default, deserialize_with = "given")]
    not: Option<Wanted>,
}

/// Reads `not: null` as one that is given.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Wanted>, D::Error> {
    Wanted::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Wanted;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "text, a number, true, false, null, a list, {min: …, max: …} or {not: …}",
                )
            }

            fn visit_unit<E: Error>(self) -> Result<Wanted, E> {
                Ok(Wanted::Absent)
            }

            fn visit_none<E: Error>(self) -> Result<Wanted, E> {
                Ok(Wanted::Absent)
            }

            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Wanted, D::Error> {
                Wanted::deserialize(inner)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Wanted, E> {
                Ok(Wanted::Text(Text(text.to_owned())))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Wanted, E> {
                Ok(Wanted::Bool(truth))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Wanted, E> {
                Ok(Wanted::Number(number as f64))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Wanted, E> {
                Ok(Wanted::Number(number as f64))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Wanted, E> {
                Ok(Wanted::Number(number))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, all: A) -> Result<Wanted, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(all)).map(Wanted::Any)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Wanted, A::Error> {
                let read = Condition::deserialize(MapAccessDeserializer::new(map))?;
                match read {
                    Condition {
                        min: None,
                        max: None,
                        not: Some(wanted),
                    } => Ok(Wanted::Not(Box::new(wanted))),
                    Condition {
                        not: None,
                        min,
                        max,
                    } if min.or(max).is_some() => Ok(Wanted::Range(min, max)),
                    _ => Err(A::Error::custom("expected min and max, or not alone")),
                }
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wanted::deserialize(deserializer)? {
            Wanted::Text(text) => Ok(text),
            // YAML reads both 1 and 00 as numbers, and only quotes keep the digits.
            other => Err(D::Error::custom(format!(
                "expected text, found {other}; quote it"
            ))),
        }
    }
}

/// Reads a kind of spans.
pub(super) fn kind<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SpanKind>, D::Error> {
    let text = Text::deserialize(from)?;
    kind_of(&text.0).map(Some).map_err(D::Error::custom)
}

/// Reads the status of a span.
pub(super) fn status<'de, D: Deserializer<'de>>(from: D) -> Result<Option<StatusCode>, D::Error> {
    let text = Text::deserialize(from)?;
    status_of(&text.0).map(Some).map_err(D::Error::custom)
}

/// Reads a duration.
pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = Text::deserialize(from)?;
    duration_of(&text.0).map(Some).map_err(D::Error::custom)
}
