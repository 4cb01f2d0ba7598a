//! The proxy's clock.

use sidespan_abi::hostcalls;
use sidespan_core::time::Nanos;

/// Returns the wall clock.
#[inline]
pub(crate) fn now() -> Nanos {
    Nanos(hostcalls::get_current_time())
}
