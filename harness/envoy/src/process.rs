//! A running Envoy: started, observed and ended.

mod end;
mod observe;
mod running;

pub use running::{Envoy, EnvoyError};

#[cfg(test)]
mod tests;
