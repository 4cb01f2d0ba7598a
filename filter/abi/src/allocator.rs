//! The allocator of the module: free blocks of the sizes that requests use are kept and given out again, in front of the
//! C library's allocator.
//!
//! Every request asks for the same few sizes and gives them back. A general allocator searches its bins for each and joins
//! neighbours again, some 150 instructions either way, where a list of free blocks of one size takes a dozen. At most
//! [`KEPT_BYTES`] of each size are kept, so that a burst does not hold its memory for ever.
#![expect(
    unsafe_code,
    reason = "an allocator hands out raw memory, and links the free blocks through themselves"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;

/// The allocator: one list of free blocks for each size that is a power of two, from 16 bytes to 4 KiB.
pub(crate) struct Pool {
    sizes: [UnsafeCell<FreeBlocks>; SIZES],
}

/// The free blocks of one size; each holds the address of the next.
struct FreeBlocks {
    first: *mut u8,
    bytes: usize,
}

// SAFETY: a module for `wasm32-wasip1` without the feature `atomics` has one thread. Elsewhere tests alone use a pool, each
// its own.
unsafe impl Sync for Pool {}

impl Pool {
    pub(crate) const fn new() -> Self {
        Self {
            sizes: [const {
                UnsafeCell::new(FreeBlocks {
                    first: ptr::null_mut(),
                    bytes: 0,
                })
            }; SIZES],
        }
    }

    /// Returns the list for a layout and the size of its blocks, a number because a layout would be handed over in memory;
    /// `None` for one that is too large or too strictly aligned.
    #[inline(always)]
    fn list(&self, layout: Layout) -> Option<(&UnsafeCell<FreeBlocks>, usize)> {
        if layout.align() > ALIGN {
            return None;
        }
        let place = place(layout.size());
        let list = self.sizes.get(place)?;
        Some((
            list,
            SMALLEST.wrapping_shl(u32::try_from(place).unwrap_or(0)),
        ))
    }

    /// Returns the layout of a block of this size.
    #[inline]
    fn block(size: usize) -> Layout {
        // SAFETY: the alignment is a power of two, and no size comes near the largest possible.
        unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
    }
}

// SAFETY: a block is handed out at most once until it comes back, is as large and as aligned as its list says, and that is
// at least what was asked for. `dealloc` and `realloc` find the list by the same layout as `alloc`, as their contract has it.
unsafe impl GlobalAlloc for Pool {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((list, size)) = self.list(layout) else {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: there is one thread, and nothing in here calls back. A block in the list is free and holds an address.
        unsafe {
            let list = &mut *list.get();
            let first = list.first;
            if first.is_null() {
                return System.alloc(Self::block(size));
            }
            list.first = first.cast::<*mut u8>().read();
            list.bytes = list.bytes.wrapping_sub(size);
            first
        }
    }

    #[inline]
    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        let Some((list, size)) = self.list(layout) else {
            // SAFETY: the caller's promise.
            return unsafe { System.dealloc(address, layout) };
        };
        // SAFETY: there is one thread, and nothing in here calls back. The block is the caller's no longer, and has room for
        // an address.
        unsafe {
            let list = &mut *list.get();
            if list.bytes >= KEPT_BYTES {
                return System.dealloc(address, Self::block(size));
            }
            address.cast::<*mut u8>().write(list.first);
            list.first = address;
            list.bytes = list.bytes.wrapping_add(size);
        }
    }

    #[inline]
    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, new) = (place(layout.size()), place(size));
        if layout.align() > ALIGN || (old >= SIZES && new >= SIZES) {
            // SAFETY: the caller's promise; both blocks are the C library's.
            return unsafe { System.realloc(address, layout, size) };
        }
        if old == new {
            return address;
        }
        // SAFETY: the caller promises a size that fits this alignment, and the old block has the bytes that are copied.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(address, moved, layout.size().min(size));
                self.dealloc(address, layout);
            }
            moved
        }
    }
}

/// Returns the number of the list for blocks of this size; [`SIZES`] or more for none.
#[inline]
fn place(size: usize) -> usize {
    let last = size.wrapping_sub(1) | SMALLEST.wrapping_sub(1);
    let bits = usize::BITS.wrapping_sub(last.leading_zeros());
    usize::try_from(bits.wrapping_sub(SMALLEST.trailing_zeros())).unwrap_or(SIZES)
}

const SMALLEST: usize = 16;
/// The alignment of every block; nothing here asks for more.
const ALIGN: usize = 16;
/// 16 bytes to 4 KiB: a stream, its spans and the headers of nearly every request.
const SIZES: usize = 9;
/// The bytes of free blocks that are kept of each size, a few dozen requests' worth; the C library gets all others.
const KEPT_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    #[test]
    fn blocks_are_as_large_and_as_aligned_as_asked_for() {
        for (size, expected) in [(1, 0), (16, 0), (17, 1), (32, 1), (4096, 8), (4097, 9)] {
            assert_eq!(place(size), expected, "{size}");
        }
        let pool = Pool::new();
        for size in [1, 15, 16, 17, 100, 4096, 4097, 100_000] {
            for align in [1, 8, 16, 32, 4096] {
                let layout = layout(size, align);
                // SAFETY: the size is not zero, and the block is used as the layout says.
                unsafe {
                    let first = pool.alloc(layout);
                    first.write_bytes(7, size);
                    assert!(first.addr().is_multiple_of(align), "{layout:?}");
                    pool.dealloc(first, layout);
                    let again = pool.alloc(layout);
                    again.write_bytes(8, size);
                    pool.dealloc(again, layout);
                }
            }
        }
    }

    #[test]
    fn a_block_that_came_back_is_given_out_again_once() {
        let (pool, layout) = (Pool::new(), layout(100, 8));
        // SAFETY: the size is not zero, and each block is given back once.
        unsafe {
            let first = pool.alloc(layout);
            pool.dealloc(first, layout);
            let (again, other) = (pool.alloc(layout), pool.alloc(layout));
            assert_eq!(first, again);
            assert_ne!(again, other);
            pool.dealloc(again, layout);
            pool.dealloc(other, layout);
        }
    }

    #[test]
    fn a_block_keeps_its_bytes_as_it_grows_and_shrinks() {
        let pool = Pool::new();
        let mut size = 10;
        // SAFETY: the sizes are not zero, each block is used as its layout says and given back once.
        unsafe {
            let mut block = pool.alloc(layout(size, 1));
            block.copy_from_nonoverlapping(b"0123456789".as_ptr(), 10);
            for next in [12, 16, 40, 3000, 4096, 5000, 70_000, 6000, 4000, 64, 10] {
                block = pool.realloc(block, layout(size, 1), next);
                size = next;
                assert_eq!(std::slice::from_raw_parts(block, 10), b"0123456789");
            }
            pool.dealloc(block, layout(size, 1));
        }
    }

    #[test]
    fn a_burst_does_not_hold_its_memory() {
        let (pool, layout) = (Pool::new(), layout(1024, 8));
        // SAFETY: the size is not zero, and each block is given back once.
        unsafe {
            let blocks: Vec<_> = (0..100).map(|_| pool.alloc(layout)).collect();
            for block in blocks {
                pool.dealloc(block, layout);
            }
            let (list, _) = pool.list(layout).expect("a list");
            assert_eq!((*list.get()).bytes, KEPT_BYTES);
        }
    }
}
