//! Marks of kept traces, which the two sides of a pod leave for each other.

use sidespan_abi::hostcalls;
use sidespan_core::shared_data::kept_traces::{KEY_BYTES, KeptTraces};

/// Marks of kept traces in the data that all workers of the proxy share.
pub(crate) struct SharedKeptTraces;

impl KeptTraces for SharedKeptTraces {
    #[inline]
    fn read(&mut self, slot: &[u8; KEY_BYTES]) -> Vec<u8> {
        let (value, _) = hostcalls::get_shared_data(slot);
        value
    }

    #[inline]
    fn write(&mut self, slot: &[u8; KEY_BYTES], value: &[u8]) {
        hostcalls::set_shared_data(slot, value);
    }
}
