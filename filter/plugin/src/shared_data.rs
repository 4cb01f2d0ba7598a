//! Shared data of all workers of the proxy: a file for each kind of entry, with its key and the times of its reads and
//! writes, and one for the change of an entry.

mod change;
pub(crate) mod config_lease;
pub(crate) mod config_refusal;
pub(crate) mod queue_ledger;
