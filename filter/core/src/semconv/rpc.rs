//! The attributes, names and status of gRPC spans, by OpenTelemetry's semantic conventions for RPC (1.44.0, a release
//! candidate).
//!
//! The conventions demand `_OTHER` for a method that is not known to exist on the server. A proxy never knows, so a
//! path of the form of a method is taken as one; on a SERVER span the method is `_OTHER` where the server says UNIMPLEMENTED, or
//! answers without a status, and so is no gRPC server (RP-3): otherwise any caller of any HTTP service could make as many names
//! as it has paths. On CLIENT spans, and on SERVER spans that no server has answered, nothing but the length bounds the names.

use super::names::{AttributeKey, AttributeWriter};
use super::response_flags::{self, DOWNSTREAM_GONE};
use crate::codec::scan;
use crate::span::{SpanKind, Status};
use crate::stream_info::outcome::ResponseOutcome;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Returns true if a content type is gRPC's. `application/grpc-web` is not, because that is HTTP to every proxy but the
/// one that translates it.
#[inline]
pub(crate) fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest, [] | [b'+' | b';', ..]))
}

/// The method of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// A method of the form `pkg.Service/Method`.
    Named(String),
    /// A path that is no method.
    Other(Vec<u8>),
}

impl Method {
    /// Returns the method of a path, which is `/pkg.Service/Method`.
    #[inline]
    pub(crate) fn of_path(path: &[u8]) -> Self {
        let original = path.strip_prefix(b"/").unwrap_or(path);
        let is_part = |part: &[u8]| {
            !part.is_empty()
                && part
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
        };
        let mut parts = scan::split(original, b'/');
        let is_named = original.len() < path.len()
            && original.len() <= MAX_NAME
            && parts.next().is_some_and(is_part)
            && parts.next().is_some_and(is_part)
            && parts.next().is_none();
        match core::str::from_utf8(original) {
            Ok(text) if is_named => Self::Named(text.into()),
            _ => Self::Other(original.to_vec()),
        }
    }

    /// Returns the span's name (RP-2).
    #[inline]
    pub(crate) fn span_name(&self) -> Cow<'static, str> {
        match self {
            Self::Named(name) => Cow::Owned(name.clone()),
            Self::Other(_) => Cow::Borrowed("grpc"),
        }
    }

    #[inline]
    fn describe(&self, writer: &mut AttributeWriter<'_>) {
        let (name, original) = match self {
            Self::Named(name) => (name.as_str(), None),
            Self::Other(original) => ("_OTHER", Some(original)),
        };
        if writer.vocabulary.is_old && !writer.vocabulary.omits(AttributeKey::RpcMethod) {
            let (service, method) = name.split_once('/').unwrap_or(("", name));
            if !service.is_empty() {
                writer.out.text("rpc.service", service.as_bytes());
            }
            if !writer.vocabulary.is_stable {
                writer.out.text("rpc.method", method.as_bytes());
            }
        }
        writer.text(AttributeKey::RpcMethod, name.as_bytes());
        // The original method is a path, so `spans.omit` treats it like a path.
        if let Some(original) = original.filter(|_| !writer.vocabulary.omits(AttributeKey::Path)) {
            writer.text(AttributeKey::RpcMethodOriginal, original);
        }
    }
}

/// Returns true if a status is the server's own fault (RP-4), as one is that cannot be read.
#[inline]
pub(crate) fn is_servers_failure(digits: &[u8]) -> bool {
    let code = decimal(digits).map_or(Code::Missing, Code::Number);
    code.is_failure(SpanKind::Server)
}

/// The status of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// A number; numbers up to 16 have names.
    Number(u32),
    /// A status that is missing or not readable.
    Missing,
}

impl Code {
    /// Returns the status of `grpc-status`, or a substitute on this side where there is none (RP-6, RP-7).
    #[inline]
    fn of(kind: SpanKind, outcome: &ResponseOutcome) -> Self {
        if let Some(number) = outcome.grpc_status.as_deref().and_then(decimal) {
            return Self::Number(number);
        }
        if outcome.response_flags & DOWNSTREAM_GONE != 0 {
            return Self::Number(CANCELLED);
        }
        if response_flags::broken_by(outcome.response_flags).is_some() {
            return Self::Number(UNAVAILABLE);
        }
        match (kind, outcome.status_code) {
            (SpanKind::Server, _) => Self::Missing,
            (SpanKind::Client, Some(400 | 431)) => Self::Number(INTERNAL),
            (SpanKind::Client, Some(401)) => Self::Number(UNAUTHENTICATED),
            (SpanKind::Client, Some(403)) => Self::Number(PERMISSION_DENIED),
            (SpanKind::Client, Some(404)) => Self::Number(UNIMPLEMENTED),
            (SpanKind::Client, Some(429 | 502..=504) | None) => Self::Number(UNAVAILABLE),
            (SpanKind::Client, Some(_)) => Self::Number(UNKNOWN),
        }
    }

    /// Returns true if the span failed: a client with everything but OK, a server with its own faults (RP-4).
    #[inline]
    fn is_failure(self, kind: SpanKind) -> bool {
        match (self, kind) {
            (Self::Number(OK), _) => false,
            (Self::Missing, _) | (Self::Number(_), SpanKind::Client) => true,
            (Self::Number(number), SpanKind::Server) => {
                matches!(
                    number,
                    UNKNOWN | 4 | UNIMPLEMENTED | INTERNAL | UNAVAILABLE | 15
                ) || number > 16
            }
        }
    }
}

/// Adds the attributes of a call at its end, and returns the status and the name of the span.
#[inline]
pub(crate) fn describe_outcome(
    writer: &mut AttributeWriter<'_>,
    method: &Method,
    outcome: &ResponseOutcome,
) -> (Status, Cow<'static, str>) {
    let kind = writer.side.kind;
    let code = Code::of(kind, outcome);
    let is_unknown = matches!(code, Code::Number(UNIMPLEMENTED) | Code::Missing);
    let unknown = match method {
        Method::Named(name) if kind == SpanKind::Server && is_unknown => {
            Some(Method::Other(name.clone().into_bytes()))
        }
        _ => None,
    };
    let method = unknown.as_ref().unwrap_or(method);
    writer.text(AttributeKey::RpcSystem, b"grpc");
    method.describe(writer);
    if let Some(status) = outcome.status_code {
        writer.number(AttributeKey::StatusCode, i64::from(status));
    }
    if let Code::Number(number) = code {
        writer.text(AttributeKey::RpcStatus, code_name(number).as_bytes());
        if writer.vocabulary.is_old && !writer.vocabulary.omits(AttributeKey::RpcStatus) {
            writer.out.number("rpc.grpc.status_code", i64::from(number));
        }
    }
    let name = method.span_name();
    let is_abandoned =
        outcome.grpc_status.is_none() && outcome.response_flags & DOWNSTREAM_GONE != 0;
    let failed_as = response_flags::failure(outcome.status_code, outcome.response_flags)
        .filter(|_| !code.is_failure(kind));
    let is_failure = match kind {
        // A caller that goes away is no failure of the caller's own, and a failure of the server only before a response
        // has begun.
        SpanKind::Client if is_abandoned => false,
        SpanKind::Server if is_abandoned => outcome.status_code.is_none(),
        _ => code.is_failure(kind) || failed_as.is_some(),
    };
    if !is_failure {
        return (Status::Unset, name);
    }
    if let Some(reason) = failed_as {
        writer.text(AttributeKey::ErrorType, reason.as_bytes());
        return (Status::Error, name);
    }
    let broken = response_flags::broken_by(outcome.response_flags);
    match (code, outcome.grpc_status.is_some(), broken) {
        (Code::Number(number), true, _) | (Code::Number(number), false, None) => {
            writer.text(AttributeKey::ErrorType, code_name(number).as_bytes());
        }
        (_, _, Some(reason)) => writer.text(AttributeKey::ErrorType, reason.as_bytes()),
        (Code::Missing, _, None) => match outcome.status_code {
            Some(status @ 400..) => {
                writer.text(
                    AttributeKey::ErrorType,
                    alloc::format!("{status}").as_bytes(),
                );
            }
            _ => writer.text(AttributeKey::ErrorType, b"_OTHER"),
        },
    }
    (Status::Error, name)
}

/// Parses a decimal number without leading zeros (gRPC over HTTP/2, "Status").
#[inline]
fn decimal(digits: &[u8]) -> Option<u32> {
    let is_plain = match digits {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    core::str::from_utf8(digits)
        .ok()
        .filter(|_| is_plain)?
        .parse()
        .ok()
}

/// Returns the name of a code, and the number of an unknown one (RP-9).
#[inline]
fn code_name(number: u32) -> Cow<'static, str> {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    usize::try_from(number)
        .ok()
        .and_then(|at| NAMES.get(at))
        .map_or_else(
            || Cow::Owned(alloc::format!("{number}")),
            |name| Cow::Borrowed(*name),
        )
}

/// Length beyond which a name is no name, because no attribute is longer (RS-5).
const MAX_NAME: usize = 1024;
const OK: u32 = 0;
const CANCELLED: u32 = 1;
const UNKNOWN: u32 = 2;
const PERMISSION_DENIED: u32 = 7;
const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;
const UNAVAILABLE: u32 = 14;
const UNAUTHENTICATED: u32 = 16;

#[cfg(test)]
mod tests;
