//! Real Envoys beside the built-in host.

mod both;
mod documented;
#[cfg(feature = "peers")]
mod languages;
