//! The attributes, names and status of HTTP spans, by OpenTelemetry's semantic conventions for HTTP spans (1.44.0).
//!
//! | at | SERVER | CLIENT |
//! |---|---|---|
//! | start | method, `http.route`, `url.path`, `url.query`, `url.scheme`, `server.*`, `client.address`, `user_agent.original` | method, `url.template`, `url.full`, `server.*` |
//! | end | `http.response.status_code`, `error.type`, status, `network.*` | the same, `http.request.resend_count` |
//!
//! A span is named `{method} {route}`, and by its method alone where no template of a route matches: the raw path has
//! no bound on its values, and a proxy knows no route by itself (NM-1).

pub(crate) mod forwarded;
pub(crate) mod last_server;
mod url;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::known_text::{self, KnownText};
use super::names::{AttributeKey, AttributeWriter};
use super::response_flags::{self, DOWNSTREAM_GONE};
use crate::headers::{Name, RequestHeaders};
use crate::span::{SpanKind, Status};
use crate::stream_info::outcome::ResponseOutcome;
use forwarded::Forwarded;
use last_server::LastServers;
use url::Url;

/// Returns the name of a span for this request: `{method} {route}`, with `HTTP` for a method that the conventions do
/// not know (NM-2).
#[inline]
pub(crate) fn name(headers: &RequestHeaders<'_>, route: Option<&str>) -> Cow<'static, str> {
    let method = known_method(headers).map_or("HTTP", |method| method.value);
    match route {
        Some(route) => Cow::Owned(alloc::format!("{method} {route}")),
        None => Cow::Borrowed(method),
    }
}

/// Adds the attributes of the request's headers. `secrets` are keys of the query whose values are hidden besides the
/// conventions' own, and `servers` spares the encoding of the last one.
#[inline]
pub(crate) fn describe_request(
    writer: &mut AttributeWriter<'_>,
    headers: &RequestHeaders<'_>,
    forwarded: &Forwarded<'_>,
    route: Option<&str>,
    secrets: &[String],
    servers: &LastServers,
) {
    method(writer, headers);
    let url = Url::new(writer.side.kind, headers, forwarded, secrets);
    match writer.side.kind {
        SpanKind::Server => {
            if let Some(route) = route {
                writer.text(AttributeKey::Route, route.as_bytes());
            }
            url.describe_parts(writer);
            if let Some(address) = forwarded.client() {
                writer.text(AttributeKey::ClientAddress, address);
            }
            if let Some(agent) = headers.first(Name::UserAgent) {
                writer.text(AttributeKey::UserAgent, agent);
            }
        }
        SpanKind::Client => {
            if let Some(route) = route {
                writer.text(AttributeKey::Template, route.as_bytes());
            }
            url.describe_whole(writer);
        }
    }
    url.describe_server(writer, servers);
}

/// Adds the server that a gRPC call is for; the other attributes of a call are added at its end.
#[inline]
pub(crate) fn describe_server(
    writer: &mut AttributeWriter<'_>,
    headers: &RequestHeaders<'_>,
    forwarded: &Forwarded<'_>,
    servers: &LastServers,
) {
    Url::new(writer.side.kind, headers, forwarded, &[]).describe_server(writer, servers);
}

/// Adds the attributes of the response, and returns the status of the span (section 7.4).
#[inline]
pub(crate) fn describe_outcome(
    writer: &mut AttributeWriter<'_>,
    outcome: &ResponseOutcome,
) -> Status {
    let kind = writer.side.kind;
    if let Some(code) = outcome.status_code {
        writer.number(AttributeKey::StatusCode, i64::from(code));
    }
    let flags = outcome.response_flags;
    let failed_code = outcome.status_code.filter(|code| match kind {
        SpanKind::Server => !matches!(code, 100..=499),
        // A code in the place of the proxy's own says less than the flag.
        SpanKind::Client => !matches!(code, 100..=399) && !response_flags::is_renamed(*code, flags),
    });
    if let Some(code) = failed_code {
        writer.text(AttributeKey::ErrorType, &decimal(code));
        return Status::Error;
    }
    match broken_by(kind, outcome) {
        Some(reason) => writer.text(AttributeKey::ErrorType, reason.as_bytes()),
        None => return Status::Unset,
    }
    Status::Error
}

/// Returns the `error.type` of an exchange whose status code tells no failure.
#[inline]
fn broken_by(kind: SpanKind, outcome: &ResponseOutcome) -> Option<&'static str> {
    let (status_code, flags) = (outcome.status_code, outcome.response_flags);
    if flags != 0 {
        let beyond = response_flags::beyond(status_code, flags);
        // A caller that goes away once it has an answer has what it came for; without an answer, the server could not
        // serve it.
        if beyond & DOWNSTREAM_GONE != 0 && (status_code.is_some() || kind == SpanKind::Client) {
            return None;
        }
        let reason = response_flags::broken_by(beyond)
            .or_else(|| response_flags::failure(status_code, flags));
        if reason.is_some() {
            return reason;
        }
    }
    (status_code.is_none() || outcome.is_cut).then_some("_OTHER")
}

#[inline]
fn method(writer: &mut AttributeWriter<'_>, headers: &RequestHeaders<'_>) {
    let original = headers.first(Name::Method);
    match (known_method(headers), original) {
        (Some(method), _) => writer.known(AttributeKey::Method, method),
        // The old conventions have the method as received.
        (None, Some(original)) if !writer.vocabulary.is_stable => {
            writer.text(AttributeKey::Method, original);
        }
        (None, original) => {
            writer.text(AttributeKey::Method, b"_OTHER");
            if let Some(original) = original {
                writer.text(AttributeKey::MethodOriginal, original);
            }
        }
    }
}

/// Returns the method if the conventions know it.
#[inline]
fn known_method(headers: &RequestHeaders<'_>) -> Option<&'static KnownText> {
    known_text::method(headers.first(Name::Method)?)
}

/// Returns a status code as text.
#[inline]
fn decimal(code: u16) -> Vec<u8> {
    alloc::format!("{code}").into_bytes()
}

#[cfg(test)]
mod tests;
