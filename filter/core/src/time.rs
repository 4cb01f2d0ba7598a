//! Points in time, as the proxy and OTLP count them.

use core::time::Duration;

/// Nanoseconds since the Unix epoch; of the monotonic clock, since a moment of the proxy's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Returns the point in time this much later, or the last one that there is.
    #[must_use]
    #[inline]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// Returns true if `delay` has passed since an earlier moment. A moment that lies ahead, from before the clock was set
    /// back, counts as past, because its age is unknown and a wait until then could take for ever.
    #[inline]
    pub fn is_past(self, since: Self, delay: Duration) -> bool {
        self < since || self >= since.after(delay)
    }

    /// Returns true if another moment lies less than `limit` from this one, before it or behind it: what another thread
    /// has noted may lie ahead of a clock that was read before.
    #[inline]
    pub fn is_near(self, other: Self, limit: Duration) -> bool {
        u128::from(self.0.abs_diff(other.0)) < limit.as_nanos()
    }

    /// Returns true if `limit` has passed since an earlier start. A start that lies ahead counts as recent, because a
    /// request of unknown duration is not to be called slow.
    #[inline]
    pub fn has_taken(self, since: Self, limit: Duration) -> bool {
        self >= since.after(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait() {
        let delay = Duration::from_nanos(10);
        let since = Nanos(100);
        for (now, is_past) in [
            (100, false),
            (109, false),
            (110, true),
            (99, true),
            (0, true),
        ] {
            assert_eq!(Nanos(now).is_past(since, delay), is_past, "{now}");
            let has_taken = is_past && now > 99;
            assert_eq!(Nanos(now).has_taken(since, delay), has_taken, "{now}");
        }
    }

    #[test]
    fn a_moment_that_lies_ahead_is_as_near_as_one_that_lies_behind() {
        let limit = Duration::from_nanos(10);
        for (other, is_near) in [
            (100, true),
            (91, true),
            (109, true),
            (90, false),
            (110, false),
        ] {
            assert_eq!(Nanos(100).is_near(Nanos(other), limit), is_near, "{other}");
        }
    }
}
