//! `sidespan sink`: receives spans over OTLP and in Zipkin's format, and keeps them.
//!
//! ```text
//! arguments ─┬─ address ────┬─ sidespan_sink::SinkConfig ── running ── announcement   addresses at the start, counts at the end
//!            └─ forwarding ─┘
//! ```
//!
//! It is a collector for development, tests and small installations, and a bad one on purpose with `--fail`.

mod address;
mod announcement;
mod arguments;
mod forwarding;
mod running;

pub use arguments::SinkArgs;
pub use running::run;
