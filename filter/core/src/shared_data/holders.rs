//! The holders of a note in shared data: a lease of each, so that the end of one leaves the note to the others.
//!
//! Two configurations under one name run at once whenever streams of the older one go on, and as many workers have a VM of
//! their own. With one lease for all, the older one renews it, ends with its last stream, and takes it with it.
//!
//! ```text
//! leases, in any order
//! ```

use alloc::vec::Vec;

use super::lease::Lease;
use crate::time::Nanos;

/// The leases of a note.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders(Vec<Lease>);

impl Holders {
    /// Reads the leases; bytes behind the last whole one are none.
    pub fn read(mut note: &[u8]) -> Self {
        let mut leases = Vec::new();
        while let Some((lease, rest)) = note.split_first_chunk::<16>() {
            leases.extend(Lease::read(lease));
            note = rest;
        }
        Self(leases)
    }

    /// Returns true if anybody holds the note.
    pub fn has_any(&self, now: Nanos) -> bool {
        self.0.iter().any(|lease| lease.is_live(now))
    }

    /// Returns true if this holder's lease is missing or due.
    pub fn is_due(&self, holder: [u8; 8], now: Nanos) -> bool {
        self.own(holder).is_none_or(|lease| lease.is_due(now))
    }

    /// Returns the note with a fresh lease of this holder, and without what has expired. Where there are too many leases, it
    /// is the last in the list that goes: whoever it was renews it, and the note is held meanwhile.
    pub fn with(&self, holder: [u8; 8], now: Nanos) -> Vec<u8> {
        let own = Lease {
            holder,
            renewed: now,
        };
        let others = self.others(holder).filter(|lease| lease.is_live(now));
        let leases = [own].into_iter().chain(others.copied());
        write(leases.take(MAX_LEASES))
    }

    /// Returns the note without this holder's lease; `None` where it has none.
    pub fn without(&self, holder: [u8; 8]) -> Option<Vec<u8>> {
        self.own(holder)?;
        Some(write(self.others(holder).copied()))
    }

    fn own(&self, holder: [u8; 8]) -> Option<&Lease> {
        self.0.iter().find(|lease| lease.holder == holder)
    }

    fn others(&self, holder: [u8; 8]) -> impl Iterator<Item = &Lease> {
        self.0.iter().filter(move |lease| lease.holder != holder)
    }
}

fn write(leases: impl Iterator<Item = Lease>) -> Vec<u8> {
    leases.flat_map(Lease::to_bytes).collect()
}

/// The largest number of leases, which are the workers of a large proxy with a configuration on its way out: 2 KiB.
const MAX_LEASES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const OLD: [u8; 8] = [1; 8];
    const NEW: [u8; 8] = [2; 8];

    fn at(second: u64) -> Nanos {
        Nanos(second * SECOND)
    }

    #[test]
    fn the_end_of_one_leaves_the_note_to_the_others() {
        let note = Holders::default().with(OLD, at(100));
        let note = Holders::read(&note).with(NEW, at(101));
        let note = Holders::read(&note).with(OLD, at(105));
        let both = Holders::read(&note);
        assert!(both.is_due(NEW, at(106)) && !both.is_due(OLD, at(106)));
        let note = both.without(OLD).expect("it had a lease");
        let left = Holders::read(&note);
        assert!(left.has_any(at(106)) && left.is_due(OLD, at(106)));
        assert_eq!(left.without(OLD), None);
        assert_eq!(left.without(NEW), Some(Vec::new()));
        assert!(!left.has_any(at(116)), "nobody has renewed it");
    }

    #[test]
    fn leases_that_have_expired_leave_with_the_next_write() {
        let note = Holders::default().with(OLD, at(100));
        let note = Holders::read(&note).with(NEW, at(115));
        assert_eq!(note.len(), 16);
        assert!(Holders::read(&note).is_due(OLD, at(115)));
    }

    #[test]
    fn stays_bounded_and_believes_no_byte() {
        let mut note = Vec::new();
        for number in 0..=u8::MAX {
            note = Holders::read(&note).with([number; 8], at(100));
            assert!(!Holders::read(&note).is_due([number; 8], at(100)));
        }
        assert_eq!(note.len(), MAX_LEASES * 16);
        for length in 0..40 {
            let odd = Holders::read(&[0xff; 40][..length]);
            assert!(!odd.has_any(at(100)));
            assert_eq!(odd.with(OLD, at(100)).len(), 16);
        }
    }
}
