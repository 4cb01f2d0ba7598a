//! One request through the filter: what is decided, which spans begin, and what they say when it ends.
//!
//! Four answers to a request, each a variant and not a flag:
//! - **untouched**: no context came in and none is started here, or the request is excluded. Not a byte changes.
//! - **passing**: the context goes on, nothing is recorded.
//! - **held**: the same, and a few ids are kept until the response says whether spans are worth it after all.
//! - **recording**: the context goes on, and spans are open until the stream ends.
//!
//! A proxy that decides writes a span id of its own also when it drops (W3C Trace Context, "Mutating the traceparent
//! Field"; OpenTelemetry SDKs do the same). One that only translates leaves the caller's span id in place: it has no
//! span, and an id without a span would break the tree of those who have one.
//!
//! Requests are excluded before anything is read of their context (MF-13), and only where roots are decided: excluding
//! means not tracing, and one that only translates traces nothing. What it does to a context it does to a probe's too.
//! Where contexts from outside are not accepted, an excluded request carries none in either.

pub mod attempt;
mod correlation;
pub mod decide;
pub mod explanation;
pub mod keep;
pub mod open_spans;
pub mod request_decision;
pub mod request_trace;
pub mod state;
mod trust;

#[cfg(test)]
mod tests;
