//! The messages of Jaeger's remote storage, package `jaeger.storage.v2`.
//!
//! The numbers of the fields are those of `trace_storage.proto` and `dependency_storage.proto` in the module
//! `github.com/jaegertracing/jaeger-idl` 0.6.0, which Jaeger 1.76.0 uses; it is under the Apache License 2.0. Its `KeyValue`
//! is a copy of OTLP's, with the same numbers, and so OTLP's stands here.

use opentelemetry_proto::tonic::common::v1::KeyValue;

/// `google.protobuf.Timestamp` and `google.protobuf.Duration`, which have the same fields.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Time {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

impl Time {
    /// Returns the nanoseconds, within the bounds of their type.
    pub(super) fn as_nanos(&self) -> i64 {
        let nanos = self.seconds.saturating_mul(1_000_000_000);
        nanos.saturating_add(i64::from(self.nanos))
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetTraceParams {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub(super) start_time: Option<Time>,
    #[prost(message, optional, tag = "3")]
    pub(super) end_time: Option<Time>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetTracesRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) query: Vec<GetTraceParams>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetServicesRequest {}

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
    #[prost(message, repeated, tag = "1")]
    pub(super) operations: Vec<Operation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TraceQueryParameters {
    #[prost(string, tag = "1")]
    pub(super) service_name: String,
    #[prost(string, tag = "2")]
    pub(super) operation_name: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "4")]
    pub(super) start_time_min: Option<Time>,
    #[prost(message, optional, tag = "5")]
    pub(super) start_time_max: Option<Time>,
    #[prost(message, optional, tag = "6")]
    pub(super) duration_min: Option<Time>,
    #[prost(message, optional, tag = "7")]
    pub(super) duration_max: Option<Time>,
    #[prost(int32, tag = "8")]
    pub(super) search_depth: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FindTracesRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) query: Option<TraceQueryParameters>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FoundTraceId {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub(super) start: Option<Time>,
    #[prost(message, optional, tag = "3")]
    pub(super) end: Option<Time>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FindTraceIdsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) trace_ids: Vec<FoundTraceId>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetDependenciesRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) start_time: Option<Time>,
    #[prost(message, optional, tag = "2")]
    pub(super) end_time: Option<Time>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Dependency {
    #[prost(string, tag = "1")]
    pub(super) parent: String,
    #[prost(string, tag = "2")]
    pub(super) child: String,
    #[prost(uint64, tag = "3")]
    pub(super) call_count: u64,
    #[prost(string, tag = "4")]
    pub(super) source: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetDependenciesResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) dependencies: Vec<Dependency>,
}
