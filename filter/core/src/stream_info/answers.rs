//! The proxy's answers to one set of attributes, read from one CEL list or property by property.

use super::source::number;
use crate::headers::pairs::HeaderPairs;
use crate::stream_info::attributes::{Attribute, AttributeSet};
use crate::stream_info::source::StreamInfo;
use alloc::borrow::Cow;

/// Answers that came in one call, and the proxy for all else.
pub(crate) struct Answers<'a, E> {
    pub(crate) exchange: &'a E,
    // By the order of `Attribute`; None throughout where the list failed.
    answers: [Option<&'a [u8]>; Attribute::ALL.len()],
}

impl<'a, E: StreamInfo> Answers<'a, E> {
    /// Reads what the proxy answered to a question, if it did.
    #[inline]
    pub(crate) fn new(exchange: &'a E, question: AttributeSet, list: Option<&'a [u8]>) -> Self {
        let mut answers = [None; Attribute::ALL.len()];
        let values = HeaderPairs::new(list.unwrap_or_default());
        for (fact, (value, _)) in question.facts().iter().zip(values) {
            if let Some(answer) = answers.get_mut(*fact as usize) {
                *answer = Some(value);
            }
        }
        Self { exchange, answers }
    }

    /// Nothing came in one call.
    #[inline]
    pub(crate) fn nothing(exchange: &'a E) -> Self {
        Self {
            exchange,
            answers: [None; Attribute::ALL.len()],
        }
    }

    /// What was answered in the one call.
    #[inline]
    pub(crate) fn answer(&self, fact: Attribute) -> Option<&'a [u8]> {
        self.answers.get(fact as usize).copied().flatten()
    }

    /// What is known of it, asked for if it has to be.
    #[inline]
    pub(crate) fn fact(&self, fact: Attribute) -> Option<Cow<'a, [u8]>> {
        match self.answer(fact) {
            Some(answer) => Some(Cow::Borrowed(answer)),
            None => self.exchange.property(fact.path()).map(Cow::Owned),
        }
    }

    /// The same, of one that is a whole number.
    #[inline]
    pub(crate) fn number(&self, fact: Attribute) -> Option<u64> {
        match self.answer(fact) {
            Some(answer) => Some(u64::from_le_bytes(answer.try_into().ok()?)),
            None => number(self.exchange, fact.path()),
        }
    }
}
