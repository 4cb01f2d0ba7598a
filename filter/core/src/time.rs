//! Points in time, as the proxy and OTLP count them.

use core::time::Duration;

/// Nanoseconds since the Unix epoch.
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
}
