//! The word about a trace in `server-timing`: hearing it, saying it, and taking it out of a response.
//!
//! Headers of one name may come in several lines, of which the proxy gives the first, and writing replaces them all. So
//! where there is one, all lines are asked for, joined as HTTP joins them.

use alloc::vec::Vec;

use super::server_timing;
use crate::headers::HeaderWriter;
use crate::stream_info::source::StreamInfo;

/// Which part of a response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePart {
    /// Its headers.
    Headers,
    /// Its trailers.
    Trailers,
}

/// What is to be done with `server-timing` in the part that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderChange {
    /// Nothing.
    Leave,
    /// It is to say this.
    Set(Vec<u8>),
    /// It is to be taken away.
    Remove,
}

impl ResponsePart {
    /// The first line of this name.
    #[inline]
    pub(super) fn line(self, exchange: &impl StreamInfo, name: &str) -> Option<Vec<u8>> {
        match self {
            Self::Headers => exchange.response_header(name),
            Self::Trailers => exchange.response_trailer(name),
        }
    }

    /// All that `server-timing` says.
    #[inline]
    pub(super) fn server_timing(self, exchange: &impl StreamInfo) -> Option<Vec<u8>> {
        let first = self.line(exchange, server_timing::NAME)?;
        let all = match self {
            Self::Headers => "response\0headers\0server-timing",
            Self::Trailers => "response\0trailers\0server-timing",
        };
        Some(exchange.property(all).unwrap_or(first))
    }
}

impl HeaderChange {
    /// Takes out what anybody said of traces, and leaves all else.
    #[inline]
    pub(super) fn strip(said: Option<&[u8]>) -> Self {
        match said {
            Some(said) if server_timing::has_word(said) => {
                match server_timing::without_words(said) {
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

    /// Takes it out of this part of a response.
    #[inline]
    pub fn stripped(part: ResponsePart, exchange: &impl StreamInfo) -> Self {
        Self::strip(part.server_timing(exchange).as_deref())
    }
}
