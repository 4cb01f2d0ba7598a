//! OTLP 1.x: the bytes of spans and of the request frame around them, and the response of a receiver.
//!
//! ```text
//! ExportTraceServiceRequest
//!   resource_spans
//!     resource (attributes), schema_url
//!     scope_spans
//!       scope (name, version), schema_url
//!       spans ...
//! ```
//!
//! A worker has one resource and one scope, so their bytes are made once. A span is encoded when it ends, behind the span
//! before it, and the request frame is put around the spans when the request leaves. The field numbers are those of
//! `opentelemetry/proto/trace/v1/trace.proto` in <https://github.com/open-telemetry/opentelemetry-proto>.

pub mod request;
pub mod response;
pub mod span;

#[cfg(test)]
mod tests;
