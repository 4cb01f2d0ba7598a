//! The Sidespan filter without a proxy: headers in, headers and spans out, as functions of their arguments.
//!
//! ```text
//! request headers -> extract     -> decide             -> begin  -> inject      -> upstream -> (response) -> finish -> push    -> send   -> collector
//!                    propagation    sampling, tracer      tracer    propagation     keep?       tracer    export     export
//!                                                         span, semconv                                   otlp
//! ```
//!
//! Read [`filter`] first: it holds the sequence of one request, and nothing else does. Every folder is a stage of the
//! drawing or stands below all of them, and imports go one way, from the last line of this list to the first:
//!
//! - [`time`], [`codec`], [`headers`], [`ids`], [`id_generator`], [`stats`], [`pattern`], [`direction`], [`node`]: the ground,
//!   which knows nothing of spans; `codec` knows nothing of traces either
//! - [`cluster_call`], [`stream_info`], [`span`], [`proxy`], [`in_memory`]: calls to clusters, what the proxy tells of a
//!   stream, a span, the traits of a proxy, and a proxy in memory
//! - [`propagation`]: nine formats and baggage, in and out; one context wins, no stale header leaves
//! - [`shared_data`]: what the workers of one process leave for each other
//! - [`sampling`]: record or not, with what probability, and how much of it
//! - [`semconv`]: what spans and their resource say, by OpenTelemetry's semantic conventions
//! - [`messaging`]: contexts and spans of messages, for applications; the filter has no use for it
//! - [`otlp`], [`export`]: spans as bytes; the queue, the requests, their answers, the next try
//! - [`config`]: the bytes of `pluginConfig` to the settings of all stages, every error with its JSON path
//! - [`tracer`]: the decision on a request, its open spans, and spans that are kept after the response
//! - [`filter`]: the sequence
//!
//! A stage owns its settings (`<stage>/settings.rs`: plain values with defaults), which the configuration fills in.
//!
//! Time, randomness and headers are arguments; what is to be done comes back as a value, or is asked of a [`proxy`]. The
//! crate has no clock, no socket and no environment to ask, and the compiler sees to it: `no_std`. Nothing here can panic on
//! input either, because a panic in a filter is a 503 for every request of a pod; the lints below are the law on that.
//!
//! # Glossary
//!
//! | term | meaning |
//! |---|---|
//! | context | trace id, span id and sampling state of a request, in whichever format ([W3C Trace Context]) |
//! | format | one way to write a context into headers: `tracecontext`, `b3`, `xray` … |
//! | refusal | a way in which a header is malformed; each has a counter |
//! | conflict | two formats of one request that tell of different traces |
//! | decision | record or drop, and the reason; *sampled* is a recorded request's flag |
//! | threshold, randomness | `th` and `rv` of [OpenTelemetry's consistent sampling] |
//! | root | a request without context, which begins a trace |
//! | keep | exporting a span that was not sampled, because its response failed or was slow |
//! | pending spans | spans of a request that was not sampled, until its response decides whether they are kept |
//! | open spans | spans of a recorded request, until its stream ends |
//! | link | a reference from a span to another trace (OpenTelemetry) |
//! | edge | a gateway: a SERVER span, and under it a CLIENT span |
//! | attempt | one try of a request behind Envoy's router, where `role: attempt` makes a span each |
//! | excluded | not traced at all: probes, exports of telemetry, whatever `sampling.exclude` names |
//! | worker | one thread of the proxy with its own VM, and so with its own filter |
//! | tick | the proxy's periodic call of a worker |
//! | stream | one request and its response (proxy-wasm's HTTP context) |
//! | batch, request frame | spans that leave in one request, and the bytes of OTLP around them |
//! | lease | an entry in shared data that its owner renews, and that others remove when it is old |
//! | note | a value in shared data for another request: a kept trace, or the context of an `x-request-id` |
//! | installation | one copy of the filter in a process, by its plugin name |
//!
//! The rules that comments and tests quote by an id (`TH-5`, `MAP-1`, `6.4.4`) stand in `filter/RULES.md`.
//!
//! [W3C Trace Context]: https://www.w3.org/TR/trace-context-2/
//! [OpenTelemetry's consistent sampling]: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
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

/// The examples of the README, which are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

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
pub mod messaging;
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
mod upkeep;
