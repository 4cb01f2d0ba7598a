//! What HTTP says, as OpenTelemetry's semantic conventions for HTTP spans (1.44.0) name it.
//!
//! | at | SERVER | CLIENT |
//! |---|---|---|
//! | start | method, `url.path`, `url.query`, `url.scheme`, `server.*`, `client.address`, `user_agent.original` | method, `url.full`, `server.*` |
//! | end | `http.response.status_code`, `error.type`, status | the same |
//!
//! A span is named by its method alone: the raw path has no bound on its values, and a proxy knows no route. Values of
//! query keys that carry signatures leave as `REDACTED`.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::headers::{Name, RequestHeaders};
use crate::span::{Attributes, SpanKind, Status};

/// How a stream ended, as the proxy tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// The status code of the response, if one was begun.
    pub status_code: Option<u16>,
    /// Envoy's response flags as one number (`response.flags`).
    pub response_flags: u64,
}

/// The name of a span for this request: `{method}`, with `HTTP` for a method that the conventions do not know.
pub fn name(headers: &RequestHeaders<'_>) -> Cow<'static, str> {
    Cow::Borrowed(known_method(headers).unwrap_or("HTTP"))
}

/// Adds what is known when the request's headers arrive.
pub fn describe_request(attributes: &mut Attributes, kind: SpanKind, headers: &RequestHeaders<'_>) {
    method(attributes, headers);
    let scheme = scheme(headers);
    let target = headers.first(Name::Path).unwrap_or_default();
    let (path, query) = split_target(target);
    match kind {
        SpanKind::Server => {
            attributes.text("url.path", path);
            if let Some(query) = query.filter(|query| !query.is_empty()) {
                attributes.text("url.query", &redact(query));
            }
            attributes.text("url.scheme", scheme);
            server(attributes, headers, scheme);
            if let Some(address) = client_address(headers) {
                attributes.text("client.address", address);
            }
            if let Some(agent) = headers.first(Name::UserAgent) {
                attributes.text("user_agent.original", agent);
            }
        }
        SpanKind::Client => {
            attributes.text("url.full", &full_url(headers, scheme, path, query));
            server(attributes, headers, scheme);
        }
    }
}

/// Adds what the end tells, and says whether the span failed.
pub fn describe_ending(attributes: &mut Attributes, kind: SpanKind, ending: Ending) -> Status {
    if let Some(code) = ending.status_code {
        attributes.number("http.response.status_code", i64::from(code));
    }
    let failed_code = ending.status_code.filter(|code| match kind {
        SpanKind::Server => !matches!(code, 100..=499),
        SpanKind::Client => !matches!(code, 100..=399),
    });
    if let Some(code) = failed_code {
        attributes.text("error.type", &decimal(code));
        return Status::Error;
    }
    // A caller that goes away once it has an answer has what it came for; without one, the server could not serve it.
    let flag = ending.response_flags;
    if flag & DOWNSTREAM_GONE != 0 && (ending.status_code.is_some() || kind == SpanKind::Client) {
        return Status::Unset;
    }
    match broken_by(flag) {
        Some(reason) => attributes.text("error.type", reason.as_bytes()),
        None if ending.status_code.is_none() => attributes.text("error.type", b"_OTHER"),
        None => return Status::Unset,
    }
    Status::Error
}

fn method(attributes: &mut Attributes, headers: &RequestHeaders<'_>) {
    match known_method(headers) {
        Some(method) => attributes.text("http.request.method", method.as_bytes()),
        None => {
            attributes.text("http.request.method", b"_OTHER");
            if let Some(method) = headers.first(Name::Method) {
                attributes.text("http.request.method_original", method);
            }
        }
    }
}

/// RFC 9110's methods, PATCH of RFC 5789, and QUERY; compared with case, as methods are.
fn known_method(headers: &RequestHeaders<'_>) -> Option<&'static str> {
    const KNOWN: [&str; 10] = [
        "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT", "TRACE", "QUERY",
    ];
    let method = headers.first(Name::Method)?;
    KNOWN.into_iter().find(|known| known.as_bytes() == method)
}

/// What the caller used, before proxies in front of this one ended its encryption.
fn scheme<'a>(headers: &RequestHeaders<'a>) -> &'a [u8] {
    headers
        .first(Name::ForwardedProto)
        .or(headers.first(Name::Scheme))
        .unwrap_or(b"http")
}

/// The path, and the query if there is one; a fragment, which must not be there, is left out.
pub(crate) fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = target.splitn(2, |byte| *byte == b'#');
    let target = parts.next().unwrap_or_default();
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

fn server(attributes: &mut Attributes, headers: &RequestHeaders<'_>, scheme: &[u8]) {
    let Some(authority) = headers
        .first(Name::Authority)
        .filter(|text| !text.is_empty())
    else {
        return;
    };
    let (address, port) = split_authority(authority);
    attributes.text("server.address", address);
    let port = match port {
        Some(digits) => core::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse::<u16>().ok()),
        None => match scheme {
            b"http" => Some(80),
            b"https" => Some(443),
            _ => None,
        },
    };
    if let Some(port) = port {
        attributes.number("server.port", i64::from(port));
    }
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`; user information, which must not be there, is left out.
fn split_authority(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let host = match authority.iter().rposition(|byte| *byte == b'@') {
        Some(at) => authority.get(at.saturating_add(1)..).unwrap_or_default(),
        None => authority,
    };
    if let Some(inside) = host.strip_prefix(b"[") {
        let mut parts = inside.splitn(2, |byte| *byte == b']');
        let address = parts.next().unwrap_or_default();
        return (
            address,
            parts.next().and_then(|rest| rest.strip_prefix(b":")),
        );
    }
    match host.iter().rposition(|byte| *byte == b':') {
        Some(colon) => {
            let (address, port) = host.split_at_checked(colon).unwrap_or((host, b""));
            (address, port.strip_prefix(b":"))
        }
        None => (host, None),
    }
}

fn client_address<'a>(headers: &RequestHeaders<'a>) -> Option<&'a [u8]> {
    let forwarded = headers.first(Name::ForwardedFor)?;
    let first = forwarded.split(|byte| *byte == b',').next()?;
    Some(crate::headers::trim(first)).filter(|address| !address.is_empty())
}

fn full_url(
    headers: &RequestHeaders<'_>,
    scheme: &[u8],
    path: &[u8],
    query: Option<&[u8]>,
) -> Vec<u8> {
    let authority = headers.first(Name::Authority).unwrap_or_default();
    let mut url = Vec::new();
    url.extend_from_slice(scheme);
    url.extend_from_slice(b"://");
    match authority.iter().rposition(|byte| *byte == b'@') {
        Some(at) => {
            url.extend_from_slice(b"REDACTED:REDACTED");
            url.extend_from_slice(authority.get(at..).unwrap_or_default());
        }
        None => url.extend_from_slice(authority),
    }
    url.extend_from_slice(path);
    if let Some(query) = query {
        url.push(b'?');
        url.extend_from_slice(&redact(query));
    }
    url
}

/// The query with the values of the conventions' secret keys replaced; keys match in their literal spelling.
fn redact(query: &[u8]) -> Cow<'_, [u8]> {
    if !query.split(|byte| *byte == b'&').any(is_secret) {
        return Cow::Borrowed(query);
    }
    let mut out = Vec::with_capacity(query.len());
    for (index, pair) in query.split(|byte| *byte == b'&').enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        if is_secret(pair) {
            out.extend_from_slice(key_of(pair));
            out.extend_from_slice(b"=REDACTED");
        } else {
            out.extend_from_slice(pair);
        }
    }
    Cow::Owned(out)
}

fn is_secret(pair: &[u8]) -> bool {
    let key = key_of(pair);
    key.len() < pair.len() && SECRET_KEYS.iter().any(|secret| secret.as_bytes() == key)
}

fn key_of(pair: &[u8]) -> &[u8] {
    pair.split(|byte| *byte == b'=').next().unwrap_or_default()
}

/// The conventions' own list (`url.query`), with the two that were added to it after 1.44.0.
const SECRET_KEYS: [&str; 7] = [
    "AWSAccessKeyId",
    "Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Goog-Signature",
    "sig",
];

/// What broke the exchange, by Envoy's response flags; the first that is set, from the most telling on.
fn broken_by(flags: u64) -> Option<&'static str> {
    RESPONSE_FLAGS
        .iter()
        .find(|(bit, _)| flags & bit != 0)
        .map(|(_, name)| *name)
}

/// The connection ended (DC), or on HTTP/2 and later the one stream was reset (DR).
const DOWNSTREAM_GONE: u64 = 0x4000 | 0x1000_0000;

/// Envoy's `CoreResponseFlag`, by its bit in `response.flags`. UH, UF, UO, … are the access log's names for them.
const RESPONSE_FLAGS: [(u64, &str); 25] = [
    (0x2, "no_healthy_upstream"),
    (0x20, "upstream_connect_failure"),
    (0x80, "upstream_overflow"),
    (0x100, "no_route"),
    (0x100_0000, "no_cluster"),
    (0x8000, "retry_limit"),
    (0x4, "upstream_timeout"),
    (0x8_0000, "upstream_timeout"),
    (0x40_0000, "upstream_timeout"),
    (0x40, "upstream_reset"),
    (0x10, "upstream_remote_reset"),
    (0x80_0000, "upstream_protocol_error"),
    (0x400_0000, "dns_failure"),
    (0x8, "local_reset"),
    (0x4000, "downstream_reset"),
    (0x1000_0000, "downstream_reset"),
    (0x1_0000, "stream_idle_timeout"),
    (0x4_0000, "downstream_protocol_error"),
    (0x2_0000, "downstream_protocol_error"),
    (0x800, "rate_limited"),
    (0x2000, "rate_limit_service_error"),
    (0x1000, "ext_authz_denied"),
    (0x200_0000, "overload_manager"),
    (0x800_0000, "overload_drop"),
    (0x2000_0000, "overload_drop"),
];

/// A status code as text.
fn decimal(code: u16) -> Vec<u8> {
    let mut digits = Vec::with_capacity(5);
    let mut rest = code;
    while rest > 0 || digits.is_empty() {
        let [low, _] = (rest % 10).to_le_bytes();
        digits.insert(0, low | b'0');
        rest /= 10;
    }
    digits
}

#[cfg(test)]
mod tests;
