//! What somebody outside can cause on a real Envoy.

mod hostile;
