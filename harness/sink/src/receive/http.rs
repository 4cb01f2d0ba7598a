//! OTLP/HTTP: `POST /v1/traces`, protobuf, plain or gzip.
//!
//! The answers are those of the OTLP specification ("OTLP/HTTP Response"): an error has a `google.rpc.Status` as its body,
//! in the encoding of the request; a request that is not OTLP at all gets a line of text, as from the Collector. The limit
//! holds for the bytes on the wire and for the inflated bytes.

use std::io::Read;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tonic::Code;
use tonic::body::Body;

use super::ingest::{BodyError, Reset, Shared, collect, scripted_success};
use super::rpc_status::{error_body, http_status, refusal_of};
use super::truncated_body::TruncatedBody;
use crate::script::Reply;
use crate::store::{Answer, Refused, SpanBatch, Transport};

const TRACES: &str = "/v1/traces";
const OTHER_SIGNALS: [&str; 2] = ["/v1/logs", "/v1/metrics"];
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Answers one HTTP request.
pub(crate) async fn serve(
    ingest: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Body>, Reset> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if path != TRACES {
        if OTHER_SIGNALS.contains(&path) {
            ingest.count_other_signal();
            return Ok(text(
                StatusCode::NOT_FOUND,
                "404 this sink takes traces, not logs or metrics",
            ));
        }
        return Ok(text(
            StatusCode::NOT_FOUND,
            "404 this sink serves POST /v1/traces",
        ));
    }
    let limit = ingest.limits().max_request_bytes;
    let body = match collect(body, limit).await {
        Ok(body) => body,
        Err(BodyError::Lost) => return Err(Reset),
        Err(BodyError::TooLarge) => {
            let number = ingest.open(&parts, Transport::Http, limit);
            let answer = Response::from(too_large(limit));
            ingest.answer(number, Answer::Http(answer.status().as_u16()));
            return Ok(answer);
        }
    };
    let number = ingest.open(&parts, Transport::Http, body.len());
    let refuse = |refusal: Response<Body>| {
        ingest.answer(number, Answer::Http(refusal.status().as_u16()));
        Ok(refusal)
    };
    if let Some(refusal) = not_otlp(&parts.method, &parts.headers) {
        return refuse(refusal);
    }
    let reply = ingest.take_reply();
    if let Reply::Delay(time) = &reply {
        tokio::time::sleep(*time).await;
    }
    if reply == Reply::Reset {
        ingest.answer(number, Answer::Reset);
        return Err(Reset);
    }
    if let Some(refusal) = scripted_refusal(&reply) {
        return refuse(refusal);
    }
    let batch = match read(&parts.headers, body, limit) {
        Ok(batch) => batch,
        Err(refusal) => return refuse(refusal.into()),
    };
    let ok = Answer::Http(200);
    let success = match reply {
        Reply::LostAnswer => {
            let _ = ingest.keep(number, Answer::Reset, batch, 0).await;
            return Err(Reset);
        }
        Reply::CutAnswer => {
            let _ = ingest.keep(number, Answer::Reset, batch, 0).await;
            let mut cut = protobuf(StatusCode::OK, &ExportTraceServiceResponse::default());
            cut.headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from_static("100"));
            return Ok(cut.map(|_| Body::new(TruncatedBody::after(Bytes::from_static(&[0x0a])))));
        }
        Reply::PartialSuccess { rejected, message } => {
            let kept = ingest.keep(number, ok, batch, rejected).await;
            kept.map(|_| scripted_success(rejected, &message))
        }
        _ => ingest.keep(number, ok, batch, 0).await,
    };
    match success {
        Ok(success) => Ok(protobuf(StatusCode::OK, &success)),
        Err(refused) => refuse(not_stored(&refused)),
    }
}

/// Returns the refusal of a request that is not OTLP in protobuf.
fn not_otlp(method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
    if method != Method::POST {
        let mut answer = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "405 method not allowed, supported: [POST]",
        );
        answer
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
        return Some(answer);
    }
    let media = token(headers, &CONTENT_TYPE);
    let media = media.split(';').next().unwrap_or_default().trim_end();
    match media {
        "application/x-protobuf" => None,
        "application/json" => Some(text(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "415 OTLP in JSON is not in this version, supported: [application/x-protobuf]",
        )),
        _ => Some(text(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "415 unsupported media type, supported: [application/x-protobuf]",
        )),
    }
}

fn scripted_refusal(reply: &Reply) -> Option<Response<Body>> {
    let (status, code, retry) = match reply {
        Reply::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, None),
        Reply::GrpcStatus(code, retry) => (http_status(*code), *code, *retry),
        Reply::HttpStatus(number, retry) => {
            let status = StatusCode::from_u16(*number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Code::Unknown, *retry)
        }
        _ => return None,
    };
    let mut refusal = respond(status, PROTOBUF, error_body(code, "as scripted", retry));
    if let Some(retry) = retry {
        refusal
            .headers_mut()
            .insert(RETRY_AFTER, whole_seconds(retry));
    }
    Some(refusal)
}

/// Returns the answer to a request that the store did not take; it asks for another try.
fn not_stored(refused: &Refused) -> Response<Body> {
    let (code, retry) = refusal_of(refused);
    let body = error_body(code, &refused.to_string(), Some(retry));
    let mut refusal = respond(http_status(code), PROTOBUF, body);
    refusal
        .headers_mut()
        .insert(RETRY_AFTER, whole_seconds(retry));
    refusal
}

/// Returns a value of `Retry-After` in whole seconds, rounded up because a client must not retry too early.
fn whole_seconds(time: Duration) -> HeaderValue {
    HeaderValue::from(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

fn read(headers: &HeaderMap, body: Bytes, limit: usize) -> Result<SpanBatch, Refusal> {
    let plain = match token(headers, &CONTENT_ENCODING).as_str() {
        "" | "identity" => body,
        "gzip" => inflate(&body, limit)?,
        _ => {
            return Err(broken(
                "unsupported content-encoding, supported: [gzip, identity]",
            ));
        }
    };
    SpanBatch::from_protobuf(plain).map_err(|error| broken(&error.to_string()))
}

fn inflate(body: &[u8], limit: usize) -> Result<Bytes, Refusal> {
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut plain = Vec::new();
    let read = MultiGzDecoder::new(body)
        .take(bound)
        .read_to_end(&mut plain);
    read.map_err(|error| broken(&format!("broken gzip: {error}")))?;
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    Ok(Bytes::from(plain))
}

/// An error answer, before it is written.
struct Refusal {
    http: StatusCode,
    body: Bytes,
}

impl From<Refusal> for Response<Body> {
    fn from(refusal: Refusal) -> Self {
        respond(refusal.http, PROTOBUF, refusal.body)
    }
}

fn broken(message: &str) -> Refusal {
    Refusal {
        http: StatusCode::BAD_REQUEST,
        body: error_body(Code::InvalidArgument, message, None),
    }
}

fn too_large(limit: usize) -> Refusal {
    let message = format!("expected at most {limit} bytes, also inflated");
    Refusal {
        http: StatusCode::PAYLOAD_TOO_LARGE,
        body: error_body(Code::ResourceExhausted, &message, None),
    }
}

/// Returns a header's value in lower case, or an empty text.
fn token(headers: &HeaderMap, name: &http::HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().trim().to_ascii_lowercase()
}

fn protobuf(status: StatusCode, message: &impl Message) -> Response<Body> {
    respond(status, PROTOBUF, Bytes::from(message.encode_to_vec()))
}

fn text(status: StatusCode, line: &'static str) -> Response<Body> {
    respond(status, TEXT, Bytes::from_static(line.as_bytes()))
}

fn respond(status: StatusCode, media: HeaderValue, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}
