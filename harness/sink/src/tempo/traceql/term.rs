//! Values as TraceQL has them, and how they compare.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::store::{SpanKind, StatusCode, Value};

/// A value: of a literal, or of a span.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tempo) enum Term<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A truth.
    Bool(bool),
    /// A duration, in nanoseconds.
    Duration(i64),
    /// The status of a span.
    Status(StatusCode),
    /// The kind of a span.
    Kind(SpanKind),
}

/// An operator that compares two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tempo) enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Returns the operator with its sides exchanged.
    pub(in crate::tempo) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// Returns true if two values compare so; values of types that do not compare never do.
    pub(in crate::tempo) fn holds(self, left: &Term<'_>, right: &Term<'_>) -> bool {
        let Some(order) = left.order(right) else {
            return false;
        };
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Term<'_> {
    /// Returns the name of the type, for messages.
    pub(in crate::tempo) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Bool(_) => "bool",
            Self::Duration(_) => "duration",
            Self::Status(_) => "status",
            Self::Kind(_) => "kind",
        }
    }

    /// Returns true for the types that compare as numbers, durations among them.
    pub(in crate::tempo) fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_) | Self::Duration(_))
    }

    fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Int(left) | Self::Duration(left), Self::Int(right) | Self::Duration(right)) => {
                Some(left.cmp(right))
            }
            (Self::Status(left), Self::Status(right)) => Some(unequal(left == right)),
            (Self::Kind(left), Self::Kind(right)) => Some(unequal(left == right)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "beyond 2^53 a whole number compares with a fraction as nearly as a fraction can"
    )]
    fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) | Self::Duration(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the value as text, as tags have it.
    pub(in crate::tempo) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone().into_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
            Self::Duration(nanos) => format!("{nanos}ns"),
            Self::Status(status) => status_name(*status).to_owned(),
            Self::Kind(kind) => kind_name(*kind).to_owned(),
        }
    }
}

/// A status and a kind are equal or not, and have no order: any of the two will do, because `<` is refused for both.
fn unequal(is_equal: bool) -> Ordering {
    if is_equal {
        Ordering::Equal
    } else {
        Ordering::Less
    }
}

/// Returns the elements of an attribute's value: of an array each, of a map or bytes none, of anything else itself.
pub(in crate::tempo) fn elements(value: &Value) -> Vec<Term<'_>> {
    match value {
        Value::String(text) => vec![Term::Text(Cow::Borrowed(text))],
        Value::Bool(truth) => vec![Term::Bool(*truth)],
        Value::Int(number) => vec![Term::Int(*number)],
        Value::Double(number) => vec![Term::Float(*number)],
        Value::Array(values) => values.iter().flat_map(elements).collect(),
        Value::Empty | Value::Map(_) | Value::Bytes(_) => Vec::new(),
    }
}

/// Returns TraceQL's name of a status; of one that it does not have, `unset`.
pub(in crate::tempo) fn status_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Ok => "ok",
        StatusCode::Error => "error",
        StatusCode::Unset | StatusCode::Unknown(_) => "unset",
    }
}

/// Returns TraceQL's name of a kind; of one that it does not have, `unspecified`.
pub(in crate::tempo) fn kind_name(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
        SpanKind::Unspecified | SpanKind::Unknown(_) => "unspecified",
    }
}

/// Reads a duration as Go and Prometheus write it, `100ms`, `1.5s`, `1h30m`, `2d`, in nanoseconds; `None` for anything else.
pub(in crate::tempo) fn duration(text: &str) -> Option<i64> {
    let mut nanos = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.')?;
        let (number, unit_and_rest) = rest.split_at(digits);
        let end = unit_and_rest.find(|it: char| it.is_ascii_digit() || it == '.');
        let (unit, after) = unit_and_rest.split_at(end.unwrap_or(unit_and_rest.len()));
        let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        nanos = nanos.checked_add(scaled(number, scale)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(nanos)
}

/// Multiplies exactly, because 1.1s is not a number of nanoseconds that a fraction of two has.
fn scaled(number: &str, scale: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let (mut nanos, mut place) = (whole.checked_mul(scale)?, scale);
    for digit in fraction.bytes() {
        let digit = char::from(digit).to_digit(10)?;
        place /= 10;
        nanos = nanos.checked_add(place.checked_mul(i64::from(digit))?)?;
    }
    (!number.is_empty() && number != ".").then_some(nanos)
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

const UNITS: [(&str, i64); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", DAY),
    ("w", 7 * DAY),
    ("y", 365 * DAY),
];
