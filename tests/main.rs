//! Every promise of Sidespan, one folder a subject.
//!
//! A test that needs any program but Sidespan stands in the `external` module of its folder: Envoys, other projects'
//! libraries, a compiler. All other tests run the compiled filter on the built-in host.

#[cfg(feature = "browser")]
mod browser;
mod cost;
mod export;
mod formats;
mod keep;
mod observability;
mod parity;
#[cfg(feature = "peers")]
mod peers;
mod program;
mod project;
mod sampling;
mod security;
mod sidecar;
mod sink;
mod spans;
mod verify;
mod worker;
