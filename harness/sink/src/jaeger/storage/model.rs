//! Jaeger's own model of spans, package `jaeger.api_v2`.
//!
//! The numbers of the fields are those of `model.proto` in the module `github.com/jaegertracing/jaeger-idl` 0.6.0, which is
//! under the Apache License 2.0.

use super::time::Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum ValueType {
    String = 0,
    Bool = 1,
    Int64 = 2,
    Float64 = 3,
    Binary = 4,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(enumeration = "ValueType", tag = "2")]
    pub(super) v_type: i32,
    #[prost(string, tag = "3")]
    pub(super) v_str: String,
    #[prost(bool, tag = "4")]
    pub(super) v_bool: bool,
    #[prost(int64, tag = "5")]
    pub(super) v_int64: i64,
    #[prost(double, tag = "6")]
    pub(super) v_float64: f64,
    #[prost(bytes = "vec", tag = "7")]
    pub(super) v_binary: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Log {
    #[prost(message, optional, tag = "1")]
    pub(super) timestamp: Option<Time>,
    #[prost(message, repeated, tag = "2")]
    pub(super) fields: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SpanRef {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) span_id: Vec<u8>,
    /// 0 for `CHILD_OF`, 1 for `FOLLOWS_FROM`.
    #[prost(int32, tag = "3")]
    pub(super) ref_type: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Process {
    #[prost(string, tag = "1")]
    pub(super) service_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) tags: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) operation_name: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) references: Vec<SpanRef>,
    #[prost(uint32, tag = "5")]
    pub(super) flags: u32,
    #[prost(message, optional, tag = "6")]
    pub(super) start_time: Option<Time>,
    #[prost(message, optional, tag = "7")]
    pub(super) duration: Option<Time>,
    #[prost(message, repeated, tag = "8")]
    pub(super) tags: Vec<KeyValue>,
    #[prost(message, repeated, tag = "9")]
    pub(super) logs: Vec<Log>,
    #[prost(message, optional, tag = "10")]
    pub(super) process: Option<Process>,
    #[prost(string, repeated, tag = "12")]
    pub(super) warnings: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DependencyLink {
    #[prost(string, tag = "1")]
    pub(super) parent: String,
    #[prost(string, tag = "2")]
    pub(super) child: String,
    #[prost(uint64, tag = "3")]
    pub(super) call_count: u64,
    #[prost(string, tag = "4")]
    pub(super) source: String,
}
