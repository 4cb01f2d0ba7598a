//! A sender of OTLP that is no part of Sidespan: OpenTelemetry's protobuf types and tonic's client.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};

use crate::collector::runtime;

/// Sends one request by OTLP/gRPC and returns the answer.
///
/// # Panics
/// With the refusal, when the request is refused or nobody listens.
pub fn export(to: SocketAddr, request: ExportTraceServiceRequest) -> ExportTraceServiceResponse {
    let answer = runtime().block_on(async {
        let mut client = TraceServiceClient::connect(format!("http://{to}"))
            .await
            .unwrap_or_else(|error| panic!("{to}: {error}"));
        client.export(request).await
    });
    let answer = answer.unwrap_or_else(|refusal| panic!("{to}: {refusal}"));
    answer.into_inner()
}
