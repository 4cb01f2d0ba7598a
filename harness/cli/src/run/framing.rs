//! What HTTP/1.1 has beside a message: headers of the connection, and those that say where a body ends. Filters see some of
//! them, and Envoy's codec writes its own.

use http::{HeaderName, HeaderValue};
use sidespan_host::Headers;

use super::body::Body;
use super::passed::{Fields, Message};
use super::scenario::Protocol;

/// Returns a request of a client as Envoy's connection manager shows it to filters.
pub(super) fn arrive(protocol: Protocol, headers: Headers) -> Headers {
    if protocol == Protocol::Http2 {
        return with_one_cookie(headers);
    }
    let connection = headers.joined("connection").unwrap_or_default();
    let connection = String::from_utf8_lossy(&connection).to_ascii_lowercase();
    let nominated: Vec<_> = connection.split(',').map(str::trim).collect();
    let is_shown = |name: &&[u8]| {
        let is_nominated = nominated.iter().any(|other| other.as_bytes() == *name);
        // Envoy itself tells the client to go on.
        !is_nominated && !is_of_a_connection(name) && *name != b"expect"
    };
    // Envoy's codec has the `host` first, and puts the method behind the path.
    let pseudo = [":authority", ":path", ":method", ":scheme"];
    let pseudo = pseudo.map(|name| (name.as_bytes(), headers.get(name)));
    let pseudo = pseudo
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let plain = headers.iter().filter(|(name, _)| !name.starts_with(b":"));
    let plain = plain.filter(|(name, _)| is_shown(name));
    let mut shown = Headers::new();
    pseudo
        .chain(plain)
        .for_each(|(name, value)| shown.add(name, value));
    shown
}

/// Joins the parts of a cookie, which HTTP/2 may part, behind all other headers (RFC 9113, section 8.2.3).
fn with_one_cookie(mut headers: Headers) -> Headers {
    let cookies: Vec<Vec<u8>> = headers.all("cookie").map(<[u8]>::to_vec).collect();
    if !cookies.is_empty() {
        headers.remove("cookie");
        headers.add("cookie", cookies.join(&b"; "[..]));
    }
    headers
}

/// Adds to an upstream's response the headers that say where its body ends.
pub(super) fn answer(protocol: Protocol, headers: &mut Headers, chunks: &[&Body], method: &str) {
    if protocol == Protocol::Http2 {
        return;
    }
    headers.remove("keep-alive");
    if has_no_body(headers.text(":status").as_deref()) {
        headers.remove("content-length");
        return;
    }
    if headers.get("content-length").is_some() {
        return;
    }
    if !chunks.is_empty() {
        headers.add("transfer-encoding", "chunked");
    } else if method != "HEAD" {
        headers.add("content-length", "0");
    }
}

/// Writes a request as Envoy's codec sends it to the upstream.
pub(super) fn leave_for_upstream(protocol: Protocol, message: &mut Message, is_headers_only: bool) {
    if protocol == Protocol::Http2 {
        return;
    }
    message.trailers.clear();
    let headers = &mut message.headers;
    headers.retain(|(name, _)| name != ":scheme");
    let method = value(headers, ":method").unwrap_or_default();
    if value(headers, "content-length").is_some() {
        return;
    }
    if !is_headers_only {
        headers.push(("transfer-encoding".into(), b"chunked".to_vec()));
    } else if !WITHOUT_A_BODY.contains(&method.as_str()) {
        headers.push(("content-length".into(), b"0".to_vec()));
    }
}

/// The connection of a client, once it has its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Kept for the next request.
    Kept,
    /// Closed by Envoy, because the client has asked for that or its request was not whole.
    Closed,
}

/// Writes a response as Envoy's codec sends it to the client.
pub(super) fn leave_for_client(
    protocol: Protocol,
    message: &mut Message,
    method: &str,
    is_headers_only: bool,
    connection: Then,
) {
    let headers = &mut message.headers;
    headers.retain(|(name, _)| !is_of_a_connection(name.as_bytes()));
    if protocol == Protocol::Http2 {
        return;
    }
    message.trailers.clear();
    if connection == Then::Closed {
        headers.push(("connection".into(), b"close".to_vec()));
    }
    let is_framed = value(headers, "content-length").is_some();
    if is_framed || has_no_body(value(headers, ":status").as_deref()) {
        return;
    }
    if is_headers_only && method != "HEAD" {
        headers.push(("content-length".into(), b"0".to_vec()));
    } else {
        headers.push(("transfer-encoding".into(), b"chunked".to_vec()));
    }
}

/// Returns the headers of a response as Envoy's connection manager leaves them behind, for access logs and `proxy_on_log`.
pub(super) fn logged(sent: &Fields, protocol: Protocol, connection: Then, date: &str) -> Headers {
    let kept = sent.iter();
    let kept = kept.filter(|(name, _)| !is_of_a_connection(name.as_bytes()));
    let mut headers = Headers::new();
    kept.for_each(|(name, value)| headers.add(name, value));
    if headers.get("date").is_none() {
        headers.add("date", date);
    }
    if protocol == Protocol::Http1 && connection == Then::Closed {
        headers.add("connection", "close");
    }
    headers
}

/// Returns true for a request that an upstream takes. One of HTTP/2 takes no headers of a connection (RFC 9113, section 8.2.2).
pub(super) fn is_read_by_upstream(protocol: Protocol, headers: &Fields) -> bool {
    let is_taken = |(name, value): &(String, Vec<u8>)| {
        !is_of_a_connection(name.as_bytes()) && (name != "te" || value == b"trailers")
    };
    protocol == Protocol::Http1 || headers.iter().all(is_taken)
}

/// Returns true for a response that a client takes, as Envoy sends it, which does not look at what filters have written.
pub(super) fn is_read_by_client(protocol: Protocol, headers: &Fields) -> bool {
    let is_taken = |field: &(String, Vec<u8>)| {
        let (name, value) = field;
        let is_of_http1 = name == "te" && value != b"trailers";
        name == ":status" || is_readable(field) && (protocol == Protocol::Http1 || !is_of_http1)
    };
    lines(protocol, headers).iter().all(is_taken)
}

/// Returns the headers of a response as a client reads them: over HTTP/1.1 a line break in a value begins another header. A line
/// that is none has the empty name.
pub(super) fn lines(protocol: Protocol, headers: &Fields) -> Fields {
    if protocol == Protocol::Http2 {
        return headers.clone();
    }
    let mut read = Fields::new();
    // Envoy writes no other pseudo header.
    let written = headers.iter();
    let written = written.filter(|(name, _)| !name.starts_with(':') || name == ":status");
    for (name, value) in written {
        let lines = value.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        for (line, number) in lines.zip(0..) {
            let colon = line.iter().position(|byte| *byte == b':');
            let (name, value) = match (number, colon) {
                (0, _) => (name.clone(), line),
                (_, Some(at)) => (
                    String::from_utf8_lossy(&line[..at]).to_ascii_lowercase(),
                    line[at + 1..].trim_ascii(),
                ),
                (_, None) => (String::new(), line),
            };
            read.push((name, value.to_vec()));
        }
    }
    read
}

/// Returns true for a header or a trailer whose name and value a peer takes (RFC 9110, section 5).
pub(super) fn is_readable((name, value): &(String, Vec<u8>)) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_bad = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    !name.is_empty() && name.bytes().all(is_token) && !value.iter().any(is_bad)
}

/// Returns true for a message that no peer of HTTP/2 can read: its body is not as long as it says.
pub(super) fn has_wrong_length(message: &Message) -> bool {
    let announced = value(&message.headers, "content-length");
    let announced = announced.and_then(|text| text.parse::<usize>().ok());
    announced.is_some_and(|announced| announced != message.body.len())
}

/// Returns true for a request that no peer of HTTP/2 can read (RFC 9113, sections 8.1.1 and 8.2.2): its body is not as long as
/// it says, or it has headers of a connection.
pub(super) fn is_unreadable(message: &Message) -> bool {
    has_wrong_length(message) || !is_read_by_upstream(Protocol::Http2, &message.headers)
}

/// Returns the codec's words about a request that it does not send, because of a name or a value; `None` if it sends it.
pub(super) fn unsendable(headers: &Fields) -> Option<String> {
    headers.iter().find_map(|(name, value)| {
        if !is_name(name) {
            Some(format!("invalid header name: {name}"))
        } else if HeaderValue::from_bytes(value).is_err() {
            Some(format!("invalid header value for: {name}"))
        } else {
            None
        }
    })
}

/// Returns true for the name of a header (RFC 9110, section 5.1), or of a pseudo header.
fn is_name(name: &str) -> bool {
    let name = name.strip_prefix(':').unwrap_or(name);
    HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// Returns the chunks as Envoy reads them from a connection of HTTP/1.1: those that come at once as one.
pub(super) fn joined(chunks: &[&Body]) -> Vec<Body> {
    let mut all: Vec<Body> = Vec::new();
    for chunk in chunks {
        match all.last_mut() {
            Some(last) if chunk.after.is_zero() => last.bytes.extend(&chunk.bytes),
            _ => all.push((*chunk).clone()),
        }
    }
    all
}

/// Returns the chunks as frames of HTTP/2, which are at most 16 KiB each unless a peer asks for more.
pub(super) fn frames(chunks: &[&Body]) -> Vec<Body> {
    const LARGEST: usize = 16_384;
    let mut all = Vec::new();
    for chunk in chunks {
        let mut after = chunk.after;
        let frames = chunk.bytes.chunks(LARGEST).chain(
            // A chunk without bytes is a frame, too.
            chunk.bytes.is_empty().then_some(&[][..]),
        );
        for bytes in frames {
            all.push(Body {
                bytes: bytes.to_vec(),
                after: std::mem::take(&mut after),
            });
        }
    }
    all
}

fn value(headers: &Fields, name: &str) -> Option<String> {
    let found = headers.iter().find(|(other, _)| other == name);
    found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
}

/// Returns true for the statuses that have no body (RFC 9110, section 6.4.1).
fn has_no_body(status: Option<&str>) -> bool {
    status.is_some_and(|status| status.starts_with('1') || status == "204" || status == "304")
}

/// Returns true for headers of one connection, which Envoy takes away.
fn is_of_a_connection(name: &[u8]) -> bool {
    OF_A_CONNECTION.iter().any(|other| other.as_bytes() == name)
}

const OF_A_CONNECTION: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// Methods for which Envoy writes no `content-length: 0`.
const WITHOUT_A_BODY: [&str; 5] = ["CONNECT", "DELETE", "GET", "HEAD", "TRACE"];
