//! The Sidespan filter without a proxy: headers in, headers and spans out, as functions of their arguments.
//!
//! ```text
//! request headers -> extract -> decide -> begin -> inject -> upstream -> response -> finish -> push -> send -> collector
//!                    propagation  sampler   tracer   propagation          keep?      tracer    queue   export, otlp
//! ```
//!
//! Time, randomness and headers are arguments; what is to be done comes back as a value. The crate has no clock, no
//! socket and no environment to ask, and the compiler sees to it: `no_std`. Nothing here can panic on input either, for
//! a panic in a filter is a 503 for every request of a pod; the lints below are the law on that.
//!
//! - [`config`]: the bytes of `pluginConfig` to checked values, every error with its JSON path
//! - [`headers`]: one pass over the request's headers
//! - [`propagation`], [`baggage`]: nine formats, in and out; one context wins, no stale header leaves
//! - `matching`, `trust`, [`sampler`], [`threshold`], [`limit`]: what is traced at all, what is believed, record or not and
//!   with what probability, and how much of it
//! - [`tracer`], [`state`]: the spans that are open meanwhile, or held in case they are worth keeping; what one request
//!   leaves for the next
//! - [`notes`], [`server_timing`]: what proxies say to each other about traces that they keep
//! - `describe`, `conventions`, `http`, `grpc`, `envoy_flags`, `attributes`, [`exchange`], [`span`], [`resource`]: what
//!   spans say, by OpenTelemetry's semantic conventions
//! - [`queue`], [`otlp`], [`export`], [`gzip`]: from finished spans to an acknowledged request
//! - [`facing`], [`lease`], [`ledger`], [`roster`], [`correlation`]: which way requests go here, what else of this filter
//!   runs in the process, and what else of a request
//! - [`remote`]: percentages that somebody else hands out
//! - [`ids`], [`entropy`], [`time`], [`stats`], `json`, `decimal`: what the others are made of
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
// A test that overflows fails, which is what it is for; the other laws know tests by themselves.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

extern crate alloc;

pub mod cluster_call;
pub mod codec;
pub mod config;
pub mod direction;
pub mod export;
pub mod filter;
pub mod headers;
pub mod id_generator;
pub mod ids;
pub mod in_memory;
pub mod node;
pub mod otlp;
pub mod pattern;
pub mod propagation;
pub mod proxy;
pub mod sampling;
pub mod semconv;
pub mod shared_data;
pub mod span;
pub mod stats;
pub mod stream_info;
pub mod time;
pub mod tracer;
