//! Memory of this module that the proxy has filled.
//!
//! `proxy_on_memory_allocate` (`exports.rs`) allocates the memory as a boxed slice, and [`Out::into_bytes`] takes it over
//! as a `Vec` of that size.

use std::ptr;

use crate::types::Status;

/// Out pointers of a hostcall: the address and the size of its result.
pub(super) struct Out {
    pub(super) data: *mut u8,
    pub(super) size: usize,
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
    /// Takes the result over; `None` if the status is not OK.
    #[inline]
    pub(super) fn into_bytes(self, status: u32) -> Option<Vec<u8>> {
        Status::check(status).ok()?;
        if self.data.is_null() || self.size == 0 {
            return Some(Vec::new());
        }
        // SAFETY: the proxy got this memory from `proxy_on_memory_allocate(size)`, which gives away a boxed slice of
        // exactly `size` bytes from the same allocator, and the proxy keeps no pointer to the slice.
        Some(unsafe { Vec::from_raw_parts(self.data, self.size, self.size) })
    }
}
