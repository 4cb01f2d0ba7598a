//! Maps of headers, as the proxy has them.

use sidespan_core::headers::HeaderWriter;

use super::{OK, Out, REQUEST_HEADERS, RESPONSE_HEADERS, RESPONSE_TRAILERS};

/// All headers of a map, as the proxy serialises them; empty when there is no such map now.
#[inline]
pub(crate) fn header_map(map: u32) -> Vec<u8> {
    let mut out = Out::default();
    // SAFETY: both out pointers live as long as the call.
    let status = unsafe { proxy_get_header_map_pairs(map, &raw mut out.data, &raw mut out.size) };
    out.into_bytes(status).unwrap_or_default()
}

/// The first line of a header.
#[inline]
pub(crate) fn header(map: u32, name: &str) -> Option<Vec<u8>> {
    let mut out = Out::default();
    // SAFETY: the name and both out pointers live as long as the call.
    let status = unsafe {
        proxy_get_header_map_value(
            map,
            name.as_ptr(),
            name.len(),
            &raw mut out.data,
            &raw mut out.size,
        )
    };
    out.into_bytes(status)
}

/// Writes to a map of headers of the current stream.
pub(crate) struct MapWriter(u32);

impl MapWriter {
    /// To the request's headers.
    #[inline]
    pub(crate) fn request_headers() -> Self {
        Self(REQUEST_HEADERS)
    }

    /// To the response's headers.
    #[inline]
    pub(crate) fn response_headers() -> Self {
        Self(RESPONSE_HEADERS)
    }

    /// To the response's trailers.
    #[inline]
    pub(crate) fn response_trailers() -> Self {
        Self(RESPONSE_TRAILERS)
    }

    #[inline]
    fn write(&self, call: Write, name: &str, value: &[u8]) -> u32 {
        // SAFETY: name and value live as long as the call.
        unsafe {
            call(
                self.0,
                name.as_ptr(),
                name.len(),
                value.as_ptr(),
                value.len(),
            )
        }
    }
}

/// A call that writes a header of a map: its name, and its value.
type Write = unsafe extern "C" fn(u32, *const u8, usize, *const u8, usize) -> u32;

impl HeaderWriter for MapWriter {
    #[inline]
    fn set(&mut self, name: &'static str, value: &[u8]) {
        // A refused write leaves the caller's header; there is nobody to tell and nothing better to do.
        let _ = self.write(proxy_replace_header_map_value, name, value);
    }

    #[inline]
    fn add(&mut self, name: &'static str, value: &[u8]) {
        // A list of capabilities may have the one call and not the other.
        if self.write(proxy_add_header_map_value, name, value) != OK {
            self.set(name, value);
        }
    }

    #[inline]
    fn remove(&mut self, name: &'static str) {
        // SAFETY: the name lives as long as the call.
        let _ = unsafe { proxy_remove_header_map_value(self.0, name.as_ptr(), name.len()) };
    }
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
}
