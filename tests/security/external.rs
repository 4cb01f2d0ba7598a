//! What somebody outside can cause on a real Envoy.

mod clock;
mod ends;
mod faults;
mod files;
mod hostile;
mod hot_restart;
mod load;
mod soak;

use std::sync::atomic::{AtomicBool, Ordering};

/// A guard that ends the load also where the test fails, because the load's threads are joined.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
