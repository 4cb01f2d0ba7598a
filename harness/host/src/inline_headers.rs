//! The headers that Envoy keeps once in a map, and joins with a comma where a second one comes; and `host`, which is
//! `:authority` to Envoy.
//!
//! The lists were read off Envoy 1.40, for each kind of map. `cookie`, `set-cookie`, `traceparent` and `x-b3-*` are not in
//! them, and neither is a name that Envoy does not know.

use std::borrow::Cow;

use crate::abi_types::MapType;
use crate::headers::Headers;

/// The names that Envoy joins in request headers, sorted.
const REQUEST: &[&str] = &[
    ":authority",
    ":method",
    ":path",
    ":protocol",
    ":scheme",
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "authentication",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "pragma",
    "proxy-connection",
    "proxy-status",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-is-timeout-retry",
    "x-envoy-max-retries",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-envoy-original-url",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

/// The names that Envoy joins in response headers, sorted.
const RESPONSE: &[&str] = &[
    ":status",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expires",
    "grpc-message",
    "grpc-status",
    "keep-alive",
    "last-modified",
    "location",
    "proxy-connection",
    "proxy-status",
    "server",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-degraded",
    "x-envoy-immediate-health-check-fail",
    "x-envoy-ratelimited",
    "x-envoy-upstream-canary",
    "x-envoy-upstream-service-time",
    "x-request-id",
];

/// The names that Envoy joins in response trailers, sorted. In request trailers it joins none.
const RESPONSE_TRAILERS: &[&str] = &["grpc-message", "grpc-status"];

/// Returns the name under which Envoy keeps a header, in lower case.
pub(crate) fn kept_name(kind: MapType, name: &[u8]) -> Cow<'_, [u8]> {
    if kind == MapType::RequestHeaders && name.eq_ignore_ascii_case(b"host") {
        return Cow::Borrowed(b":authority");
    }
    if name.iter().any(u8::is_ascii_uppercase) {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    Cow::Borrowed(name)
}

/// Adds a header as Envoy does: joined with the one that is there, or behind the others of its name.
pub(crate) fn add(kind: MapType, headers: &mut Headers, name: &[u8], value: &[u8]) {
    let name = kept_name(kind, name);
    if headers.get(&name).is_some() && is_joined(kind, &name) {
        headers.join(name, value);
    } else {
        headers.add(name, value);
    }
}

/// Returns a map as Envoy's codec makes it of these fields.
pub(crate) fn arrived(kind: MapType, headers: Headers) -> Headers {
    if !has_twins(kind, &headers) {
        return headers;
    }
    let mut arrived = Headers::new();
    for (name, value) in headers.iter() {
        add(kind, &mut arrived, name, value);
    }
    arrived
}

fn is_joined(kind: MapType, name: &[u8]) -> bool {
    let names = match kind {
        MapType::RequestHeaders => REQUEST,
        MapType::ResponseHeaders => RESPONSE,
        MapType::ResponseTrailers => RESPONSE_TRAILERS,
        _ => return false,
    };
    names
        .binary_search_by(|known| known.as_bytes().cmp(name))
        .is_ok()
}

/// Returns true if a name comes twice, or a request has `host`; all other maps Envoy keeps as they are.
fn has_twins(kind: MapType, headers: &Headers) -> bool {
    let is_host = |name: &[u8]| kind == MapType::RequestHeaders && name == b"host";
    // One bit for each way in which names can look alike: most names are alone with theirs.
    let mut seen = 0_u128;
    headers.iter().enumerate().any(|(place, (name, _))| {
        let bit = 1 << likeness(name);
        let is_new = seen & bit == 0;
        seen |= bit;
        is_host(name) || (!is_new && headers.iter().take(place).any(|(other, _)| other == name))
    })
}

/// Returns a number below 128 that equal names share.
fn likeness(name: &[u8]) -> u32 {
    let middle = name.get(name.len() / 2).copied().unwrap_or_default();
    let last = name.last().copied().unwrap_or_default();
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let mixed = u32::from(middle)
        .wrapping_mul(31)
        .wrapping_add(u32::from(last).wrapping_mul(7))
        .wrapping_add(length.wrapping_mul(13));
    mixed % 128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        for list in [REQUEST, RESPONSE, RESPONSE_TRAILERS] {
            assert!(list.is_sorted());
        }
    }

    #[test]
    fn joins_what_envoy_keeps_once() {
        let fields = [
            ("accept", "a"),
            ("Accept", "b"),
            ("cookie", "c"),
            ("cookie", "d"),
            ("x", "e"),
            ("x", "f"),
        ];
        let expected = [
            ("accept", "a,b"),
            ("cookie", "c"),
            ("cookie", "d"),
            ("x", "e"),
            ("x", "f"),
        ];
        assert_eq!(
            arrived(MapType::RequestHeaders, fields.into()),
            expected.into()
        );
        assert_eq!(
            arrived(MapType::ResponseHeaders, fields.into()),
            fields.into(),
            "a response has no accept"
        );
    }

    #[test]
    fn keeps_host_as_authority_in_requests_alone() {
        let fields = [(":authority", "a"), ("host", "b")];
        assert_eq!(
            arrived(MapType::RequestHeaders, fields.into()),
            [(":authority", "a,b")].into()
        );
        assert_eq!(
            arrived(MapType::ResponseHeaders, fields.into()),
            fields.into()
        );
        assert_eq!(
            kept_name(MapType::RequestHeaders, b"HOST"),
            &b":authority"[..]
        );
        assert_eq!(kept_name(MapType::RequestTrailers, b"Host"), &b"host"[..]);
    }
}
