//! Prometheus metrics: requests, errors and durations of the spans that arrive, and the sink's own health.
//!
//! ```text
//! store, after a commit ── NewSpan ── sampling ──► red ─┐
//!                                                       ├─ exposition ── route   /metrics, /ready, /healthz
//! counts, sizes, queues ─────────────────────► health ──┘
//! ```
//!
//! A span of a probability sampler counts for all that it stands for, which its `tracestate` says (`ot=th:…`); a span that
//! was kept although it was not sampled (`sidespan.kept`) stands for itself alone and would distort every rate, so it counts
//! in a number of its own. Labels are of fixed names and of bounded values: what is beyond goes to `_other`, and is counted.

mod exposition;
mod health;
mod red;
mod route;
mod sampling;
mod series;

pub(crate) use health::Front;
pub(crate) use route::{Metrics, is_of_api, is_open};

#[cfg(test)]
mod tests;
