//! What the proxy can tell of a request and its response when both have ended.
//!
//! Each answer is a call to the proxy, so it is asked for only what a span is going to say. Properties are Envoy's
//! attributes, with the segments of their paths joined by NUL; a number is eight bytes, the lowest first.

pub mod answers;
pub mod attributes;
pub mod outcome;
pub mod source;
