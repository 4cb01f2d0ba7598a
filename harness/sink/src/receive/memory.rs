//! The memory of requests that are being read, all connections together.
//!
//! Each request takes from a first pool up to 256 KiB, and what is more from a second, so that a few clients with large and
//! slow bodies cannot shut out the many with small ones. A request that finds its pool empty is told to come back.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;

/// The size in which memory is taken, because a semaphore counts in `u32`.
const UNIT: usize = 4 << 10;
/// The bytes of one request that the first pool gives.
const FIRST_BYTES: usize = 256 << 10;
/// The size of the first pool: 512 requests.
const FIRST_POOL_BYTES: usize = 128 << 20;
/// The size of the second pool, in requests of the largest size.
const LARGEST_REQUESTS: usize = 2;

/// The pools of one sink.
#[derive(Debug)]
pub(crate) struct Memory {
    first: Arc<Semaphore>,
    rest: Arc<Semaphore>,
}

impl Memory {
    /// Makes pools for requests of at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        // Twice, because a compressed body and its content are there together.
        let rest = limit.saturating_mul(2).saturating_mul(LARGEST_REQUESTS);
        let pool = |bytes: usize| {
            Arc::new(Semaphore::new(
                bytes.div_ceil(UNIT).min(Semaphore::MAX_PERMITS),
            ))
        };
        Self {
            first: pool(FIRST_POOL_BYTES),
            rest: pool(rest),
        }
    }

    /// Returns the empty share of one request.
    pub(crate) fn share(&self) -> Share {
        Share {
            first: Taken::new(&self.first),
            rest: Taken::new(&self.rest),
            bytes: 0,
        }
    }
}

/// The memory that one request has taken; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Share {
    first: Taken,
    rest: Taken,
    bytes: usize,
}

impl Share {
    /// Takes memory for `bytes` more.
    ///
    /// # Errors
    /// [`Refusal::busy`] when the pool is empty.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.first.grow_to(self.bytes.min(FIRST_BYTES))?;
        self.rest.grow_to(self.bytes.saturating_sub(FIRST_BYTES))
    }
}

#[derive(Debug)]
struct Taken {
    pool: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Taken {
    fn new(pool: &Arc<Semaphore>) -> Self {
        Self {
            pool: Arc::clone(pool),
            permit: None,
        }
    }

    fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let units = bytes.div_ceil(UNIT);
        let has = self
            .permit
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        if units <= has {
            return Ok(());
        }
        let more = u32::try_from(units - has).map_err(|_| Refusal::busy())?;
        let more = Arc::clone(&self.pool).try_acquire_many_owned(more);
        let more = more.map_err(|_| Refusal::busy())?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_requests_leave_room_for_small_ones_and_give_back_what_they_took() {
        let memory = Memory::new(1 << 20);
        let mut hogs: Vec<Share> = (0..4).map(|_| memory.share()).collect();
        for hog in &mut hogs {
            hog.take(FIRST_BYTES).unwrap();
            hog.take(1 << 20).unwrap();
        }
        let mut late = memory.share();
        late.take(FIRST_BYTES).unwrap();
        assert_eq!(late.take(1), Err(Refusal::busy()));
        hogs.pop();
        late.take(1).unwrap();
    }
}
