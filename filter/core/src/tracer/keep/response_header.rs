//! Changes to the header `server-timing` of a response: its lines are read, set, or cleared of the metric `trace`.
//!
//! A header may come in several lines, of which the proxy gives the first, while a write replaces them all. So where there
//! is a first line, all lines are read, joined as HTTP joins them (RFC 9110, "Field Order").

use alloc::vec::Vec;

use super::server_timing;
use crate::headers::HeaderWriter;
use crate::stream_info::heard::ResponsePart;
use crate::stream_info::source::PassingResponse;

/// The change to `server-timing` in a part of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderChange {
    /// No change.
    Leave,
    /// A new value.
    Set(Vec<u8>),
    /// The removal of the header.
    Remove,
}

impl HeaderChange {
    /// Returns the change that removes the metric `trace` and leaves all other metrics.
    #[inline]
    pub(super) fn strip(said: Option<&[u8]>) -> Self {
        match said {
            Some(said) if server_timing::has_trace_metric(said) => {
                match server_timing::without_trace_metrics(said) {
                    rest if rest.is_empty() => Self::Remove,
                    rest => Self::Set(rest),
                }
            }
            _ => Self::Leave,
        }
    }

    /// Writes the change into a part of a response.
    #[inline]
    pub(crate) fn write(&self, writer: &mut impl HeaderWriter) {
        match self {
            Self::Leave => {}
            Self::Set(value) => writer.set(server_timing::NAME, value),
            Self::Remove => writer.remove(server_timing::NAME),
        }
    }

    /// Returns the change that removes the metric `trace` from this part of a response, where it is to be removed.
    #[inline]
    pub fn stripped_if(
        strips: bool,
        part: ResponsePart,
        stream_info: &impl PassingResponse,
    ) -> Self {
        match strips {
            true => Self::strip(server_timing_of(part, stream_info).as_deref()),
            false => Self::Leave,
        }
    }
}

/// Returns all lines of `server-timing` in a part of a response, joined.
#[inline]
pub(super) fn server_timing_of(
    part: ResponsePart,
    stream_info: &impl PassingResponse,
) -> Option<Vec<u8>> {
    let first = part.line(stream_info, server_timing::NAME)?;
    let all = match part {
        ResponsePart::Headers => "response\0headers\0server-timing",
        ResponsePart::Trailers => "response\0trailers\0server-timing",
    };
    Some(stream_info.property(all).unwrap_or(first))
}
