//! Spans: which of them a request makes, with which attributes, under which parent, and who else can read them.

mod attempts;
mod correlation;
mod exchanges;
mod interop;
mod lifecycle;
mod privacy;
