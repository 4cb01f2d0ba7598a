//! The views of a trace: the order of its spans, missing spans, and drawings.

mod completeness;
pub mod listing;
mod trace_tree;
pub mod waterfall;

pub use completeness::{Incomplete, Reason, is_complete};
pub(crate) use trace_tree::{Top, arrange};
