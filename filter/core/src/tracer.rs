//! The tracer: the decision on one request, its open spans, and its pending spans, which the response decides.
//!
//! A request has one of three answers, each a variant of `request_decision::RequestDecision` and not a flag:
//! - **excluded**: the request is not traced, and its headers stay as they are.
//! - **untouched**: no context was received and none is started here. Not a byte changes.
//! - **traced**: a context is propagated. A recorded request has open spans until it ends; a dropped request
//!   has pending spans where `keep` is on; all other requests have no spans.
//!
//! Where outside contexts are not accepted, an excluded request has an empty trace, and a request that would be untouched
//! is traced with an empty trace: an empty trace propagates nothing and removes the received context.
//!
//! A proxy that decides writes a span id of its own also when it drops (MAP-12; W3C Trace Context, "Mutating the
//! traceparent Field"). A proxy that only translates leaves the caller's span id in place, because a span id without an
//! exported span would break the tree of the proxies and applications that export theirs.
//!
//! Requests are excluded before anything of their context is read (MF-13), and only where roots are decided: to exclude
//! is not to trace, and a proxy that only translates traces nothing, so it translates the context of a probe as well.

pub mod attempt;
mod correlation;
pub mod decide;
pub mod explanation;
pub mod keep;
pub mod open_spans;
mod receive;
pub mod request_decision;
pub mod request_trace;
mod restore;
pub mod state;
mod trust;

#[cfg(test)]
mod tests;
