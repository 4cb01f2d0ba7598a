//! Writes to the headers of the current stream.

use sidespan_abi::hostcalls;
use sidespan_abi::types::MapType;
use sidespan_core::headers::HeaderWriter;
use sidespan_core::tracer::keep::response_header::{HeaderChange, ResponsePart};
use sidespan_core::tracer::keep::server_timing;

/// A writer to one map of headers of the current stream.
pub(crate) struct MapWriter(MapType);

impl MapWriter {
    /// Writes to the request's headers.
    #[inline]
    pub(crate) fn request_headers() -> Self {
        Self(MapType::HttpRequestHeaders)
    }

    /// Writes to this part of the response.
    #[inline]
    fn response(part: ResponsePart) -> Self {
        Self(match part {
            ResponsePart::Headers => MapType::HttpResponseHeaders,
            ResponsePart::Trailers => MapType::HttpResponseTrailers,
        })
    }
}

impl HeaderWriter for MapWriter {
    #[inline]
    fn set(&mut self, name: &'static str, value: &[u8]) {
        // A refused write leaves the caller's header; there is nobody to tell and nothing better to do.
        hostcalls::set_map_value_bytes(self.0, name, value);
    }

    #[inline]
    fn add(&mut self, name: &'static str, value: &[u8]) {
        // A list of capabilities may have the one call and not the other.
        if hostcalls::add_map_value_bytes(self.0, name, value).is_err() {
            self.set(name, value);
        }
    }

    #[inline]
    fn remove(&mut self, name: &'static str) {
        hostcalls::remove_map_value(self.0, name);
    }
}

/// Changes `server-timing` in the part of the response that passes.
#[inline]
pub(crate) fn write_server_timing(part: ResponsePart, change: &HeaderChange) {
    let mut writer = MapWriter::response(part);
    match change {
        HeaderChange::Leave => {}
        HeaderChange::Set(value) => writer.set(server_timing::NAME, value),
        HeaderChange::Remove => writer.remove(server_timing::NAME),
    }
}
