//! The files that were given: documents, the environment of a workload, and whose plugin a resource is.

pub mod document;
pub mod environment;
pub(super) mod plugin_owner;
