//! OTLP/gRPC: the method `Export` of the three services.
//!
//! The calls have one message each way, so their frames are read and written here: tonic's server would inflate without
//! regard to the memory of other requests, hide the size on the wire, and make a message before its spans are looked at.
//! Statuses and their headers are tonic's.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use prost::Message as _;
use tonic::body::Body;
use tonic::{Code, Status};

use super::body::{BodyError, collect};
use super::compression::Compression;
use super::exchange::{self, Outcome};
use super::ingest::{Reset, Shared};
use super::media::Media;
use super::memory::Share;
use super::message::{Format, Message};
use super::refusal::Refusal;
use super::rpc_status::grpc_status;
use super::signal::Signal;
use super::truncated_body::TruncatedBody;
use crate::script::Reply;
use crate::store::{Answer, Transport};

const FRAME_HEADER_BYTES: usize = 5;
const ACCEPTED: HeaderValue = HeaderValue::from_static("identity,deflate,gzip,zstd");

/// Answers one gRPC request.
pub(crate) async fn serve(
    ingest: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Body>, Reset> {
    let (parts, body) = request.into_parts();
    let Some(signal) = Signal::of_grpc_path(parts.uri.path()) else {
        let message = "this sink serves Export of OTLP's services for traces, metrics and logs";
        return Ok(Status::unimplemented(message).into_http());
    };
    let limit = ingest.limits().max_request_bytes;
    let mut share = ingest.share();
    let framed = limit.saturating_add(FRAME_HEADER_BYTES);
    let (message, size) = match collect(body, framed, &mut share).await {
        Ok(body) => {
            let size = body.len();
            (message(&parts.headers, body, limit, share), size)
        }
        Err(BodyError::Refused(refusal)) => (Err(refusal), limit),
        Err(BodyError::Lost) => return Err(Reset),
    };
    if signal != Signal::Traces {
        // An empty message is a success of each service.
        return Ok(match exchange::others(ingest, signal, message).await {
            Ok(()) => success(Bytes::from_static(&[0x0a, 0])),
            Err(refusal) => refused(&refusal),
        });
    }
    let number = ingest.open(&parts, Transport::Grpc, size);
    let plan = ingest.plan(&message);
    if let Reply::HttpStatus(code, _) = plan.reply {
        ingest.answer(number, Answer::Http(code));
        return Ok(not_grpc(code));
    }
    match exchange::traces(ingest, number, Transport::Grpc, plan, message).await {
        Outcome::Success(response) => Ok(success(response.encode_to_vec().into())),
        Outcome::Refused(refusal) => Ok(refused(&refusal)),
        Outcome::Reset => Err(Reset),
        Outcome::Cut => {
            // The headers of a success, and of its message only the frame header.
            let beginning = Bytes::from_static(&[0; FRAME_HEADER_BYTES]);
            Ok(headed(Body::new(TruncatedBody::after(beginning))))
        }
    }
}

/// Returns the message of the only frame.
fn message(
    headers: &HeaderMap,
    body: Bytes,
    limit: usize,
    share: Share,
) -> Result<Message, Refusal> {
    let Some((header, rest)) = body.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return Err(Refusal::broken("expected a gRPC message, found none"));
    };
    let [flag, length @ ..] = *header;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(Refusal::too_large(limit));
    }
    if length != rest.len() {
        let found = rest.len();
        let message = format!("expected one gRPC message of {length} bytes, found {found} bytes");
        return Err(Refusal::broken(message));
    }
    let compression = match flag {
        0 => Compression::Identity,
        1 => {
            let name = headers.get("grpc-encoding");
            let name = name.map_or(Ok(""), |name| name.to_str());
            let known = name.ok().and_then(Compression::named);
            match known.ok_or_else(unsupported_encoding)? {
                Compression::Identity => {
                    let message = "expected grpc-encoding beside a compressed message";
                    return Err(Refusal::broken(message));
                }
                compression => compression,
            }
        }
        _ => {
            return Err(Refusal::broken(
                "expected a gRPC message with the flag 0 or 1",
            ));
        }
    };
    Ok(Message {
        body: body.slice(FRAME_HEADER_BYTES..),
        compression,
        format: Format::Otlp(Media::Protobuf),
        share,
    })
}

/// Returns the refusal of an unknown compression, with the code that gRPC has for it.
fn unsupported_encoding() -> Refusal {
    Refusal {
        code: Code::Unimplemented,
        ..Refusal::unsupported_encoding()
    }
}

/// Returns the status of a refusal, in headers alone.
pub(crate) fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response =
        grpc_status(refusal.code, &refusal.message, refusal.retry).into_http::<Body>();
    response
        .headers_mut()
        .insert("grpc-accept-encoding", ACCEPTED);
    response
}

fn success(message: Bytes) -> Response<Body> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(FRAME_HEADER_BYTES + message.len());
    frame.push(0);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&message);
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let body = Full::new(Bytes::from(frame)).with_trailers(async { Some(Ok(trailers)) });
    headed(Body::new(body))
}

fn headed(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-accept-encoding", ACCEPTED);
    response
}

fn not_grpc(code: u16) -> Response<Body> {
    let body = Body::new(Full::new(Bytes::from(format!("{code}\n"))));
    let mut response = Response::new(body);
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
