//! Blocks for attributes that are not in use: the next span is written over the last one, so that none waits for zeros.

use alloc::vec;
use alloc::vec::Vec;

/// The spare blocks of a worker.
#[derive(Debug, Default)]
pub struct SpareBlocks(Vec<Vec<u8>>);

impl SpareBlocks {
    /// Returns a block, whatever is written in it.
    #[inline]
    pub(crate) fn take(&mut self) -> Vec<u8> {
        match self.0.pop() {
            Some(block) => block,
            None => vec![0; USUAL_BYTES],
        }
    }

    /// Takes back a block. One that has grown for a large span is let go, and so is one of a burst.
    #[inline]
    pub(crate) fn give(&mut self, block: Vec<u8>) {
        if block.len() == USUAL_BYTES && self.0.len() < MAX_BLOCKS {
            self.0.push(block);
        }
    }
}

/// The size of an HTTP request's attributes by the stable conventions, with room for a long path.
const USUAL_BYTES: usize = 800;

/// As many as requests are usually open at once in one worker.
const MAX_BLOCKS: usize = 32;
