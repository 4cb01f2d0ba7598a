//! Istio: its settings as they were read, resolved, and put in the words of the filter.

pub mod plugin_scope;
pub mod resolve;
pub mod settings;
pub mod summary;
pub mod translate;
