//! The Sidespan filter as a proxy-wasm module: proxy-wasm's callbacks in, hostcalls out, no decision.
//!
//! ```text
//!   stream    one request: each callback is handed to the filter of the core      (per stream context)
//!   root      configuration, tick, answers to calls, the end                      (per root context)
//!      both share an instance: a configuration at work (worker), or the errors of one that was refused
//!   worker    builds the core's filter from the configuration and the node
//!   host      the core's traits of a proxy, on the hostcalls of `sidespan-abi`
//! ```
//!
//! A panic in this crate ends the VM, and with it every request of the pod. Whatever can fail therefore has a result that
//! lets the request pass: no `unwrap`, no indexing, no unchecked arithmetic, and hostcalls whose status is a number.
//! `filter/README.md` ("Why not the SDK") says why exports and hostcalls are not those of proxy-wasm's SDK.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod host;
mod instance;
mod logging;
mod metrics;
mod node;
mod root;
mod shared_data;
mod startup_log;
mod stream;
mod worker;

use sidespan_abi::traits::{HttpContext, RootContext};

pub use crate::instance::{NewStream, Sharing};

/// Installs the logger and the panic hook. Call before any context exists.
pub fn start() {
    logging::start();
}

/// Returns a new root context.
pub fn root(new_stream: NewStream) -> Box<dyn RootContext> {
    Box::new(root::Root::new(new_stream))
}

/// Treats the headers of a new stream's request, and returns the stream's context where they leave anything to do.
#[inline]
pub fn begin_stream(Sharing(shared): &Sharing) -> Option<Box<dyn HttpContext>> {
    let stream = stream::Stream::begin(shared)?;
    Some(stream)
}
