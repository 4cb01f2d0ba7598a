//! OTLP/HTTP: `POST /v1/traces`, `/v1/logs` and `/v1/metrics`, in protobuf or JSON, and Zipkin's `POST /api/v2/spans`.
//!
//! The answers are those of the OTLP specification ("OTLP/HTTP Response"): an error has a `google.rpc.Status` as its body,
//! in the encoding of the request; a request that is not OTLP at all gets a line of text, as from the Collector. Zipkin's
//! answers are 202 without a body, and text.

use std::time::Duration;

use http::header::{
    ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use tonic::body::Body;

use super::body::{BodyError, collect};
use super::compression::Compression;
use super::exchange::{self, Outcome};
use super::ingest::{Reset, Shared};
use super::media::Media;
use super::memory::Share;
use super::message::{Format, Message};
use super::refusal::Refusal;
use super::rpc_status::error_body;
use super::signal::Signal;
use super::truncated_body::TruncatedBody;
use crate::otlp_json::write_response;
use crate::store::{Answer, Transport};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const ZIPKIN: &str = "/api/v2/spans";

/// Answers one HTTP request.
pub(crate) async fn serve(
    ingest: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Body>, Reset> {
    let (parts, body) = request.into_parts();
    let signal = match parts.uri.path() {
        ZIPKIN => Signal::Traces,
        path => match Signal::of_http_path(path) {
            Some(signal) => signal,
            None => return Ok(nothing_here()),
        },
    };
    let limit = ingest.limits().max_request_bytes;
    let mut share = ingest.share();
    let (body, size) = match collect(body, limit, &mut share).await {
        Ok(body) => {
            let size = body.len();
            (Ok(body), size)
        }
        Err(BodyError::Refused(refusal)) => (Err(refusal), limit),
        Err(BodyError::Lost) => return Err(Reset),
    };
    let is_traces = signal == Signal::Traces;
    let number = is_traces.then(|| ingest.open(&parts, Transport::Http, size));
    let format = match format(parts.uri.path(), &parts.method, &parts.headers) {
        Ok(format) => format,
        Err(stranger) => {
            let stranger = stranger.answer();
            if let Some(number) = number {
                ingest.answer(number, Answer::Http(stranger.status().as_u16()));
            }
            return Ok(stranger);
        }
    };
    let message = body.and_then(|body| message(&parts.headers, body, format, share));
    let Some(number) = number else {
        return Ok(match exchange::others(ingest, signal, message).await {
            Ok(()) => success(format, &whole()),
            Err(refusal) => refused(Some(format), &refusal),
        });
    };
    let plan = ingest.plan(&message);
    match exchange::traces(ingest, number, Transport::Http, plan, message).await {
        Outcome::Success(response) => Ok(success(format, &response)),
        Outcome::Refused(refusal) => Ok(refused(Some(format), &refusal)),
        Outcome::Reset => Err(Reset),
        Outcome::Cut => {
            let mut cut = success(format, &whole());
            let headers = cut.headers_mut();
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("100"));
            Ok(cut.map(|_| Body::new(TruncatedBody::after(Bytes::from_static(&[0x0a])))))
        }
    }
}

/// Returns the answer to a request without the sink's token.
pub(crate) fn unauthenticated(headers: &HeaderMap) -> Response<Body> {
    let format = Media::of(headers).map(Format::Otlp);
    let mut response = refused(format, &Refusal::unauthenticated());
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn nothing_here() -> Response<Body> {
    text(
        StatusCode::NOT_FOUND,
        "404 this sink serves POST /v1/traces, /v1/metrics, /v1/logs and Zipkin's /api/v2/spans, and GET /api/sidespan/v1/status",
    )
}

/// The reasons why a request has no format, which are answered as text.
#[derive(Clone, Copy)]
enum Stranger {
    /// Another method than POST.
    Method,
    /// Another content type than these.
    Media(&'static str),
}

impl Stranger {
    fn answer(self) -> Response<Body> {
        let line = match self {
            Self::Media(line) => return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, line),
            Self::Method => "405 method not allowed, supported: [POST]",
        };
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, line);
        let post = HeaderValue::from_static("POST");
        answer.headers_mut().insert(ALLOW, post);
        answer
    }
}

/// Returns the format of a request.
fn format(path: &str, method: &Method, headers: &HeaderMap) -> Result<Format, Stranger> {
    const OTLP: &str =
        "415 unsupported media type, supported: [application/json, application/x-protobuf]";
    const ZIPKINS: &str = "415 unsupported media type, supported: [application/json]";
    if method != Method::POST {
        return Err(Stranger::Method);
    }
    let media = Media::of(headers);
    if path == ZIPKIN {
        // Zipkin's own server takes a body without a type for JSON, too.
        return match (media, headers.contains_key(CONTENT_TYPE)) {
            (Some(Media::Json), _) | (None, false) => Ok(Format::Zipkin),
            _ => Err(Stranger::Media(ZIPKINS)),
        };
    }
    media.map(Format::Otlp).ok_or(Stranger::Media(OTLP))
}

fn message(
    headers: &HeaderMap,
    body: Bytes,
    format: Format,
    share: Share,
) -> Result<Message, Refusal> {
    let name = headers.get(CONTENT_ENCODING);
    let name = name.map_or(Ok(""), |name| name.to_str());
    let known = name.ok().and_then(|name| Compression::named(name.trim()));
    Ok(Message {
        body,
        compression: known.ok_or_else(Refusal::unsupported_encoding)?,
        format,
        share,
    })
}

/// Returns the answer to a request whose records are all kept or counted: a partial success that is present and empty,
/// because the Collector sends these very bytes.
fn whole() -> ExportTraceServiceResponse {
    ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess::default()),
    }
}

fn success(format: Format, response: &ExportTraceServiceResponse) -> Response<Body> {
    match format {
        Format::Otlp(Media::Protobuf) => {
            let body = response.encode_to_vec().into();
            respond(StatusCode::OK, Media::Protobuf.value(), body)
        }
        Format::Otlp(Media::Json) => {
            let body = write_response(response).into();
            respond(StatusCode::OK, Media::Json.value(), body)
        }
        Format::Zipkin => {
            let mut accepted = Response::new(Body::empty());
            *accepted.status_mut() = StatusCode::ACCEPTED;
            accepted
        }
    }
}

/// Returns a refusal: in the encoding of the request, or as text where there is none.
fn refused(format: Option<Format>, refusal: &Refusal) -> Response<Body> {
    let Refusal {
        code,
        http,
        message,
        retry,
    } = refusal;
    let mut response = match format {
        Some(Format::Otlp(media)) => {
            let body = error_body(media, *code, message, *retry);
            respond(*http, media.value(), body)
        }
        _ => {
            let line = format!("{} {message}", http.as_u16());
            respond(*http, TEXT, line.into())
        }
    };
    if let Some(retry) = *retry {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, whole_seconds(retry));
    }
    response
}

/// Returns a value of `Retry-After` in whole seconds, rounded up because a client must not retry too early.
fn whole_seconds(time: Duration) -> HeaderValue {
    HeaderValue::from(time.as_secs() + u64::from(time.subsec_nanos() > 0))
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
