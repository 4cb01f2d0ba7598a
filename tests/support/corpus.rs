//! Requests with every field of OTLP's spans, and values that are easy to get wrong.
//!
//! ```text
//! attribute ─┬─ odd        all that the protocol allows, for what must give back everything
//!            └─ readable   what other programs read as well, in all of their formats
//! json, stored             the same spans in JSON, and as a sink gives them back
//! ```

mod attribute;
mod json;
mod odd;
pub mod readable;
mod stored;

pub use json::json_of;
pub use odd::{TEXTS, corpus};
pub use stored::{lines_kept, lines_sent};
