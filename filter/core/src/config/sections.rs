//! The sections of the configuration, each read into the settings of its stage.

pub mod attributes;
pub mod export;
pub mod propagation;
pub mod request_match;
pub mod sampling;
pub mod spans;
pub mod trust;
