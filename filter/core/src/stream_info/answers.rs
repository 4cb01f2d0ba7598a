//! The proxy's answers to one set of attributes, read from one CEL list or property by property.

use super::source::number;
use crate::headers::pairs::HeaderPairs;
use crate::stream_info::attributes::{Attribute, AttributeSet};
use crate::stream_info::source::StreamInfo;
use alloc::borrow::Cow;

/// The answers of one list, and the proxy for all other attributes.
pub(crate) struct Answers<'a, E> {
    pub(crate) stream_info: &'a E,
    // The answers to `Attribute::NUMBERS`; None where the list failed.
    numbers: Option<[u64; NUMBERS]>,
    // The answers to the attributes behind them, in the order of `Attribute`.
    others: [Option<&'a [u8]>; OTHERS],
}

const NUMBERS: usize = Attribute::NUMBERS.len();
const OTHERS: usize = Attribute::ALL.len().wrapping_sub(NUMBERS);

impl<'a, E: StreamInfo> Answers<'a, E> {
    /// Reads the list that the proxy has answered for a set of attributes, if it has.
    #[inline]
    pub(crate) fn new(stream_info: &'a E, set: AttributeSet, list: Option<&'a [u8]>) -> Self {
        let mut values = HeaderPairs::new(list.unwrap_or_default());
        let numbers = values.take_numbers();
        let mut others = [None; OTHERS];
        if numbers.is_some() {
            for (attribute, (value, _)) in set.others().iter().zip(values) {
                let place = (*attribute as usize).wrapping_sub(NUMBERS);
                if let Some(other) = others.get_mut(place) {
                    *other = Some(value);
                }
            }
        }
        Self {
            stream_info,
            numbers,
            others,
        }
    }

    /// Returns no answers, so that each attribute is asked for by itself.
    #[inline]
    pub(crate) fn nothing(stream_info: &'a E) -> Self {
        Self {
            stream_info,
            numbers: None,
            others: [None; OTHERS],
        }
    }

    /// Returns the answer of the list to an attribute that is none of its numbers.
    #[inline]
    fn other(&self, attribute: Attribute) -> Option<&'a [u8]> {
        let place = (attribute as usize).wrapping_sub(NUMBERS);
        self.others.get(place).copied().flatten()
    }

    /// Returns the value of an attribute: the answer of the list, or else the property.
    #[inline]
    pub(crate) fn attribute(&self, attribute: Attribute) -> Option<Cow<'a, [u8]>> {
        match self.other(attribute) {
            Some(answer) => Some(Cow::Borrowed(answer)),
            None => self.stream_info.property(attribute.path()).map(Cow::Owned),
        }
    }

    /// Returns the value of an attribute that is a whole number.
    #[inline]
    pub(crate) fn number(&self, attribute: Attribute) -> Option<u64> {
        let listed = self.numbers.as_ref();
        if let Some(number) = listed.and_then(|numbers| numbers.get(attribute as usize)) {
            return Some(*number);
        }
        match self.other(attribute) {
            Some(answer) => Some(u64::from_le_bytes(answer.try_into().ok()?)),
            None => number(self.stream_info, attribute.path()),
        }
    }
}
