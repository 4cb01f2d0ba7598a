//! Sampling strategies that a server hands out, as Jaeger's SDKs fetch them.

pub(crate) mod document;
pub(crate) mod poll;
pub mod server;
pub mod strategy;
pub(crate) mod table;
