//! How several virtual machines write one shared value: against what was read, and told when somebody was quicker.

/// What a shared value is compared by.
#[derive(Clone, Copy)]
pub(crate) struct Version(pub(super) u32);

impl Version {
    /// Asks for no comparison.
    pub(super) const ANY: Self = Self(0);
    /// Of a value that is not there. The proxy sets a missing one whatever the number; this one is no other's, so if
    /// somebody has made the value meanwhile, it does not.
    pub(super) const MISSING: Self = Self(u32::MAX);
}

/// What became of a value that was to be set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swap {
    /// It is.
    Done,
    /// Somebody else was quicker.
    Overtaken,
    /// The proxy does not do it.
    Refused,
}

impl Swap {
    #[inline]
    pub(super) fn of(status: u32) -> Self {
        match status {
            super::OK => Self::Done,
            CAS_MISMATCH => Self::Overtaken,
            _ => Self::Refused,
        }
    }
}

const CAS_MISMATCH: u32 = 8;
