//! Answers in JSON, as the API's: not to be taken for anything else by a browser.

use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tonic::body::Body;

/// Returns a value with a status.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::new(Full::new(value.to_string().into())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
