//! What the tests stand on: a real Envoy with the filter, a collector, HTTP as bytes.

pub mod caller;
pub mod collector;
pub mod envoy;
pub mod http;
pub mod http2;
pub mod worlds;
