//! The sections of the configuration, each read into the settings of its stage.

pub(crate) mod attributes;
pub(crate) mod export;
pub(crate) mod propagation;
pub(crate) mod request_match;
pub(crate) mod sampling;
pub(crate) mod spans;
pub(crate) mod trust;
