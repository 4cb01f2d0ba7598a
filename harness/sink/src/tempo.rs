//! Tempo's HTTP API, so that Grafana reads the sink as it reads a Tempo.
//!
//! ```text
//! request ── route ─┬─ trace    /api/traces/{id}, /api/v2/traces/{id}     protobuf, or JSON as Tempo writes it
//!                   ├─ search   /api/search          parameters ── logfmt or traceql ── Store
//!                   └─ tags     /api/search/tags, /api/search/tag/{name}/values, and v2
//! ```
//!
//! The answers are those of a Tempo 3.0 beside it, for the same spans. What it has and this sink has not, metrics of TraceQL
//! before all, is refused with a message and not answered with nothing.

mod answer;
mod json;
mod logfmt;
mod parameters;
mod route;
mod search;
mod tags;
mod trace;
mod traceql;

pub(crate) use route::{is_of_api, serve};

#[cfg(test)]
mod tests;
