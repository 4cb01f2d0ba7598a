//! Values that all workers of the proxy share: one file each for its keys, and for when they are read and written.

pub(crate) mod config_lease;
pub(crate) mod queue_ledger;
