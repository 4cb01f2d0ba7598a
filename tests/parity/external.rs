//! Real Envoys beside the built-in host.

mod both;
