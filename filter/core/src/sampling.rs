//! Decisions: which requests are recorded, with what probability, and how many of them.

pub(crate) mod matcher;
pub mod rate_limit;
pub mod remote;
pub mod sampler;
pub mod threshold;
