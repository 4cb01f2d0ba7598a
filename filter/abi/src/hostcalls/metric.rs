//! Hostcalls on metrics, numbers in the proxy's stats.

use crate::types::{MetricType, Status};

/// The proxy's handle on a metric.
#[derive(Clone, Copy)]
pub struct MetricId(u32);

/// Defines a metric, or finds the existing metric of this name.
pub fn define_metric(kind: MetricType, name: &str) -> Option<MetricId> {
    let mut id = 0_u32;
    // SAFETY: the name and the out pointer live as long as the call.
    let status =
        unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) };
    Status::check(status).is_ok().then_some(MetricId(id))
}

/// Adds to a metric.
pub fn increment_metric(MetricId(id): MetricId, by: i64) {
    // SAFETY: plain numbers.
    let _ = unsafe { proxy_increment_metric(id, by) };
}

/// Sets a gauge, for all workers of the proxy at once.
pub fn record_metric(MetricId(id): MetricId, value: u64) {
    // SAFETY: plain numbers.
    let _ = unsafe { proxy_record_metric(id, value) };
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}
