//! The bench on real Envoys.

mod bench;
