//! The outline of a span: its place among the others and a few attributes, read in place, because a map of services reads
//! very many spans and needs little of each.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

use super::decode;
use super::rows::ERROR;
use super::span::{Resource, Scope, SpanKind};
use super::wire::{Content, Message, next_field};

/// The part of a span that tells its relation to others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outline {
    /// The span id, in the order of its bytes.
    pub(crate) span_id: u64,
    /// The parent's span id; `None` for a root.
    pub(crate) parent: Option<u64>,
    /// The span's kind.
    pub(crate) kind: SpanKind,
    /// The start, in nanoseconds since 1970.
    pub(crate) start: u64,
    /// The end, in nanoseconds since 1970; with a wrong clock it can be before the start.
    pub(crate) end: u64,
    /// True if the sender set the status to error.
    pub(crate) is_error: bool,
    /// The W3C `tracestate`, as sent.
    pub(crate) trace_state: String,
    /// The index of the resource and scope in [`Outlines::origins`].
    pub(crate) origin: usize,
    /// The attributes that were asked for, numbers and booleans as text.
    pub(crate) attributes: Vec<(&'static str, String)>,
}

/// The outlines of traces, the newest trace first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outlines {
    /// The spans of each trace, in the order of their arrival.
    pub(crate) traces: Vec<Vec<Outline>>,
    /// The resources and scopes of the spans; one can be there several times.
    pub(crate) origins: Vec<(Arc<Resource>, Arc<Scope>)>,
    /// The traces that were found and not read, because others had used up the bound.
    pub(crate) left_out: u64,
}

impl Outline {
    /// Returns the text of an attribute that was asked for.
    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(name, _)| *name == key);
        found.map(|(_, text)| text.as_str())
    }
}

/// Reads the outline of a span, with the attributes of these keys.
pub(super) fn outline(body: &[u8], origin: usize, keys: &[&'static str]) -> Outline {
    let mut outline = Outline {
        span_id: 0,
        parent: None,
        kind: SpanKind::Unspecified,
        start: 0,
        end: 0,
        is_error: false,
        trace_state: String::new(),
        origin,
        attributes: Vec::new(),
    };
    let mut rest = body;
    while !rest.is_empty() {
        // Stored bytes were checked; of a damaged file what can be read is shown.
        let Ok(field) = next_field(Message::Span, &mut rest) else {
            break;
        };
        match (field.number, field.content) {
            (2, Content::Bytes(id)) => outline.span_id = id_of(id).unwrap_or_default(),
            (3, Content::Bytes(text)) => {
                outline.trace_state = String::from_utf8_lossy(text).into_owned();
            }
            (4, Content::Bytes(id)) => outline.parent = id_of(id).filter(|id| *id != 0),
            (6, Content::Number(kind)) => outline.kind = decode::kind(enumeration(kind)),
            (7, Content::Number(time)) => outline.start = time,
            (8, Content::Number(time)) => outline.end = time,
            (9, Content::Bytes(pair)) => outline.attributes.extend(attribute(pair, keys)),
            (15, Content::Bytes(status)) => outline.is_error = is_error(status),
            _ => {}
        }
    }
    outline
}

fn id_of(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

/// Returns a protobuf enumeration's number, of which the lower half counts.
fn enumeration(number: u64) -> i32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

fn is_error(status: &[u8]) -> bool {
    let mut code = 0;
    let mut rest = status;
    while let (false, Ok(field)) = (rest.is_empty(), next_field(Message::Status, &mut rest)) {
        if let (3, Content::Number(number)) = (field.number, field.content) {
            code = enumeration(number);
        }
    }
    code == ERROR
}

fn attribute(pair: &[u8], keys: &[&'static str]) -> Option<(&'static str, String)> {
    let mut rest = pair;
    let key = match next_field(Message::KeyValue, &mut rest).ok()? {
        field if field.number == 1 => match field.content {
            Content::Bytes(key) => keys.iter().find(|own| own.as_bytes() == key),
            _ => None,
        },
        // An encoder that writes the value first.
        _ => {
            let decoded = KeyValue::decode(pair).ok()?;
            keys.iter().find(|own| **own == decoded.key)
        }
    }?;
    let text = match KeyValue::decode(pair).ok()?.value?.value? {
        Value::StringValue(text) => text,
        Value::BoolValue(truth) => truth.to_string(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        _ => return None,
    };
    Some((key, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::golden;

    #[test]
    fn reads_what_the_decoder_reads() {
        let span = golden::full();
        let outline = outline(&span.encode_to_vec(), 3, &["s", "i", "b", "d", "y"]);
        let expected = Outline {
            span_id: u64::from_be_bytes([0x0C; 8]),
            parent: Some(u64::from_be_bytes([0x0D; 8])),
            kind: SpanKind::Server,
            start: 10,
            end: 25,
            is_error: true,
            trace_state: "ot=th:8".into(),
            origin: 3,
            attributes: vec![
                ("s", "v".into()),
                ("b", "true".into()),
                ("i", i64::MIN.to_string()),
                ("d", "1.5".into()),
                ("s", "again".into()),
            ],
        };
        assert_eq!(outline, expected);
        assert_eq!(outline.attribute("s"), Some("v"), "the first counts");
        assert_eq!(outline.attribute("y"), None, "bytes are no text");
    }

    #[test]
    fn an_empty_span_is_a_root_without_anything() {
        let outline = outline(&[], 0, &[]);
        assert_eq!(
            (outline.parent, outline.kind),
            (None, SpanKind::Unspecified)
        );
        let mut zero = golden::full();
        zero.parent_span_id = vec![0; 8];
        let outline = super::outline(&zero.encode_to_vec(), 0, &[]);
        assert_eq!(outline.parent, None);
    }

    #[test]
    fn a_value_before_its_key_is_read() {
        let pair = golden::pair("key", Value::StringValue("value".into()));
        let value = pair.value.clone().unwrap().encode_to_vec();
        let mut turned = vec![0x12, u8::try_from(value.len()).unwrap()];
        turned.extend(value);
        turned.extend([0x0A, 3]);
        turned.extend(b"key");
        assert_eq!(attribute(&turned, &["key"]), Some(("key", "value".into())));
        assert_eq!(attribute(&turned, &["other"]), None);
    }
}
