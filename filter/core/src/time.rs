//! Points in time, as the proxy and OTLP count them.

use core::time::Duration;

/// Nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

impl Nanos {
    /// This much later; the end of time where that would be past it.
    #[must_use]
    #[inline]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// Whether this much time has passed since an earlier moment. A moment that lies ahead is from before the clock was
    /// set back; nobody knows how long ago that was, and waiting for it to come again could take for ever.
    #[inline]
    pub fn is_past(self, since: Self, delay: Duration) -> bool {
        self < since || self >= since.after(delay)
    }

    /// Whether something that began at an earlier moment has taken this long. Of what began ahead of now nobody knows how
    /// long it took, and it is not accused of having taken long.
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
