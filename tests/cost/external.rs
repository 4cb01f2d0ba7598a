//! The bench on real Envoys.

mod bench;
mod least;
mod loading;
mod memory;
