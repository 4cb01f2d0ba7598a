//! The proxy's answers to one set of attributes, read from one CEL list or property by property.

use super::source::number;
use crate::headers::pairs::HeaderPairs;
use crate::stream_info::attributes::{Attribute, AttributeSet};
use crate::stream_info::source::StreamInfo;
use alloc::borrow::Cow;

/// The answers of one list, and the proxy for all other attributes.
pub(crate) struct Answers<'a, E> {
    pub(crate) stream_info: &'a E,
    // The answers in the order of `Attribute`; all None where the list failed.
    answers: [Option<&'a [u8]>; Attribute::ALL.len()],
}

impl<'a, E: StreamInfo> Answers<'a, E> {
    /// Reads the list that the proxy has answered for a set of attributes, if it has.
    #[inline]
    pub(crate) fn new(stream_info: &'a E, set: AttributeSet, list: Option<&'a [u8]>) -> Self {
        let mut answers = [None; Attribute::ALL.len()];
        let mut values = HeaderPairs::new(list.unwrap_or_default());
        for attribute in set.attributes() {
            let Some((value, _)) = values.next() else {
                break;
            };
            if let Some(answer) = answers.get_mut(*attribute as usize) {
                *answer = Some(value);
            }
        }
        Self {
            stream_info,
            answers,
        }
    }

    /// Returns no answers, so that each attribute is asked for by itself.
    #[inline]
    pub(crate) fn nothing(stream_info: &'a E) -> Self {
        Self {
            stream_info,
            answers: [None; Attribute::ALL.len()],
        }
    }

    /// Returns the answer of the list.
    #[inline]
    pub(crate) fn answer(&self, attribute: Attribute) -> Option<&'a [u8]> {
        self.answers.get(attribute as usize).copied().flatten()
    }

    /// Returns the value of an attribute: the answer of the list, or else the property.
    #[inline]
    pub(crate) fn attribute(&self, attribute: Attribute) -> Option<Cow<'a, [u8]>> {
        match self.answer(attribute) {
            Some(answer) => Some(Cow::Borrowed(answer)),
            None => self.stream_info.property(attribute.path()).map(Cow::Owned),
        }
    }

    /// Returns the value of an attribute that is a whole number.
    #[inline]
    pub(crate) fn number(&self, attribute: Attribute) -> Option<u64> {
        match self.answer(attribute) {
            Some(answer) => Some(u64::from_le_bytes(answer.try_into().ok()?)),
            None => number(self.stream_info, attribute.path()),
        }
    }
}
