//! Jaeger's APIs: what Jaeger's page, Grafana's data source and every guide read traces with, and Jaeger's remote storage.
//!
//! ```text
//! HTTP /api/…     ── parameters ───┐           ┌─ trace ── tags, references, warnings ── JSON of /api/traces
//! HTTP /api/v3/…  ── v3 ───────────┼─ search ──┤
//! gRPC storage.v2 ── storage ──────┘           ├─ enrich ── OTLP in JSON of /api/v3
//!                                              └─ chunks ── TracesData
//! ```
//!
//! The rule is Jaeger 1.76 with its store in memory: its answers, its words and its codes. Where it is at fault the sink is
//! not, and `harness/README.md` lists each place; a test compares the two field by field but for that list.

mod answer;
mod chunks;
mod dependencies;
mod enrich;
mod form;
mod go;
mod metrics;
mod parameters;
mod route;
mod sanitize;
mod search;
mod shared_ids;
mod skew;
mod span;
mod storage;
mod storage_messages;
mod tag;
mod tag_match;
mod trace;
mod translate;
mod v3;
mod value;

pub(crate) use route::{is_of_api, serve};
pub(crate) use storage::{is_of_storage, serve as serve_storage};

#[cfg(test)]
mod tests;
