//! Spans of real requests through real Envoys, and other projects' collectors that read them.

mod attempts;
mod chains;
mod correlation;
mod exchanges;
mod interop;
mod lifecycle;
mod peers;
mod times;
