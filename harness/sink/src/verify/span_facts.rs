//! What a span says of its service, of whom it calls, and of the tracer that made it.
//!
//! Names are those of the semantic conventions, stable and old, and the tags of Envoy's own tracers.

use std::net::IpAddr;

use crate::store::{SpanKind, StatusCode, StoredSpan, Value};

/// A tracer, as far as the formats matter that it reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tracer {
    /// Sidespan's filter, which reads and writes what it is configured for, by default all formats and W3C with B3.
    Sidespan,
    /// Envoy's OpenTelemetry tracer: W3C alone.
    EnvoyW3c,
    /// Envoy's Zipkin tracer: B3, W3C only where it is told.
    EnvoyB3,
    /// A library or anything else, as a rule with W3C.
    Other,
}

impl Tracer {
    /// Returns the tracer of a span.
    pub(super) fn of(span: &StoredSpan) -> Self {
        if span.scope.name == "sidespan" || span.attribute("sidespan.decision").is_some() {
            return Self::Sidespan;
        }
        let is_proxy = text(span, &["component"]) == Some("proxy");
        match (is_proxy, span.attribute("upstream_cluster").is_some()) {
            // Envoy sends OTLP with a resource of its own and Zipkin's spans, which say no version, with a name alone.
            (true, _) | (_, true) if has_sdk(span) => Self::EnvoyW3c,
            (true, _) => Self::EnvoyB3,
            _ => Self::Other,
        }
    }

    /// Returns what the tracer is called in a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sidespan => "Sidespan",
            Self::EnvoyW3c => "Envoy's OpenTelemetry tracer (W3C only)",
            Self::EnvoyB3 => "Envoy's Zipkin tracer (B3)",
            Self::Other => "another tracer",
        }
    }
}

fn has_sdk(span: &StoredSpan) -> bool {
    let keys = ["telemetry.sdk.name", "telemetry.sdk.language"];
    keys.iter()
        .any(|key| span.resource.attribute(key).is_some())
}

/// Returns the service that made a span; `None` where it says none, or the default of an SDK that was told none.
pub(super) fn service(span: &StoredSpan) -> Option<&str> {
    let name = span.service();
    (!name.is_empty() && name != "unknown_service" && !name.starts_with("unknown_service:"))
        .then_some(name)
}

/// Returns the service that made a span, for a message.
pub(super) fn shown_service(span: &StoredSpan) -> &str {
    match span.service() {
        "" => "unknown_service",
        name => name,
    }
}

/// Returns a name without namespace, domain and port: `pay` for `pay.shop.svc.cluster.local:80`.
pub(super) fn label(name: &str) -> &str {
    let end = name.find(['.', ':']).unwrap_or(name.len());
    name.get(..end).unwrap_or(name)
}

/// Returns the name that a span calls; `None` where it says an address or nothing.
pub(super) fn callee(span: &StoredSpan) -> Option<&str> {
    let named = text(span, &["service.peer.name", "peer.service"]);
    let host = || text(span, &["server.address", "net.peer.name"]);
    let cluster = || {
        let cluster = text(span, &["upstream_cluster.name", "upstream_cluster"])?;
        cluster.rsplit('|').next()
    };
    let url = || {
        let url = text(span, &["url.full", "http.url"])?;
        let rest = url.split_once("://")?.1;
        rest.split(['/', '?', '#']).next()
    };
    [named, host(), cluster(), url()]
        .into_iter()
        .flatten()
        .find(|name| is_name(name))
}

/// Returns the name of the host that a request asks for, by either of its sides; `None` where it is an address.
pub(super) fn host(span: &StoredSpan) -> Option<&str> {
    text(span, &["server.address", "net.peer.name", "net.host.name"]).filter(|name| is_name(name))
}

fn is_name(host: &str) -> bool {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => host,
    };
    let bare = bare.trim_matches(['[', ']']);
    !bare.is_empty() && label(bare) != "localhost" && bare.parse::<IpAddr>().is_err()
}

/// Returns true if two spans may be the two sides of one request: method and path do not contradict.
pub(super) fn is_same_request(one: &StoredSpan, other: &StoredSpan) -> bool {
    let agree = |a: Option<&str>, b: Option<&str>| a.is_none() || b.is_none() || a == b;
    agree(method(one), method(other))
        && agree(path(one), path(other))
        && agree(rpc(one), rpc(other))
}

/// Returns true if two spans may be the two sides of a request whose path a gateway changed: it took a prefix off or put one
/// in front.
pub(super) fn may_be_rewritten(one: &StoredSpan, other: &StoredSpan) -> bool {
    let agree = method(one).zip(method(other)).is_none_or(|(a, b)| a == b);
    let ends_alike = |(a, b): (&str, &str)| a.ends_with(b) || b.ends_with(a);
    agree && path(one).zip(path(other)).is_none_or(ends_alike)
}

/// Returns true if two spans name the same method and path, or the same procedure.
pub(super) fn is_surely_same_request(one: &StoredSpan, other: &StoredSpan) -> bool {
    let same = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
    is_same_request(one, other) && (same(path(one), path(other)) || same(rpc(one), rpc(other)))
}

fn method(span: &StoredSpan) -> Option<&str> {
    text(span, &["http.request.method", "http.method"])
}

fn rpc(span: &StoredSpan) -> Option<&str> {
    text(span, &["rpc.method", "grpc.path"])
}

fn path(span: &StoredSpan) -> Option<&str> {
    let target = || {
        let target = text(span, &["http.target"])?;
        target.split(['?', '#']).next()
    };
    let url = || {
        let url = text(span, &["url.full", "http.url"])?;
        let rest = url.split_once("://")?.1;
        let path = rest.get(rest.find('/')?..)?;
        path.split(['?', '#']).next()
    };
    text(span, &["url.path"]).or_else(target).or_else(url)
}

/// Returns the reason of a decision that Sidespan took by itself; `None` where it took the caller's, or another made the
/// span.
pub(super) fn own_decision(span: &StoredSpan) -> Option<&str> {
    text(span, &["sidespan.decision"]).filter(|reason| !matches!(*reason, "received" | "debug"))
}

/// Returns true if a span was exported although its trace was not sampled.
pub(super) fn is_kept(span: &StoredSpan) -> bool {
    span.attribute("sidespan.kept").is_some()
}

/// Returns true if the call of a span was answered by its callee, as far as the span tells.
pub(super) fn is_answered(span: &StoredSpan) -> bool {
    let flags = text(span, &["sidespan.response_flags", "response_flags"]);
    span.status.code != StatusCode::Error
        && flags.is_none_or(|flags| matches!(flags, "" | "-"))
        && span.attribute("error.type").is_none()
}

/// Returns true if a proxy says that a call never left it.
pub(super) fn is_unsent(span: &StoredSpan) -> bool {
    let flags = text(span, &["sidespan.response_flags", "response_flags"]).unwrap_or_default();
    flags.split(',').any(|flag| UNSENT.contains(&flag))
}

/// Envoy's flags of requests that no upstream has seen: none healthy, no connection, too many, no route, no cluster, limited,
/// not authorized, no name, a fault that is injected.
const UNSENT: [&str; 10] = [
    "UH", "UF", "UO", "NR", "NC", "RL", "RLSE", "UAEX", "DF", "FI",
];

/// Returns true for the side that asks.
pub(super) fn is_caller(span: &StoredSpan) -> bool {
    matches!(span.kind, SpanKind::Client | SpanKind::Producer)
}

/// Returns true for the side that is asked.
pub(super) fn is_called(span: &StoredSpan) -> bool {
    matches!(span.kind, SpanKind::Server | SpanKind::Consumer)
}

/// Returns the first text among these attributes of a span.
pub(super) fn text<'a>(span: &'a StoredSpan, keys: &[&str]) -> Option<&'a str> {
    keys.iter()
        .find_map(|key| span.attribute(key).and_then(Value::as_str))
        .filter(|text| !text.is_empty())
}
