//! The messages of `jaeger.storage.v1`.
//!
//! The numbers of the fields are those of `storage.proto` in the module `github.com/jaegertracing/jaeger` 1.76.0, which is
//! under the Apache License 2.0.

use std::collections::HashMap;

use super::model::{DependencyLink, Span};
use super::time::Time;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetDependenciesRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) start_time: Option<Time>,
    #[prost(message, optional, tag = "2")]
    pub(super) end_time: Option<Time>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetDependenciesResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) dependencies: Vec<DependencyLink>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WriteSpanRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) span: Option<Span>,
}

/// A message without fields: several requests and answers.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Nothing {}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetTraceRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetServicesResponse {
    #[prost(string, repeated, tag = "1")]
    pub(super) services: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetOperationsRequest {
    #[prost(string, tag = "1")]
    pub(super) service: String,
    #[prost(string, tag = "2")]
    pub(super) span_kind: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Operation {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) span_kind: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetOperationsResponse {
    #[prost(message, repeated, tag = "2")]
    pub(super) operations: Vec<Operation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TraceQueryParameters {
    #[prost(string, tag = "1")]
    pub(super) service_name: String,
    #[prost(string, tag = "2")]
    pub(super) operation_name: String,
    #[prost(map = "string, string", tag = "3")]
    pub(super) tags: HashMap<String, String>,
    #[prost(message, optional, tag = "4")]
    pub(super) start_time_min: Option<Time>,
    #[prost(message, optional, tag = "5")]
    pub(super) start_time_max: Option<Time>,
    #[prost(message, optional, tag = "6")]
    pub(super) duration_min: Option<Time>,
    #[prost(message, optional, tag = "7")]
    pub(super) duration_max: Option<Time>,
    #[prost(int32, tag = "8")]
    pub(super) num_traces: i32,
}

/// `FindTracesRequest` and `FindTraceIDsRequest`, which have the same field.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FindTracesRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) query: Option<TraceQueryParameters>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SpansResponseChunk {
    #[prost(message, repeated, tag = "1")]
    pub(super) spans: Vec<Span>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FindTraceIdsResponse {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(super) trace_ids: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CapabilitiesResponse {
    #[prost(bool, tag = "3")]
    pub(super) streaming_span_writer: bool,
}
