//! Parts of the guest's memory, and what is said of those that are not all inside.

use crate::abi_types::{Answer, Failure, Status};

/// The guest's memory, borrowed.
pub(crate) struct GuestMemory<'a>(&'a [u8]);

impl<'a> GuestMemory<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Returns a part of the memory.
    #[inline]
    pub(crate) fn slice(&self, pointer: u32, size: u32) -> Answer<&'a [u8]> {
        range(pointer, size)
            .and_then(|range| self.0.get(range))
            .ok_or_else(|| outside(pointer, size))
    }
}

pub(super) fn range(pointer: u32, size: u32) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(pointer).ok()?;
    Some(start..start.checked_add(usize::try_from(size).ok()?)?)
}

#[cold]
pub(super) fn outside(pointer: u32, size: u32) -> Failure {
    let reason = format!("{size} bytes at {pointer:#x} are not all inside the guest's memory");
    Failure::Status(Status::InvalidMemoryAccess, reason.into())
}

/// Returns a count as the guest's 32-bit number. Guest memory ends at 4 GiB, so a count of its bytes always fits.
pub(crate) fn word(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
