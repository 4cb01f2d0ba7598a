//! OTLP/gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`, served by tonic.
//!
//! The body is read before tonic sees it, so that its size on the wire is known and a script can answer without tonic. One
//! answer of tonic is changed: an oversized message is RESOURCE_EXHAUSTED, as from every other server, because OUT_OF_RANGE
//! tells a client to send the same message again.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::codegen::Service;
use tonic::{Code, Status};

use super::ingest::{BodyError, Ingest, Reset, Shared, collect, scripted_success};
use super::rpc_status::{grpc_status, refusal_of};
use super::truncated_body::TruncatedBody;
use crate::script::Reply;
use crate::store::{Answer, SpanBatch, Transport};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const OTHER_SIGNALS: [&str; 2] = [
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
];
const FRAME_HEADER_BYTES: usize = 5;
const GRPC_STATUS: &str = "grpc-status";

/// Answers one gRPC request.
pub(crate) async fn serve(
    ingest: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Body>, Reset> {
    let (parts, body) = request.into_parts();
    if parts.uri.path() != EXPORT {
        let message = if OTHER_SIGNALS.contains(&parts.uri.path()) {
            ingest.count_other_signal();
            "this sink takes traces, not logs or metrics"
        } else {
            "this sink serves opentelemetry.proto.collector.trace.v1.TraceService/Export"
        };
        return Ok(Status::unimplemented(message).into_http());
    }
    let limit = ingest.limits().max_request_bytes;
    let body = match collect(body, limit.saturating_add(FRAME_HEADER_BYTES)).await {
        Ok(body) => body,
        Err(BodyError::Lost) => return Err(Reset),
        Err(BodyError::TooLarge) => {
            let number = ingest.open(&parts, Transport::Grpc, limit);
            ingest.answer(number, Answer::Grpc(i32::from(Code::ResourceExhausted)));
            let message = format!("expected at most {limit} bytes");
            return Ok(Status::resource_exhausted(message).into_http());
        }
    };
    let number = ingest.open(&parts, Transport::Grpc, body.len());
    let reply = ingest.take_reply();
    match &reply {
        Reply::Delay(time) => tokio::time::sleep(*time).await,
        Reply::Reset => {
            ingest.answer(number, Answer::Reset);
            return Err(Reset);
        }
        Reply::HttpStatus(code, _) => {
            ingest.answer(number, Answer::Http(*code));
            return Ok(not_grpc(*code));
        }
        _ => {}
    }
    let scripted = reply.clone();
    let handler = Handler {
        ingest: Arc::clone(ingest),
        number,
        reply,
    };
    let response = export(handler, limit, parts, body).await;
    if ingest.is_pending(number) {
        // tonic has refused the request before the handler saw it.
        ingest.answer(number, Answer::Grpc(code_of(&response)));
    }
    match scripted {
        Reply::LostAnswer => Err(Reset),
        // The headers of a success, and of its message only the frame header.
        Reply::CutAnswer => Ok(response.map(|_| {
            Body::new(TruncatedBody::after(Bytes::from_static(
                &[0; FRAME_HEADER_BYTES],
            )))
        })),
        _ => Ok(response),
    }
}

async fn export(handler: Handler, limit: usize, parts: Parts, body: Bytes) -> Response<Body> {
    let mut server = TraceServiceServer::new(handler)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(limit);
    let request = Request::from_parts(parts, Full::new(body));
    let mut response = match server.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if code_of(&response) == i32::from(Code::OutOfRange) {
        let exhausted = HeaderValue::from(i32::from(Code::ResourceExhausted));
        response.headers_mut().insert(GRPC_STATUS, exhausted);
    }
    response
}

/// Returns the gRPC status in an answer's headers; 0 if there is none, because tonic writes errors into the headers.
fn code_of(response: &Response<Body>) -> i32 {
    let header = response.headers().get(GRPC_STATUS);
    let text = header.and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn not_grpc(code: u16) -> Response<Body> {
    let body = Body::new(Full::new(Bytes::from(format!("{code}\n"))));
    let mut response = Response::new(body);
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, text);
    response
}

struct Handler {
    ingest: Arc<Ingest>,
    number: u64,
    reply: Reply,
}

#[tonic::async_trait]
impl TraceService for Handler {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        let ok = Answer::Grpc(i32::from(Code::Ok));
        let batch = SpanBatch::from_request(&request.into_inner());
        let refusal = match &self.reply {
            Reply::Unavailable => Some((Code::Unavailable, None)),
            Reply::GrpcStatus(code, retry) => Some((*code, *retry)),
            _ => None,
        };
        if let Some((code, retry)) = refusal {
            self.ingest
                .answer(self.number, Answer::Grpc(i32::from(code)));
            return Err(grpc_status(code, "as scripted", retry));
        }
        let response = if let Reply::PartialSuccess { rejected, message } = &self.reply {
            let kept = self.ingest.keep(self.number, ok, batch, *rejected).await;
            kept.map(|_| scripted_success(*rejected, message))
        } else {
            let answer = match self.reply {
                Reply::LostAnswer | Reply::CutAnswer => Answer::Reset,
                _ => ok,
            };
            self.ingest.keep(self.number, answer, batch, 0).await
        };
        match response {
            Ok(response) => Ok(tonic::Response::new(response)),
            Err(refused) => {
                let (code, retry) = refusal_of(&refused);
                self.ingest
                    .answer(self.number, Answer::Grpc(i32::from(code)));
                Err(grpc_status(code, &refused.to_string(), Some(retry)))
            }
        }
    }
}
