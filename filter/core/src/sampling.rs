//! Decisions: which requests are recorded, with what probability, and how many of them.

pub mod decision;
pub(crate) mod matcher;
pub mod rate_limit;
pub mod remote;
pub mod request_match;
pub mod sampler;
pub mod settings;
pub mod threshold;
