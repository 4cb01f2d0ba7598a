//! Datadog.

use crate::headers::{HeaderWriter, RequestHeaders};

use super::{Extracted, Outgoing};

/// Reads it.
pub fn extract(_headers: &RequestHeaders<'_>) -> Extracted {
    Extracted::Absent
}

/// Writes it.
pub fn inject(
    _outgoing: &Outgoing<'_>,
    _headers: &RequestHeaders<'_>,
    _writer: &mut impl HeaderWriter,
) -> bool {
    false
}

/// The value of Datadog's `tracestate` member.
pub(super) fn member(
    _headers: &RequestHeaders<'_>,
    _sampling: super::SamplingState,
) -> Option<alloc::vec::Vec<u8>> {
    None
}
