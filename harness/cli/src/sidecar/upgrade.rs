//! The headers of WebSocket upgrades: the request asks with `upgrade`, the response agrees with 101, and from then on bytes
//! go both ways.
//!
//! As in Envoy with `upgrade_configs: [{upgrade_type: websocket}]` the filters see the bytes as bodies without an end. Other
//! upgrades are not asked of the upstream, so that it answers as if they were not there (RFC 9110, section 7.8).

use http::{StatusCode, request};
use sidespan_host::Headers;

/// Returns true if a request asks for a WebSocket.
pub(super) fn is_asked(parts: &request::Parts) -> bool {
    let has = |name, word: &str| {
        let values = parts.headers.get_all(name).iter();
        let values = values.filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|found| found.trim().eq_ignore_ascii_case(word))
    };
    parts.version == http::Version::HTTP_11
        && has("connection", "upgrade")
        && has("upgrade", "websocket")
}

/// Shows the filters that a message is about a WebSocket.
pub(super) fn show(headers: &mut Headers) {
    headers.add("connection", "Upgrade");
    headers.add("upgrade", "websocket");
}

/// Returns true if the headers that the filters have passed are still about a WebSocket.
pub(super) fn is_shown(headers: &Headers) -> bool {
    headers
        .get("upgrade")
        .is_some_and(|kind| kind.eq_ignore_ascii_case(b"websocket"))
}

/// Returns true if the upstream agrees, and the filters let it.
pub(super) fn is_agreed(headers: &Headers) -> bool {
    headers.get(":status") == Some(StatusCode::SWITCHING_PROTOCOLS.as_str().as_bytes())
        && is_shown(headers)
}
