//! The sampling decision: record or drop, with what probability, and within which limits (OpenTelemetry's consistent
//! probability sampling, Jaeger's remote sampling).

pub mod decision;
pub(crate) mod exclude_list;
pub(crate) mod matcher;
pub mod randomness;
pub mod rate_limit;
pub mod remote;
pub mod request_match;
pub mod sampler;
pub mod settings;
mod start;
pub mod threshold;
