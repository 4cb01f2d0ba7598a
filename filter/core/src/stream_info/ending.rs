//! The end of a stream whose spans are pending, as far as it decides on them: each fact is asked for where it makes a
//! difference, and once.

use core::cell::OnceCell;

use super::attributes::{Attribute, AttributeSet};
use super::outcome;
use super::source::{self, StreamInfo};
use crate::headers::pairs::HeaderPairs;

/// The facts of the end of a stream.
pub(crate) struct Ending<'a, E> {
    stream_info: &'a E,
    status_code: OnceCell<Option<u16>>,
    flags: OnceCell<u64>,
}

impl<'a, E: StreamInfo> Ending<'a, E> {
    #[inline]
    pub(crate) fn new(stream_info: &'a E) -> Self {
        Self {
            stream_info,
            status_code: OnceCell::new(),
            flags: OnceCell::new(),
        }
    }

    /// Asks for the code and the flags in one call, because both will be needed.
    #[inline]
    pub(crate) fn ask_for_both(&self) {
        let list = self.stream_info.answers(AttributeSet::Ending);
        let mut list = HeaderPairs::new(list.as_deref().unwrap_or_default());
        if let Some([flags, code]) = list.take_numbers() {
            let _ = self.flags.set(flags);
            let _ = self.status_code.set(outcome::status_code(Some(code)));
        }
    }

    /// Returns the code that the client got; `None` where no response has started.
    #[inline]
    pub(crate) fn status_code(&self) -> Option<u16> {
        let ask = || outcome::status_code(self.number(Attribute::StatusCode));
        *self.status_code.get_or_init(ask)
    }

    /// Returns Envoy's response flags as one number.
    #[inline]
    pub(crate) fn flags(&self) -> u64 {
        let ask = || self.number(Attribute::Flags).unwrap_or(0);
        *self.flags.get_or_init(ask)
    }

    /// Returns true if the upstream's response has arrived to its last byte.
    #[inline]
    pub(crate) fn is_received(&self) -> bool {
        is_received(self.stream_info)
    }

    #[inline]
    fn number(&self, attribute: Attribute) -> Option<u64> {
        source::number(self.stream_info, attribute.path())
    }
}

/// Returns true if the upstream's response has arrived to its last byte: Envoy knows how long the upstream took only then.
#[inline]
pub(crate) fn is_received(stream_info: &impl StreamInfo) -> bool {
    let latency = stream_info.property("response\0backend_latency");
    latency.is_some_and(|nanos| !nanos.is_empty())
}
