//! The translation between headers and a context: the format that is believed, the formats that are written, and the rule
//! that no stale header leaves.
//!
//! Formats are read in the configured order and **the first valid format wins**. A malformed header does not end the
//! search. A decision without ids (`b3: 0`) ranks below any context with ids. On the way out every header of a listed
//! format is written from one context or removed, so that two formats can never disagree behind this proxy.
//!
//! The facts of a context are separate fields, because one flags byte cannot hold them: the ids, the sampling state
//! with *debug* and *deferred* (B3 has both, W3C Trace Context neither), and the random flag (W3C Trace Context level 2
//! alone has it).

pub mod b3;
pub mod baggage;
pub mod context;
pub(crate) mod counters;
pub mod datadog;
pub mod extract;
pub mod format;
pub mod gcp;
pub mod grpc_trace_bin;
pub mod inject;
pub mod jaeger;
pub mod ottrace;
pub mod settings;
pub mod state_members;
pub mod traceparent;
pub mod tracestate;
mod value_buffer;
pub mod w3c;
pub mod xray;

pub use extract::extract;
pub use inject::inject;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vector;
