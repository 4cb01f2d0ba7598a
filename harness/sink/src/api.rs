//! The sink's own API for readers: `/api/sidespan/v1/…`, on every port, beside what receives.
//!
//! ```text
//! request ── route ─┬─ parameters ── Query ── Store ─┬─ summary   JSON
//!                   │                                ├─ export    OTLP in JSON, a trace a line, while it is read
//!                   └─ trace id, or its beginning    └─ follow    server-sent events
//! ```
//!
//! `harness/README.md` documents it for its users. What a client needs to speak it is public here: [`read_query`],
//! [`write_query`], [`read_summaries`], [`write_summaries`], and the texts of durations and times.

mod answer;
mod attributes;
mod export;
mod follow;
mod forwarding;
mod parameters;
mod produced;
mod route;
mod summary;
mod text;
mod verdict;

pub(crate) use attributes::percent_decoded;
pub use parameters::{ParameterError, read_query, write_query};
pub(crate) use produced::{Broken, Pipe, Produced};
pub use route::PREFIX;
pub(crate) use route::{is_of_api, serve};
pub use summary::{SummaryError, read_summaries, read_summary, write_summaries, write_summary};
pub(crate) use text::write_millis;
pub use text::{TextError, duration_of, kind_of, status_of, time_of, write_duration, write_time};

#[cfg(test)]
mod tests;
