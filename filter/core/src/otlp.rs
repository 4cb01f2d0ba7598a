//! Spans as bytes of OTLP 1.x, and what a receiver answers.
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
//! A worker has one resource and one scope, so their bytes are made once. A span is encoded when it ends, behind the one
//! before it, and what stands around the spans of a request is put there when it leaves. The field numbers are those of
//! `opentelemetry/proto/trace/v1/trace.proto`.

pub mod request;
pub mod response;
pub mod span;

#[cfg(test)]
mod tests;
