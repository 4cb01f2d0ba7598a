//! A finished span, and the attributes that it collects while it is open.
//!
//! Attributes are kept in the form in which they leave, so that each is written once: a span costs one growing buffer
//! and no tree of values. Limits: 128 attributes a span (OpenTelemetry's default) and 1,024 bytes a value; what is over
//! is counted on the span itself.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::{SpanId, TraceId};
use crate::otlp;
use crate::time::Nanos;

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span that called, if there is one.
    pub parent_span_id: Option<SpanId>,
    /// W3C's `tracestate`, as it went upstream.
    pub trace_state: Vec<u8>,
    /// OTLP's flags: W3C's in the low byte, and whether the parent is remote.
    pub flags: u32,
    /// `{method}`, or `{method} {target}`.
    pub name: Cow<'static, str>,
    /// Which side of the call.
    pub kind: SpanKind,
    /// When the request's headers arrived.
    pub start: Nanos,
    /// When the stream ended; never before `start`.
    pub end: Nanos,
    /// What is known of it.
    pub attributes: Attributes,
    /// Another trace that this request was also part of.
    pub link: Option<Link>,
    /// Whether it failed.
    pub status: Status,
}

/// A context that came in beside, or instead of, the one that was continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its span.
    pub span_id: SpanId,
    /// Why it was not continued.
    pub reason: LinkReason,
}

/// Why a context was not continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkReason {
    /// A format that is read earlier told of another trace.
    ConflictingFormat,
    /// Contexts from outside start a new trace here.
    Restarted,
}

impl LinkReason {
    /// The value of `link.reason`.
    #[inline]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConflictingFormat => "conflicting_format",
            Self::Restarted => "restarted",
        }
    }
}

/// Which side of a call a span describes (OTLP's numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// The side that answers.
    Server = 2,
    /// The side that asks.
    Client = 3,
}

/// OpenTelemetry's span status; `Ok` is for applications alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nothing to report.
    #[default]
    Unset,
    /// It failed.
    Error,
}

/// Attributes in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    encoded: Vec<u8>,
    // count <= MAX_ATTRIBUTES
    count: u32,
    dropped: u32,
}

impl Attributes {
    /// Adds a string; bytes that are not UTF-8 become U+FFFD, for OTLP strings are UTF-8.
    #[inline]
    pub fn text(&mut self, key: &str, value: &[u8]) {
        if !self.has_room() {
            return;
        }
        let value = cut(value);
        if is_ascii(value) || core::str::from_utf8(value).is_ok() {
            otlp::attribute_text(&mut self.encoded, key, value);
        } else {
            let text = String::from_utf8_lossy(value);
            otlp::attribute_text(&mut self.encoded, key, cut(text.as_bytes()));
        }
    }

    /// Adds a whole number.
    #[inline]
    pub fn number(&mut self, key: &str, value: i64) {
        if self.has_room() {
            otlp::attribute_number(&mut self.encoded, key, value);
        }
    }

    /// The same, with room for what a span usually says: growing step by step costs a move each.
    #[inline]
    pub(crate) fn with_room(&self) -> Self {
        let mut encoded = Vec::with_capacity(self.encoded.len().saturating_add(TYPICAL_BYTES));
        encoded.extend_from_slice(&self.encoded);
        Self { encoded, ..*self }
    }

    /// The attributes as fields of an OTLP span.
    #[inline]
    pub fn as_encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// How many did not fit.
    #[inline]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    #[inline]
    fn has_room(&mut self) -> bool {
        if self.count >= MAX_ATTRIBUTES {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        }
        self.count = self.count.saturating_add(1);
        true
    }
}

/// Whether they are all ASCII, as nearly all values are: seen eight at a time, where a decoder goes byte by byte.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest.iter().fold(0, |seen, byte| seen | byte);
    words.fold(u64::from(rest), |seen, word| seen | word) & 0x8080_8080_8080_8080 == 0
}

/// At most [`MAX_VALUE_BYTES`], and not in the middle of a character.
#[inline]
fn cut(value: &[u8]) -> &[u8] {
    if value.len() <= MAX_VALUE_BYTES {
        return value;
    }
    let is_continuation = |byte: &u8| matches!(byte, 0x80..=0xbf);
    let mut end = MAX_VALUE_BYTES;
    // A character has at most three bytes behind its first; more of them are not UTF-8 anyway.
    for _ in 0..3 {
        if value.get(end).is_some_and(is_continuation) {
            end = end.saturating_sub(1);
        }
    }
    value.get(..end).unwrap_or_default()
}

/// What an HTTP request says by the stable conventions, with room for a long path.
const TYPICAL_BYTES: usize = 480;
/// OpenTelemetry's default for attributes on a span.
const MAX_ATTRIBUTES: u32 = 128;
/// Our own limit, for a header may be as long as the proxy allows.
const MAX_VALUE_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    fn values(attributes: &Attributes) -> Vec<String> {
        use opentelemetry_proto::tonic::common::v1::any_value::Value;
        use opentelemetry_proto::tonic::trace::v1::Span;
        let span = <Span as prost::Message>::decode(attributes.as_encoded()).unwrap();
        span.attributes
            .into_iter()
            .map(|attribute| match attribute.value.unwrap().value.unwrap() {
                Value::StringValue(text) => text,
                Value::IntValue(number) => format!("{number}"),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn rs_5_cuts_a_value_between_characters() {
        let mut attributes = Attributes::default();
        let exact = vec![b'a'; MAX_VALUE_BYTES];
        let mut long = vec![b'a'; MAX_VALUE_BYTES - 1];
        long.extend_from_slice("é!".as_bytes());
        attributes.text("exact", &exact);
        attributes.text("long", &long);
        let values = values(&attributes);
        assert_eq!(values[0].len(), MAX_VALUE_BYTES);
        assert_eq!(values[1].len(), MAX_VALUE_BYTES - 1);
    }

    #[test]
    fn rd_4_replaces_what_is_not_utf_8_and_stays_within_the_limit() {
        let mut attributes = Attributes::default();
        attributes.text("short", b"a\xffb");
        attributes.text("long", &[0xff; 3000]);
        let values = values(&attributes);
        assert_eq!(values[0], "a\u{fffd}b");
        assert!(values[1].len() <= MAX_VALUE_BYTES);
        assert!(values[1].chars().all(|character| character == '\u{fffd}'));
    }

    #[test]
    fn rs_5_counts_what_is_over_128_attributes() {
        let mut attributes = Attributes::default();
        for index in 0..130 {
            attributes.number("n", index);
        }
        assert_eq!(values(&attributes).len(), 128);
        assert_eq!(attributes.dropped(), 2);
    }
}
