//! The core's writer of headers, on the header maps of the current stream.

use sidespan_abi::hostcalls;
use sidespan_abi::types::MapType;
use sidespan_core::headers::HeaderWriter;

/// A writer to one map of headers of the current stream.
pub(crate) struct MapWriter(MapType);

impl MapWriter {
    /// Returns the writer to a map.
    #[inline]
    pub(crate) fn new(map: MapType) -> Self {
        Self(map)
    }
}

impl HeaderWriter for MapWriter {
    #[inline]
    fn set(&mut self, name: &'static str, value: &[u8]) {
        // A refused write leaves the caller's header, and the filter has no other way to write.
        hostcalls::set_map_value_bytes(self.0, name, value);
    }

    #[inline]
    fn add(&mut self, name: &'static str, value: &[u8]) {
        // `allowed_capabilities` may list replacing and not adding.
        if hostcalls::add_map_value_bytes(self.0, name, value).is_err() {
            self.set(name, value);
        }
    }

    #[inline]
    fn remove(&mut self, name: &'static str) {
        hostcalls::remove_map_value(self.0, name);
    }
}
