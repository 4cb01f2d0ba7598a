//! Requests that Envoy answers before any filter sees them.

use sidespan_host::{Headers, LocalReply};

use super::scenario::Protocol;

/// The end of a request that does not come to the filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The stream is reset, with these response code details.
    Reset(&'static str),
    /// A local reply, which filters see in `proxy_on_log` alone; `true` if the codec has made it.
    Reply(LocalReply, bool),
}

/// Returns what becomes of a request that Envoy's codec or its connection manager does not take; `sent` are its headers as
/// the client writes them.
pub(super) fn of(protocol: Protocol, sent: &Headers) -> Option<Refusal> {
    let is_too_large = sent.byte_size() > MAX_BYTES;
    if is_too_large || sent.len() > MAX_COUNT {
        let names = match protocol {
            Protocol::Http1 => ["http1.headers_too_large", "http1.too_many_headers"],
            Protocol::Http2 => ["http2.header_list_size_too_large", "http2.too_many_headers"],
        };
        let details = if is_too_large { names[0] } else { names[1] };
        return Some(match protocol {
            Protocol::Http1 => {
                let reply = LocalReply::new(431, details).body("Request Header Fields Too Large");
                Refusal::Reply(reply, true)
            }
            Protocol::Http2 => Refusal::Reset(details),
        });
    }
    let path = sent.get(":path").unwrap_or_default();
    if !path.starts_with(b"/") {
        let reply = LocalReply::new(404, "absolute_path_rejected");
        return Some(Refusal::Reply(reply, false));
    }
    let connection = sent.joined("connection").unwrap_or_default();
    let asks = connection.eq_ignore_ascii_case(b"upgrade") && sent.get("upgrade").is_some();
    if protocol == Protocol::Http1 && asks {
        let reply = LocalReply::new(403, "upgrade_failed");
        return Some(Refusal::Reply(reply, false));
    }
    None
}

/// Envoy's limit on the headers of a request: 60 KiB (`max_request_headers_kb`).
const MAX_BYTES: usize = 60 * 1024;
/// Envoy's limit on their number (`max_headers_count`).
const MAX_COUNT: usize = 100;
