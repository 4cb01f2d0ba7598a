//! The answers to a browser that asks for the page: the document at its addresses, each file at its own.

use std::hash::{DefaultHasher, Hash, Hasher};

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use tonic::body::Body;

use super::files::{DOCUMENT, File, file};

/// The policy of the document: scripts, styles and data of this origin alone. The hash is of the import map, the one inline
/// script; a test holds it.
pub(super) const POLICY: &str = "default-src 'none'; \
script-src 'self' 'sha256-2qT5VQ64QSeGtAh1Kx4drNAw6RMr34MHO2snsnZJmmA='; worker-src 'self'; style-src 'self'; \
img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a request for the page; `None` if its path is not the page's, or its method no reader's.
pub(crate) fn serve(request: &Parts) -> Option<Response<Body>> {
    let path = request.uri.path();
    let file = file(path)?;
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    match (is_read, file) {
        (true, Some(file)) => Some(found(request, file)),
        (true, None) => Some(text(StatusCode::NOT_FOUND, "404 the page has no such file")),
        // What is posted to the root is a sender's mistake, which has an answer of its own.
        (false, _) if path == "/" => None,
        (false, _) => {
            let mut answer = text(
                StatusCode::METHOD_NOT_ALLOWED,
                "405 method not allowed, supported: [GET, HEAD]",
            );
            let headers = answer.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            Some(answer)
        }
    }
}

fn found(request: &Parts, file: &File) -> Response<Body> {
    let tag = tag(file.bytes);
    let known = request.headers.get(IF_NONE_MATCH);
    let is_known = known
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let mut answer = Response::new(match is_known {
        true => Body::empty(),
        false => Body::new(Full::new(Bytes::from_static(file.bytes))),
    });
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(CONTENT_TYPE, file.media);
    // Asked for again each time, because the next version of the program has other files at the same addresses.
    set(CACHE_CONTROL, "no-cache");
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    if std::ptr::eq(file, &raw const DOCUMENT) {
        set(CONTENT_SECURITY_POLICY, POLICY);
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    answer
}

/// Returns the tag of a content, which is the same in every run of one program.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn text(status: StatusCode, line: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::new(Full::new(Bytes::from_static(line.as_bytes()))));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}
