//! Header fields between this program and HTTP/2: as they are, pseudo headers first.

use anyhow::Context;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::http::{self, HeaderMap, HeaderName, HeaderValue, Uri, request, response};
use sidespan_host::Headers;

use crate::run::passed::Fields;

/// Returns the request of these headers.
///
/// # Errors
/// A header that HTTP/2 cannot carry.
pub(super) fn request(headers: &Headers) -> anyhow::Result<http::Request<()>> {
    let text = |name: &str| headers.text(name).unwrap_or_default();
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(Scheme::try_from(text(":scheme").as_str())?);
    uri.authority = Some(Authority::try_from(text(":authority").as_str())?);
    let path = text(":path");
    uri.path_and_query =
        Some(PathAndQuery::try_from(path.as_str()).with_context(|| format!("`path: {path}`"))?);
    let mut request = http::Request::builder()
        .method(text(":method").as_str())
        .uri(Uri::from_parts(uri)?)
        .version(http::Version::HTTP_2)
        .body(())?;
    *request.headers_mut() = map(headers)?;
    Ok(request)
}

/// Returns the response of these headers.
///
/// # Errors
/// A header that HTTP/2 cannot carry.
pub(super) fn response(headers: &Headers) -> anyhow::Result<http::Response<()>> {
    let status = headers.text(":status").unwrap_or_default();
    let mut response = http::Response::builder()
        .status(status.as_str())
        .version(http::Version::HTTP_2)
        .body(())
        .with_context(|| format!("`status: {status}`"))?;
    *response.headers_mut() = map(headers)?;
    Ok(response)
}

/// Returns all fields but the pseudo headers.
///
/// # Errors
/// A header that HTTP/2 cannot carry.
pub(super) fn map(headers: &Headers) -> anyhow::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter() {
        let shown = String::from_utf8_lossy(name);
        if !name.starts_with(b":") {
            let context = || format!("the header {shown} cannot be sent by HTTP/2");
            map.append(
                HeaderName::from_bytes(name).with_context(context)?,
                HeaderValue::from_bytes(value).with_context(context)?,
            );
        }
    }
    Ok(map)
}

/// Returns the fields of a request.
pub(super) fn of_request(parts: &request::Parts) -> Fields {
    let uri = &parts.uri;
    let part = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let mut all = vec![part(":method", parts.method.as_str())];
    // A request without authority has no whole URI, in which alone the scheme is kept.
    all.push(part(":scheme", uri.scheme_str().unwrap_or("http")));
    all.extend(uri.authority().map(|it| part(":authority", it.as_str())));
    all.extend(uri.path_and_query().map(|it| part(":path", it.as_str())));
    all.extend(fields(&parts.headers));
    all
}

/// Returns the fields of a response.
pub(super) fn of_response(parts: &response::Parts) -> Fields {
    let status = (
        ":status".to_owned(),
        parts.status.as_str().as_bytes().to_vec(),
    );
    let mut all = vec![status];
    all.extend(fields(&parts.headers));
    // Envoy writes the time of day behind all filters.
    all.retain(|(name, _)| name != "date");
    all
}

/// Returns the fields of a map.
pub(super) fn fields(map: &HeaderMap) -> Fields {
    map.iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}
