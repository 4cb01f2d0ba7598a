//! The counters of formats and of refusals: each refusal has one.

use super::context::Refusal;
use super::format::Format;
use crate::stats::Counter;

#[inline]
pub(crate) fn valid(format: Format) -> Counter {
    match format {
        Format::TraceContext => Counter::TraceContextValid,
        Format::B3 => Counter::B3Valid,
        Format::B3Multi => Counter::B3MultiValid,
        Format::Jaeger => Counter::JaegerValid,
        Format::XRay => Counter::XRayValid,
        Format::Datadog => Counter::DatadogValid,
        Format::GrpcTraceBin => Counter::GrpcTraceBinValid,
        Format::OtTrace => Counter::OtTraceValid,
        Format::Gcp => Counter::GcpValid,
    }
}

#[inline]
pub(crate) fn malformed(format: Format) -> Counter {
    match format {
        Format::TraceContext => Counter::TraceContextMalformed,
        Format::B3 => Counter::B3Malformed,
        Format::B3Multi => Counter::B3MultiMalformed,
        Format::Jaeger => Counter::JaegerMalformed,
        Format::XRay => Counter::XRayMalformed,
        Format::Datadog => Counter::DatadogMalformed,
        Format::GrpcTraceBin => Counter::GrpcTraceBinMalformed,
        Format::OtTrace => Counter::OtTraceMalformed,
        Format::Gcp => Counter::GcpMalformed,
    }
}

#[inline]
pub(crate) fn refused(refusal: Refusal) -> Counter {
    match refusal {
        Refusal::Duplicate => Counter::RefusedDuplicate,
        Refusal::Length => Counter::RefusedLength,
        Refusal::Delimiter => Counter::RefusedDelimiter,
        Refusal::Version => Counter::RefusedVersion,
        Refusal::TraceId => Counter::RefusedTraceId,
        Refusal::TraceIdZero => Counter::RefusedTraceIdZero,
        Refusal::SpanId => Counter::RefusedSpanId,
        Refusal::SpanIdZero => Counter::RefusedSpanIdZero,
        Refusal::Flags => Counter::RefusedFlags,
        Refusal::Sampled => Counter::RefusedSampled,
        Refusal::Encoding => Counter::RefusedEncoding,
    }
}
