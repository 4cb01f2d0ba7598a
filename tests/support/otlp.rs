//! A sender of OTLP that is no part of Sidespan: OpenTelemetry's protobuf types and tonic's client.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::{Response, Status};

use crate::collector::runtime;

/// Sends one request by OTLP/gRPC and returns the answer.
///
/// # Panics
/// With the refusal, when the request is refused or nobody listens.
pub fn export(to: SocketAddr, request: ExportTraceServiceRequest) -> ExportTraceServiceResponse {
    let answer = try_export(to, request);
    answer.unwrap_or_else(|refusal| panic!("{to}: {refusal}"))
}

/// Sends one request by OTLP/gRPC, which may be refused.
///
/// # Errors
/// With the refusal.
///
/// # Panics
/// When nobody listens.
pub fn try_export(
    to: SocketAddr,
    request: ExportTraceServiceRequest,
) -> Result<ExportTraceServiceResponse, Status> {
    let answer = runtime().block_on(async {
        let mut client = TraceServiceClient::connect(format!("http://{to}"))
            .await
            .unwrap_or_else(|error| panic!("{to}: {error}"));
        client.export(request).await
    });
    answer.map(Response::into_inner)
}
