//! The answers of the API: JSON, and errors as `{"error":"…"}`.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tonic::body::Body;

use super::produced::Produced;

/// Returns a value with a status.
pub(super) fn value(status: StatusCode, value: &Value) -> Response<Body> {
    let body = Body::new(Full::new(Bytes::from(value.to_string())));
    respond(status, "application/json", body)
}

/// Returns text that is JSON already.
pub(super) fn json(text: Vec<u8>) -> Response<Body> {
    let body = Body::new(Full::new(Bytes::from(text)));
    respond(StatusCode::OK, "application/json", body)
}

/// Returns an error with its cause.
pub(super) fn error(status: StatusCode, cause: &str) -> Response<Body> {
    value(status, &json!({ "error": cause }))
}

/// Returns the error of a method that a path does not take.
pub(super) fn not_allowed(allowed: &'static str) -> Response<Body> {
    let cause = format!("this path takes {allowed}");
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, &cause);
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// Returns a body that is made while it is read.
pub(super) fn stream(media: &'static str, body: Produced) -> Response<Body> {
    respond(StatusCode::OK, media, Body::new(body))
}

fn respond(status: StatusCode, media: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}
