//! `sidespan verify`: is every trace whole? What broke, and where?
//!
//! ```text
//!                      ┌─ probe     a request of its own, with a known context
//! arguments ── watch ──┼─ gather    the traces of a source, and those of the same time
//!                      └─ expect    what a file says must be there, and must not
//!                           └── report ──┬─ text, JSON
//!                                        └─ junit
//! ```
//!
//! What is wrong with a trace is the sink's to say (`sidespan_sink::verify`); here it is found, waited for and shown.

mod arguments;
mod expect;
mod gather;
mod junit;
mod print;
mod probe;
mod report;
mod running;
mod watch;

pub use arguments::VerifyArgs;
pub use running::run;
