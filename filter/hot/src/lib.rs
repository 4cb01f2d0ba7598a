//! The way of every request through the filter, compiled for speed.
//!
//! Nine tenths of the filter run once: the configuration is read, checked and explained, a node describes itself, a batch
//! is sent. All of that is compiled to be small, for the module is loaded into every worker of every proxy. The rest runs with
//! every request and is three times as fast where it is compiled to be fast. How a crate is compiled goes for all of it, but a
//! function marked `#[inline]` is compiled where it is used: those of `sidespan-plugin` and `sidespan-core` that a request
//! goes through are marked so, and used from here.
//!
//! Whoever adds to the way of a request marks it too; a test that counts instructions will tell.

use sidespan_abi::traits::HttpContext;
use sidespan_plugin::Sharing;

/// Installs the filter: its log, and the function that makes its root contexts.
pub fn start() {
    sidespan_plugin::start();
    sidespan_abi::set_root_context(|_| sidespan_plugin::root(stream));
}

fn stream(shared: Sharing) -> Box<dyn HttpContext> {
    sidespan_plugin::stream(shared)
}
