//! Hostcalls on maps of headers.

use super::memory::Out;
use crate::types::{MapType, Status};

/// Returns all headers of a map as the proxy serialises them; empty where the map does not exist at the moment.
#[inline]
pub fn get_map_block(map: MapType) -> Vec<u8> {
    let mut out = Out::default();
    // SAFETY: both out pointers live as long as the call.
    let status =
        unsafe { proxy_get_header_map_pairs(map as u32, &raw mut out.data, &raw mut out.size) };
    out.into_bytes(status).unwrap_or_default()
}

/// Returns the first line of a header.
#[inline]
pub fn get_map_value_bytes(map: MapType, name: &str) -> Option<Vec<u8>> {
    let mut out = Out::default();
    // SAFETY: the name and both out pointers live as long as the call.
    let status = unsafe {
        proxy_get_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            &raw mut out.data,
            &raw mut out.size,
        )
    };
    out.into_bytes(status)
}

/// Sets a header to one line, in place of all lines that it has.
#[inline]
pub fn set_map_value_bytes(map: MapType, name: &str, value: &[u8]) {
    // SAFETY: name and value live as long as the call.
    let _ = unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

/// Adds a line to a header.
///
/// # Errors
/// The proxy's status where the call is refused, because `allowed_capabilities` may list replacing and not adding.
#[inline]
pub fn add_map_value_bytes(map: MapType, name: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: name and value live as long as the call.
    Status::check(unsafe {
        proxy_add_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Removes all lines of a header.
#[inline]
pub fn remove_map_value(map: MapType, name: &str) {
    // SAFETY: the name lives as long as the call.
    let _ = unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) };
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
