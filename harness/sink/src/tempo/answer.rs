//! The answers of the API: JSON, protobuf, and errors as a line of text, as Tempo has them.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::Value;
use tonic::body::Body;

const TEXT: &str = "text/plain; charset=utf-8";

/// Returns a value as JSON.
pub(super) fn json(value: &Value) -> Response<Body> {
    respond(StatusCode::OK, "application/json", value.to_string().into())
}

/// Returns a message of protobuf.
pub(super) fn protobuf(message: Bytes) -> Response<Body> {
    respond(StatusCode::OK, "application/protobuf", message)
}

/// Returns a line of text.
pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    respond(status, TEXT, text.into().into())
}

/// Returns the error of a method that no path takes.
pub(super) fn not_allowed() -> Response<Body> {
    let mut response = text(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path takes GET and HEAD",
    );
    let allowed = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allowed);
    response
}

fn respond(status: StatusCode, media: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(body)));
    *response.status_mut() = status;
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}
