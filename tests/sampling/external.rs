//! Sampling on real Envoys, and beside OpenTelemetry's own sampler.

mod limits;
mod rates;
mod ratio;
mod remote;
mod restored;
mod trust;
