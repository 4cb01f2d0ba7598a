//! The code that every request runs through, compiled for speed.
//!
//! Most of the filter's code runs once or seldom: reading and checking a configuration, describing the node, sending a
//! batch. That code is compiled for size, because the module is loaded into every worker of every proxy. An optimisation
//! level holds for a whole crate, but a function marked `#[inline]` is compiled in the crate that uses it: the functions of
//! `sidespan-plugin` and `sidespan-core` that a request runs through are marked so, and used from this crate.
//!
//! Mark every function that a request newly runs through; `tests/cost/budget.rs`, which counts instructions, shows a
//! missing mark.

use sidespan_abi::traits::HttpContext;
use sidespan_plugin::Sharing;

/// Installs the filter: its log, and the function that makes its root contexts.
pub fn start() {
    sidespan_plugin::start();
    sidespan_abi::set_root_context(|_| sidespan_plugin::root(begin_stream));
}

fn begin_stream(shared: &Sharing) -> Option<Box<dyn HttpContext>> {
    sidespan_plugin::begin_stream(shared)
}
