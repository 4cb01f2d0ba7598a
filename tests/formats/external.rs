//! Trace headers on real Envoys: between services of different formats, beside Envoy's own tracers and OpenTelemetry's
//! libraries.

mod differential;
mod hops;
mod load_balancer;
mod native;
mod sdks;
mod translation;
mod w3c;
