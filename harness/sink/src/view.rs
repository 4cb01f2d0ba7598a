//! Traces for the reader: the order of their spans, what is missing of them, and how they are drawn.

mod completeness;
mod trace_tree;
pub mod waterfall;

pub use completeness::{Incomplete, Reason, is_complete};
