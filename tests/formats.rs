//! Trace headers in every format: as published test suites, guides and other libraries write them, and between services that
//! speak different ones.

mod conflicts;
mod differential;
mod guides;
mod hops;
mod native;
mod sdks;
mod translation;
mod vectors;
mod w3c;
