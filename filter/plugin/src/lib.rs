//! The Sidespan filter as a proxy-wasm module: callbacks in, hostcalls out, and what is decided is decided in the core.
//!
//! ```text
//!   stream  one request: headers read and written, spans opened and ended     (per stream context)
//!   root    configuration, tick, answers to its calls, shutdown               (per root context)
//!      both share a worker: tracer, exporter, ids and counters of one configuration in one VM
//!   host    the only file that calls the proxy, and the only one with `unsafe`
//! ```
//!
//! A panic in here ends the VM, and with it every request of the pod. Whatever can fail therefore has an answer that
//! lets the request pass: no `unwrap`, no indexing, no unchecked arithmetic, and hostcalls whose status is a number.
//! Traits and dispatch are those of the SDK, as far as they are needed (`sidespan-abi`); its hostcalls are not used, for
//! they panic on bytes that are not UTF-8 and on any status they do not expect.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod collector;
mod host;
mod instance;
mod logging;
mod metrics;
mod node;
mod root;
mod sampling_server;
mod shared_data;
mod startup_log;
mod stream;
mod stream_state;
mod worker;

use sidespan_abi::traits::{HttpContext, RootContext};

pub use crate::instance::{NewStream, Sharing};

/// Goes first.
pub fn start() {
    logging::start();
}

/// A root context.
pub fn root(new_stream: NewStream) -> Box<dyn RootContext> {
    Box::new(root::Root::new(new_stream))
}

/// The context of a stream.
#[inline]
pub fn stream(Sharing(shared): Sharing) -> Box<dyn HttpContext> {
    Box::new(stream::Stream::new(shared))
}
