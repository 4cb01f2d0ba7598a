//! Sampling on real Envoys, and beside OpenTelemetry's own sampler.

mod limits;
mod mixed_rates;
mod rates;
mod ratio;
mod remote;
mod restored;
mod trust;
