//! The Sidespan filter's shell: callbacks in, hostcalls out; what is decided is decided in the core.
//!
//! ```text
//!   root      configuration, tick, answers to HTTP calls, shutdown             (per root context)
//!   stream    one request: headers read and written, spans opened and ended    (per stream context)
//!      both hold one instance, which has a worker: tracer, exporter, ids and counters of one configuration in one VM
//!   collector, sampling_server, metrics, logging, node    what a worker sends, writes and reads
//!   shared_data    values that all workers of the proxy share
//!   host      the core's traits, implemented on hostcalls
//! ```
//!
//! A panic in here ends the VM, and with it every request of the pod. Whatever can fail therefore has an answer that lets the
//! request pass: no `unwrap`, no indexing, no unchecked arithmetic. Exports, contexts and hostcalls are those of
//! `sidespan-abi`, which has all `unsafe` code and takes no status for granted.
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

/// Installs the logger and the panic hook. Call before any context exists.
pub fn start() {
    logging::start();
}

/// Makes a root context, which makes the contexts of its streams by `new_stream`.
pub fn root(new_stream: NewStream) -> Box<dyn RootContext> {
    Box::new(root::Root::new(new_stream))
}

/// Makes the context of a stream.
#[inline]
pub fn stream(Sharing(shared): Sharing) -> Box<dyn HttpContext> {
    Box::new(stream::Stream::new(shared))
}
