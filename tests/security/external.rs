//! What somebody outside can cause on a real Envoy.

mod faults;
mod hostile;
mod soak;
