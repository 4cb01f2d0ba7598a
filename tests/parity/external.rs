//! Real Envoys beside the built-in host.

mod both;
mod documented;
mod filters;
#[cfg(feature = "peers")]
mod languages;
