//! The names and attributes of spans and their resource, by OpenTelemetry's semantic conventions
//! (<https://opentelemetry.io/docs/specs/semconv/>).

mod callee;
pub(crate) mod custom;
pub(crate) mod describe;
pub(crate) mod http;
mod known_text;
pub(crate) mod names;
mod peer;
pub mod resource;
pub(crate) mod response_flags;
mod routes;
pub(crate) mod rpc;
pub mod settings;
