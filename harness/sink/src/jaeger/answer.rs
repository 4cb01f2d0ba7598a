//! The answers: Jaeger's envelope around data or errors, and bodies that are made while they are read.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tonic::body::Body;

use crate::api::Produced;

/// Returns data in the envelope of `/api/…`.
pub(super) fn data(data: impl Serialize, total: usize) -> Response<Body> {
    let data = serde_json::to_value(data).unwrap_or_default();
    let value = json!({"data": data, "total": total, "limit": 0, "offset": 0, "errors": null});
    value_of(StatusCode::OK, &value)
}

/// Returns an error in the envelope of `/api/…`.
pub(super) fn error(status: StatusCode, cause: &str) -> Response<Body> {
    let errors = json!([{"code": status.as_u16(), "msg": cause}]);
    let value = json!({"data": null, "total": 0, "limit": 0, "offset": 0, "errors": errors});
    value_of(status, &value)
}

/// Returns what stands behind the data in the envelope of `/api/…`, with the errors.
pub(super) fn behind_data(errors: &[Value]) -> String {
    let errors = match errors {
        [] => Value::Null,
        errors => Value::from(errors),
    };
    format!(r#"],"total":0,"limit":0,"offset":0,"errors":{errors}}}"#)
}

/// Returns an error in the words of `/api/v3/…`.
pub(super) fn v3_error(status: StatusCode, cause: &str) -> Response<Body> {
    let value = json!({"error": {"httpCode": status.as_u16(), "message": cause}});
    value_of(status, &value)
}

/// Returns the error of a method that is not served.
pub(super) fn not_allowed() -> Response<Body> {
    let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "this path takes GET, HEAD");
    let allowed = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// Returns a value with a status.
pub(super) fn value_of(status: StatusCode, value: &Value) -> Response<Body> {
    let body = Body::new(Full::new(Bytes::from(value.to_string())));
    let mut response = json_of(body);
    *response.status_mut() = status;
    response
}

/// Returns a body that is made while it is read.
pub(super) fn stream(body: Produced) -> Response<Body> {
    json_of(Body::new(body))
}

fn json_of(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let media = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}
