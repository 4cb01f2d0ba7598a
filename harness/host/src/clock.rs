//! The time that a guest sees: virtual by default, so that a run is a function of its inputs.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The source of the guest's time: of its wall clock, and of the monotonic one, which ticks and timeouts follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clock {
    /// A clock that stands still until [`Host::advance`](crate::Host::advance) moves it.
    Virtual {
        /// The first reading, since 1970-01-01T00:00:00Z.
        start: Duration,
    },
    /// The clocks of this machine.
    Real,
}

impl Default for Clock {
    /// Returns a virtual clock that starts at 2025-01-01T00:00:00Z, late enough for guests that compare dates.
    fn default() -> Self {
        Self::Virtual {
            start: Duration::from_secs(1_735_689_600),
        }
    }
}

/// A running clock, read in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Time {
    Virtual {
        now: u64,
        /// The time by which the guest's clock has been stepped back.
        behind: u64,
    },
    /// As the machine counts: durations do not change when somebody sets the time of day.
    Real,
}

impl Time {
    pub(crate) fn start(clock: Clock) -> Self {
        match clock {
            Clock::Virtual { start } => Self::Virtual {
                now: nanos(start),
                behind: 0,
            },
            Clock::Real => Self::Real,
        }
    }

    /// Returns the time that ticks, timeouts and durations are measured by, and the guest's monotonic clock.
    pub(crate) fn now(self) -> u64 {
        match self {
            Self::Virtual { now, .. } => now,
            Self::Real => {
                let (moment, then) = *FIRST;
                then.saturating_add(nanos(moment.elapsed()))
            }
        }
    }

    /// Moves a virtual clock forward to `time`; a real clock moves by itself.
    pub(crate) fn move_to(&mut self, time: u64) {
        if let Self::Virtual { now, .. } = self {
            *now = time.max(*now);
        }
    }

    /// Returns what the guest reads.
    pub(crate) fn shown(self) -> u64 {
        match self {
            Self::Virtual { now, behind } => now.saturating_sub(behind),
            Self::Real => time_of_day(),
        }
    }

    /// Steps back what the guest reads of a virtual clock.
    pub(crate) fn step_back(&mut self, by: u64) {
        if let Self::Virtual { behind, .. } = self {
            *behind = behind.saturating_add(by);
        }
    }
}

/// The first moment that was asked for, by both clocks of the machine: all VMs of a process count from it.
static FIRST: LazyLock<(Instant, u64)> = LazyLock::new(|| (Instant::now(), time_of_day()));

fn time_of_day() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, nanos)
}

/// Returns whole nanoseconds; more than 584 years become 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
