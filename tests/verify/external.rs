//! Traces that real Envoys broke, one fault each, and whole ones.

mod faults;
mod mesh;
mod probe;
mod tracers;
mod whole;
