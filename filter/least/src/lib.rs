//! The least that a proxy-wasm filter can do for a trace: the measuring rod of `sidespan bench --envoy`, written by hand.
//!
//! ```text
//! settings    the configuration: one of four kinds of work, and the bytes that are the same for every span
//!   -> worker   request headers -> (stream's span) -> log -> batch -> tick -> collector
//!        headers  trace_parent  span  stream_table  batch
//!   proxy       every export, every call to the proxy, all memory
//! ```
//!
//! It exports what it needs and nothing more, because the proxy enters a module for each callback that it exports: none for
//! the start or the end of a context, and none for the response. It has no allocator: one buffer takes every answer of the
//! proxy, and the next answer overwrites it.
//!
//! **It is no filter to install.** It validates nothing, limits nothing, counts nothing and sends nothing twice; it knows
//! one trace context format, one kind of span, and one worker's share of streams. It has no code of Sidespan, so that its
//! cost says what the proxy asks of any filter, and the distance to it what is a filter's own.
#![cfg_attr(target_family = "wasm", no_std)]

mod batch;
mod headers;
mod proxy;
mod settings;
mod span;
mod stream_table;
mod trace_parent;
mod worker;
mod writer;
