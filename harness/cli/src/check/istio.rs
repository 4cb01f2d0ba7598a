//! Istio's settings: read, resolved, and translated into configurations of the filter.

pub mod plugin_scope;
pub mod resolve;
pub mod settings;
pub mod summary;
pub mod translate;

#[cfg(test)]
mod tests;
