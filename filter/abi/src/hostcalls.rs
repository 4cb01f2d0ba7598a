//! Hostcalls: every call of this module to the proxy (proxy-wasm ABI 0.2.1), named as in its Rust SDK.
//!
//! Every status is read as a number with a fallback, because a panic at an unknown status, as in the SDK, ends the VM with
//! all its requests. A status that is not OK means no value. A function returns the status only where its caller can act on
//! it.
#![expect(
    unsafe_code,
    reason = "hostcalls are foreign functions, and their results are raw memory of this module"
)]

mod header_map;
mod http_call;
mod memory;
mod metric;
mod shared_data;

use std::time::Duration;

use crate::contexts::Contexts;
use crate::types::{BufferType, LogLevel, Status};
use memory::Out;

pub use header_map::{
    add_map_value_bytes, get_map_block, get_map_value_bytes, remove_map_value, set_map_value_bytes,
};
pub use http_call::dispatch_http_call;
pub use metric::{MetricId, define_metric, increment_metric, record_metric};
pub use shared_data::{Version, get_shared_data, set_shared_data, swap_shared_data};

/// Returns a property; segments of the path are joined by NUL.
#[inline]
pub fn get_property(path: &str) -> Option<Vec<u8>> {
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

/// Sets a property of the current stream, which Envoy keeps in its filter state.
#[inline]
pub fn set_property(path: &str, value: &[u8]) {
    // SAFETY: path and value live as long as the call.
    let _ = unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) };
}

/// Returns at most `max_size` bytes of a buffer, from `start` on.
pub fn get_buffer(buffer: BufferType, start: usize, max_size: usize) -> Option<Vec<u8>> {
    let mut out = Out::default();
    // SAFETY: both out pointers live as long as the call.
    let status = unsafe {
        proxy_get_buffer_bytes(
            buffer as u32,
            start,
            max_size,
            &raw mut out.data,
            &raw mut out.size,
        )
    };
    out.into_bytes(status)
}

/// Returns the wall clock, in nanoseconds since 1970.
#[inline]
pub fn get_current_time() -> u64 {
    let mut nanos = 0_u64;
    // SAFETY: the out pointer lives as long as the call.
    let _ = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanos) };
    nanos
}

/// Returns the clock that nobody sets, in nanoseconds since a moment of the proxy's own; `None` where the proxy does not permit it.
pub fn get_monotonic_time() -> Option<u64> {
    let mut nanos = 0_u64;
    // SAFETY: the out pointer lives as long as the call.
    let refused = unsafe { clock_time_get(CLOCK_MONOTONIC, PRECISION, &raw mut nanos) };
    (refused == 0).then_some(nanos)
}

/// Sets the period of the root context's tick; in a stream's callback, that of the stream's root context.
#[inline]
pub fn set_tick_period(period: Duration) {
    let millis = u32::try_from(period.as_millis()).unwrap_or(u32::MAX).max(1);
    // SAFETY: plain numbers.
    let _ = unsafe { proxy_set_tick_period_milliseconds(millis) };
}

/// Ends a root context that has deferred its end; the callback that is under way is its last.
pub fn done() {
    // SAFETY: no arguments.
    let _ = unsafe { proxy_done() };
    Contexts::ended();
}

/// Calls a foreign function, which a proxy offers beside the ABI.
///
/// # Errors
/// The proxy's status where the call fails; `NotFound` where there is no such function.
#[inline]
pub fn call_foreign_function(name: &str, arguments: &[u8]) -> Result<Vec<u8>, Status> {
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
    Status::check(status)?;
    Ok(out.into_bytes(status).unwrap_or_default())
}

/// Returns the lowest level that the proxy writes to its log.
pub fn get_log_level() -> Option<LogLevel> {
    let mut level = 0_u32;
    // SAFETY: the out pointer lives as long as the call.
    let status = unsafe { proxy_get_log_level(&raw mut level) };
    Status::check(status).ok()?;
    LogLevel::from_number(level)
}

/// Writes a line to the proxy's log.
pub fn log(level: LogLevel, message: &str) {
    // SAFETY: the message lives as long as the call.
    let _ = unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Sets the context that later hostcalls act on.
pub(crate) fn set_effective_context(id: u32) {
    // SAFETY: a plain number. Where the proxy refuses, later hostcalls find no value of this context.
    let _ = unsafe { proxy_set_effective_context(id) };
}

/// The number of the clock in WASI preview 1.
const CLOCK_MONOTONIC: u32 = 1;
/// The precision that is asked for, in nanoseconds; Envoy does not look at it.
const PRECISION: u64 = 1;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, nanos: *mut u64) -> u32;
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
    fn proxy_done() -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_effective_context(id: u32) -> u32;
}
