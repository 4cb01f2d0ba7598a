//! The proxy's clocks.

use sidespan_abi::hostcalls;
use sidespan_core::time::Nanos;

/// Returns the time of day.
#[inline]
pub(crate) fn now() -> Nanos {
    Nanos(hostcalls::get_current_time())
}

/// Returns the clock that nobody sets, since a moment of the proxy's own; the time of day where the filter's capabilities
/// (`allowed_capabilities`) lack it. All workers of a process see the same one.
pub(crate) fn monotonic() -> Nanos {
    hostcalls::get_monotonic_time().map_or_else(now, Nanos)
}
