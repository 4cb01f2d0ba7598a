//! The spans of real requests through real Envoys, and other people's collectors that read them.

mod attempts;
mod correlation;
mod exchanges;
mod interop;
mod lifecycle;
