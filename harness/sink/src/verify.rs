//! The verdict on traces: is each whole, and if not, at which hop did it break, and why?
//!
//! ```text
//! spans ── trace_index ─┬─ shape    duplicate ids, circles, spans without a service ─┐
//!           span_facts  ├─ clocks   a child that its parent cannot have caused ──────┼─► Verdict
//!                       └─ neighbours ─┬─ broken_hop ── words ──────────────────────┤
//!                                        └─ leftovers ──────────────────────────────┘
//! ```
//!
//! A hop that breaks shows as two traces as a rule: one ends at the call, and another begins at the callee at the same time.
//! So a set of traces is looked at together. Spans do not carry the headers of their request, and a cause is inferred: every
//! message says what was seen, and why that is the most likely cause.

mod broken_hop;
mod clocks;
mod finding;
mod leftovers;
mod neighbours;
mod shape;
mod span_facts;
mod trace_index;
mod verdict;
mod words;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use finding::{Cause, Finding, FindingKind, Hop, Severity};
pub use verdict::{Verdict, by_trace, neighbours_of, verify, verify_one, write_verdict};
