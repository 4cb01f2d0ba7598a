//! Leases: entries in shared data that their owners renew, and that count as absent once they have expired.
//!
//! The plugin's root contexts hold one each while they work under a good configuration: they renew it on their tick, and
//! remove it at their end. A VM may trap, and a listener may be rejected after its filter was configured: an owner may be
//! gone without a callback.
//!
//! ```text
//! 8 bytes holder, 8 bytes time (nanoseconds of the monotonic clock, little endian)
//! ```

use core::time::Duration;

use crate::time::Nanos;

/// A lease, as all workers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The bytes that identify the owner.
    pub holder: [u8; 8],
    /// The time of the last renewal.
    pub renewed: Nanos,
}

impl Lease {
    /// Reads a lease; `None` for bytes that are no lease.
    pub fn read(note: &[u8]) -> Option<Self> {
        let (holder, rest) = note.split_first_chunk::<8>()?;
        let (renewed, []) = rest.split_first_chunk::<8>()? else {
            return None;
        };
        Some(Self {
            holder: *holder,
            renewed: Nanos(u64::from_le_bytes(*renewed)),
        })
    }

    /// Returns the lease as bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        let Nanos(renewed) = self.renewed;
        let mut note = [0; 16];
        let bytes = self.holder.into_iter().chain(renewed.to_le_bytes());
        for (free, byte) in note.iter_mut().zip(bytes) {
            *free = byte;
        }
        note
    }

    /// Returns true if the lease has not expired. A lease that another thread has renewed meanwhile lies a little ahead
    /// and is live. One that lies far ahead is none: it is another module's bytes, or, where the filter's capabilities lack
    /// the monotonic clock, from before the time of day was set back, and its owner would have renewed it.
    pub fn is_live(self, now: Nanos) -> bool {
        now.is_near(self.renewed, EXPIRY)
    }

    /// Returns true if the owner is to renew the lease.
    pub fn is_due(self, now: Nanos) -> bool {
        now.is_past(self.renewed, RENEWAL)
    }
}

/// The period of renewal: short beside the expiry, and long beside a tick.
const RENEWAL: Duration = Duration::from_secs(5);
/// The lifetime: three renewals, because ticks are late where a worker is busy.
const EXPIRY: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn lease() -> Lease {
        Lease {
            holder: [7; 8],
            renewed: Nanos(100 * SECOND),
        }
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let note = lease().to_bytes();
        assert_eq!(Lease::read(&note), Some(lease()));
        assert_eq!(Lease::read(&note[..15]), None);
        assert_eq!(Lease::read(&[&note[..], &[0]].concat()), None);
        assert_eq!(Lease::read(&[]), None);
    }

    #[test]
    fn lives_as_long_as_it_is_renewed() {
        for (second, is_due, is_live) in [
            (100, false, true),
            (104, false, true),
            (105, true, true),
            (114, true, true),
            (115, true, false),
            (99, true, true),
            (86, true, true),
            (85, true, false),
        ] {
            let now = Nanos(second * SECOND);
            assert_eq!(lease().is_due(now), is_due, "{second}");
            assert_eq!(lease().is_live(now), is_live, "{second}");
        }
    }
}
