//! The carrier of Amazon SQS: at most ten message attributes, which count into the message's size, and beside them the system
//! attribute `AWSTraceHeader`, which counts neither as an attribute nor into the size.
//!
//! X-Ray's header stands in `AWSTraceHeader`, where Amazon's services write and read it; every other header is an attribute of
//! the type `String`. A receiver gets only what it asks for: `MessageAttributeNames` must be `All` or name the headers, and
//! `MessageSystemAttributeNames` must name `AWSTraceHeader`.

use alloc::string::String;
use alloc::vec::Vec;

use super::carrier::Carrier;

/// The attributes of one message of SQS that are of the type `String`, and its trace header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageAttributes {
    texts: Vec<(String, Vec<u8>)>,
    // Attributes of the types `Number` and `Binary`, which are no headers and take room all the same.
    others: usize,
    trace_header: Option<Vec<u8>>,
}

impl MessageAttributes {
    /// The system attribute with X-Ray's header.
    pub const TRACE_HEADER: &str = "AWSTraceHeader";

    /// The largest number of attributes on a message.
    pub const MAX_COUNT: usize = 10;

    /// Returns the carrier with these attributes of the type `String`, this many of other types, and the value of
    /// `AWSTraceHeader`.
    pub fn new(
        texts: impl IntoIterator<Item = (String, String)>,
        others: usize,
        trace_header: Option<&str>,
    ) -> Self {
        let texts = texts.into_iter();
        Self {
            texts: texts.map(|(name, value)| (name, value.into())).collect(),
            others,
            trace_header: trace_header.map(Into::into),
        }
    }

    /// Returns the attributes of the type `String`, those that were there and those that were set.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), core::str::from_utf8(value).ok()?)))
    }

    /// Returns the value of `AWSTraceHeader`.
    pub fn trace_header(&self) -> Option<&str> {
        self.trace_header
            .as_deref()
            .and_then(|value| core::str::from_utf8(value).ok())
    }

    /// Returns the number of bytes by which the attributes of the type `String` make the message larger: names, types and
    /// values.
    pub fn bytes(&self) -> usize {
        self.texts.iter().fold(0, |sum: usize, (name, value)| {
            sum.saturating_add(name.len())
                .saturating_add(TYPE.len())
                .saturating_add(value.len())
        })
    }

    fn is_there(&self, name: &str) -> bool {
        self.texts
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
    }
}

impl Carrier for MessageAttributes {
    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let trace_header = self.trace_header.as_deref().map(|value| (X_RAY, value));
        // An attribute of this name beside the system attribute would be a second line.
        let texts = self
            .texts
            .headers()
            .filter(move |(name, _)| trace_header.is_none() || !name.eq_ignore_ascii_case(X_RAY));
        trace_header.into_iter().chain(texts)
    }

    fn set(&mut self, name: &str, value: &[u8]) {
        if name.eq_ignore_ascii_case(X_RAY) {
            self.texts.remove_all(name);
            self.trace_header = Some(value.into());
        } else if self.has_room_for(&[name]) {
            self.texts.set(name, value);
        }
    }

    fn remove_all(&mut self, name: &str) {
        if name.eq_ignore_ascii_case(X_RAY) {
            self.trace_header = None;
        }
        self.texts.remove_all(name);
    }

    fn has_room_for(&self, names: &[&str]) -> bool {
        let is_new = |name: &&&str| !name.eq_ignore_ascii_case(X_RAY) && !self.is_there(name);
        let added = names.iter().filter(is_new).count();
        let taken = self.texts.len().saturating_add(self.others);
        added == 0 || taken.saturating_add(added) <= Self::MAX_COUNT
    }
}

/// The header that is the system attribute.
const X_RAY: &str = "x-amzn-trace-id";

/// The type of an attribute with a header.
const TYPE: &str = "String";

#[cfg(test)]
mod tests;
