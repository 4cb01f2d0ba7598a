//! The exchange of the current stream, as the proxy tells it.

use sidespan_core::exchange::Exchange;

use super::{RESPONSE_HEADERS, RESPONSE_TRAILERS, header, property};

/// What the proxy tells of the exchange of the current stream.
pub(crate) struct CurrentExchange;

impl Exchange for CurrentExchange {
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        property(path)
    }

    fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        header(RESPONSE_HEADERS, name)
    }

    fn response_trailer(&self, name: &str) -> Option<Vec<u8>> {
        header(RESPONSE_TRAILERS, name)
    }
}
