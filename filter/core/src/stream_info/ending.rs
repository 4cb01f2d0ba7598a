//! The end of a stream whose spans are pending, as far as it decides on them: each fact is asked for where it makes a
//! difference, and once.

use core::cell::OnceCell;

use super::attributes::{Attribute, AttributeSet};
use super::outcome;
use super::source::{self, StreamInfo};

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
        if let Some([flags, code]) = list.as_deref().and_then(two_numbers) {
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

/// Reads a list of two whole numbers, which is always of one length (`attributes`): how many there are, the lengths of both
/// and of nothing behind each, then each with two zeros.
#[inline]
fn two_numbers(list: &[u8]) -> Option<[u64; 2]> {
    let list: &[u8; 40] = list.try_into().ok()?;
    let word = |at: usize| {
        let bytes = list.get(at..)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    };
    let is_so = word(0)? == 2 | EIGHT << 32 && word(12)? == EIGHT;
    is_so.then_some([word(20)?, word(30)?])
}

/// The length of a number.
const EIGHT: u64 = 8;

/// Returns true if the upstream's response has arrived to its last byte: Envoy knows how long the upstream took only then.
#[inline]
pub(crate) fn is_received(stream_info: &impl StreamInfo) -> bool {
    let latency = stream_info.property("response\0backend_latency");
    latency.is_some_and(|nanos| !nanos.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_memory::stream_record::list;

    #[test]
    fn reads_the_numbers_where_a_list_has_them() {
        let numbers = [0x20_u64, 503].map(u64::to_le_bytes);
        let whole = list(numbers.iter().map(<[u8; 8]>::as_slice));
        assert_eq!(two_numbers(&whole), Some([0x20, 503]));
        let others = [&b"12345678"[..], b"1234", b"1234567"];
        for other in [&others[..1], &others[..2], &others[1..], &others] {
            assert_eq!(two_numbers(&list(other.iter().copied())), None);
        }
        assert_eq!(two_numbers(&whole[1..]), None);
        assert_eq!(two_numbers(b""), None);
    }
}
