//! Every call to the proxy, declared here and nowhere else (proxy-wasm ABI 0.2.1).
//!
//! A status is read as a number and never trusted to be one of a list: the SDK turns one that it does not know into a
//! panic. What is not OK is no value. Memory that the proxy fills was allocated by this module
//! (`proxy_on_memory_allocate`, exported by the SDK) as a boxed slice, and is taken over as a `Vec` of that size.
#![expect(
    unsafe_code,
    reason = "hostcalls are foreign functions, and their results are raw memory of this module"
)]

mod cluster_call;
mod maps;
mod metric;
mod random;
mod stream_info;
mod swap;

use std::ptr;
use std::time::Duration;

use sidespan_core::time::Nanos;

pub(crate) use cluster_call::{PRODUCT, http_call};
pub(crate) use maps::{MapWriter, header, header_map};
pub(crate) use metric::{MetricId, MetricKind, define_metric, increment_metric, record_metric};
pub(crate) use random::WasiEntropy;
pub(crate) use stream_info::CurrentExchange;
pub(crate) use swap::{Swap, Version};

/// The request headers of a stream.
pub(crate) const REQUEST_HEADERS: u32 = 0;
/// The response headers of a stream.
const RESPONSE_HEADERS: u32 = 2;
/// The response trailers of a stream.
const RESPONSE_TRAILERS: u32 = 3;
/// The headers of a call's answer.
pub(crate) const CALL_HEADERS: u32 = 6;
/// The trailers of a call's answer.
pub(crate) const CALL_TRAILERS: u32 = 7;
/// The body of a call's answer.
pub(crate) const CALL_BODY: u32 = 4;
/// The plugin's configuration.
pub(crate) const PLUGIN_CONFIGURATION: u32 = 7;

const OK: u32 = 0;

/// A property; segments of the path are joined by NUL.
#[inline]
pub(crate) fn property(path: &str) -> Option<Vec<u8>> {
    let mut out = Out::default();
    // SAFETY: the path and both out pointers live as long as the call.
    let status = unsafe {
        proxy_get_property(
            path.as_ptr(),
            path.len(),
            &raw mut out.data,
            &raw mut out.size,
        )
    };
    out.into_bytes(status)
}

/// Sets a property of the current stream, in its filter state.
#[inline]
pub(crate) fn set_property(path: &str, value: &[u8]) {
    // SAFETY: path and value live as long as the call.
    let _ = unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) };
}

/// A property that is a whole number.
#[inline]
pub(crate) fn number_property(path: &str) -> Option<u64> {
    let bytes = property(path)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// At most so many bytes of a buffer.
pub(crate) fn buffer(buffer: u32, max_size: usize) -> Option<Vec<u8>> {
    let mut out = Out::default();
    // SAFETY: both out pointers live as long as the call.
    let status = unsafe {
        proxy_get_buffer_bytes(buffer, 0, max_size, &raw mut out.data, &raw mut out.size)
    };
    out.into_bytes(status)
}

/// The wall clock.
#[inline]
pub(crate) fn now() -> Nanos {
    let mut nanos = 0_u64;
    // SAFETY: the out pointer lives as long as the call.
    let _ = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanos) };
    Nanos(nanos)
}

/// Asks for a tick of the root context this often; from a stream, too, this sets the root's.
#[inline]
pub(crate) fn set_tick_period(period: Duration) {
    let millis = u32::try_from(period.as_millis()).unwrap_or(u32::MAX).max(1);
    // SAFETY: plain numbers.
    let _ = unsafe { proxy_set_tick_period_milliseconds(millis) };
}

/// Says that a root context that deferred its end has ended.
pub(crate) fn done() {
    // SAFETY: no arguments.
    let _ = unsafe { proxy_done() };
}

/// What a function answers that the proxy has beside the ABI; `None` also where it has it not.
#[inline]
fn foreign(name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
    let mut out = Out::default();
    // SAFETY: name, arguments and both out pointers live as long as the call.
    let status = unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            &raw mut out.data,
            &raw mut out.size,
        )
    };
    out.into_bytes(status)
}

/// A value shared by all VMs with this VM id, and what it is to be compared by. Values cannot be deleted, so an empty one
/// stands for none.
#[inline]
pub(crate) fn shared_data(key: impl AsRef<[u8]>) -> (Vec<u8>, Version) {
    let key = key.as_ref();
    let mut out = Out::default();
    let mut version = 0_u32;
    // SAFETY: the key and all out pointers live as long as the call.
    let status = unsafe {
        proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut out.data,
            &raw mut out.size,
            &raw mut version,
        )
    };
    match out.into_bytes(status) {
        Some(value) => (value, Version(version)),
        None => (Vec::new(), Version::MISSING),
    }
}

/// Sets a value for all VMs with this VM id.
#[inline]
pub(crate) fn set_shared_data(key: impl AsRef<[u8]>, value: &[u8]) {
    swap_shared_data(key, value, Version::ANY);
}

/// Sets a value for all VMs with this VM id, if nobody else has since it was read.
#[inline]
pub(crate) fn swap_shared_data(
    key: impl AsRef<[u8]>,
    value: &[u8],
    Version(read): Version,
) -> Swap {
    let key = key.as_ref();
    // SAFETY: key and value live as long as the call.
    let status = unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), read)
    };
    Swap::of(status)
}

/// The level from which on the proxy writes what is logged; levels count from 0, trace, to 5, critical.
pub(crate) fn log_level() -> Option<u32> {
    let mut level = 0_u32;
    // SAFETY: the out pointer lives as long as the call.
    let status = unsafe { proxy_get_log_level(&raw mut level) };
    (status == OK).then_some(level)
}

/// Writes a line to the proxy's log; levels count from 0, trace, to 5, critical.
pub(crate) fn write_log(level: u32, message: &str) {
    // SAFETY: the message lives as long as the call.
    let _ = unsafe { proxy_log(level, message.as_ptr(), message.len()) };
}

/// Where the proxy puts the address and the size of what it allocated.
struct Out {
    data: *mut u8,
    size: usize,
}

impl Default for Out {
    #[inline]
    fn default() -> Self {
        Self {
            data: ptr::null_mut(),
            size: 0,
        }
    }
}

impl Out {
    #[inline]
    fn into_bytes(self, status: u32) -> Option<Vec<u8>> {
        if status != OK {
            return None;
        }
        if self.data.is_null() || self.size == 0 {
            return Some(Vec::new());
        }
        // SAFETY: the proxy got this memory from `proxy_on_memory_allocate(size)`, which gives away a boxed slice of
        // exactly `size` bytes from the same allocator, and it keeps no pointer to it.
        Some(unsafe { Vec::from_raw_parts(self.data, self.size, self.size) })
    }
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_log_level(level: *mut u32) -> u32;
    fn proxy_get_current_time_nanoseconds(nanos: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        cas: u32,
    ) -> u32;
    fn proxy_done() -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
}
