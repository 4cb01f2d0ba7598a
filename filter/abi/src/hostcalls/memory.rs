//! Memory of this module that the proxy has filled.
//!
//! The proxy asks for it by `proxy_on_memory_allocate`, which allocates it as a boxed slice; it is taken over as a `Vec` of
//! that size.

use std::ptr;

use crate::types::Status;

/// The address and the size of an answer, where the proxy puts them.
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
    /// Takes the answer over; a status that is not OK has none.
    #[inline]
    pub(super) fn into_bytes(self, status: u32) -> Option<Vec<u8>> {
        Status::check(status).ok()?;
        if self.data.is_null() || self.size == 0 {
            return Some(Vec::new());
        }
        // SAFETY: the proxy got this memory from `proxy_on_memory_allocate(size)`, which gives away a boxed slice of
        // exactly `size` bytes from the same allocator, and it keeps no pointer to it.
        Some(unsafe { Vec::from_raw_parts(self.data, self.size, self.size) })
    }
}
