//! Values that the workers of one process leave for each other in the proxy's shared data, which has no delete: their bytes,
//! their age, and the rules for their removal.

pub mod holders;
pub mod installations;
pub mod kept_traces;
pub mod lease;
pub mod queue_ledger;
pub mod request_ids;
mod trace_slot;
pub mod tracestates;
