//! `sidespan trace`: finds traces and draws them, follows them, and carries them as OTLP in JSON.
//!
//! ```text
//! arguments ── source ─┬─ sink      over its API                    ┌─ list, waterfall, JSON
//!                      ├─ files     lines or a database in a Store ─┼─ transfer   export, import
//!                      ├─ jaeger    fetched into a Store            └─ follow     a sink's stream
//!                      └─ tempo     the same
//! ```
//!
//! Whatever the source, a [`sidespan_sink::Query`] means the same: what is not a sink is searched in a store.

mod arguments;
pub(crate) mod client;
pub(crate) mod conditions;
mod files;
mod follow;
mod jaeger;
pub(crate) mod loaded;
mod running;
mod sink;
pub(crate) mod source;
mod tempo;
mod transfer;

pub use arguments::TraceArgs;
pub use running::run;
