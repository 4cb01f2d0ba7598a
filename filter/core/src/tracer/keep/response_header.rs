//! Changes to the header `server-timing` of a response: its lines are read, set, or cleared of the metric `trace`.
//!
//! A header may come in several lines, of which the proxy gives the first, while a write replaces them all. So where there
//! is a first line, all lines are read, joined as HTTP joins them (RFC 9110, "Field Order").

use alloc::vec::Vec;

use super::server_timing;
use crate::headers::HeaderWriter;
use crate::stream_info::source::StreamInfo;

/// The part of a response that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePart {
    /// The headers.
    Headers,
    /// The trailers.
    Trailers,
}

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

impl ResponsePart {
    /// Returns the first line of this name.
    #[inline]
    pub(super) fn line(self, stream_info: &impl StreamInfo, name: &str) -> Option<Vec<u8>> {
        match self {
            Self::Headers => stream_info.response_header(name),
            Self::Trailers => stream_info.response_trailer(name),
        }
    }

    /// Returns all lines of `server-timing`, joined.
    #[inline]
    pub(super) fn server_timing(self, stream_info: &impl StreamInfo) -> Option<Vec<u8>> {
        let first = self.line(stream_info, server_timing::NAME)?;
        let all = match self {
            Self::Headers => "response\0headers\0server-timing",
            Self::Trailers => "response\0trailers\0server-timing",
        };
        Some(stream_info.property(all).unwrap_or(first))
    }
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

    /// Returns the change that removes the metric `trace` from this part of a response.
    #[inline]
    pub fn stripped(part: ResponsePart, stream_info: &impl StreamInfo) -> Self {
        Self::strip(part.server_timing(stream_info).as_deref())
    }
}
