//! Trace headers between services of different formats, beside Envoy's own tracers, and beside OpenTelemetry's own libraries.

mod differential;
mod hops;
mod native;
mod sdks;
mod translation;
mod w3c;
