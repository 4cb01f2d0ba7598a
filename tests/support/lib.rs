//! The tests' support: a real Envoy with the filter, a collector, HTTP as bytes, other projects' packages, definitions of
//! Kubernetes.

pub mod accounts;
pub mod caller;
pub mod collector;
pub mod corpus;
pub mod definitions;
pub mod dialect;
pub mod draw;
pub mod effort;
pub mod envoy;
pub mod guests;
pub mod http;
pub mod http2;
pub mod otlp;
pub mod packages;
pub mod pair;
#[cfg(feature = "peers")]
pub mod peers;
pub mod ports;
pub mod program;
pub mod readme;
pub mod rotel;
pub mod trap;
pub mod under_fire;
pub mod worlds;
