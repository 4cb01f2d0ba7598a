//! Headers that filters leave behind, and Envoy's answer to those that it cannot send on.
//!
//! Envoy looks at what a filter has written, not at what came in. So a header counts as missing only if it was there before
//! the filter wrote; a caller who gives no `:path` is not told that it is missing.

use std::ops::BitOr;

use super::local_reply::LocalReply;
use crate::explanations::Situation;
use crate::headers::Headers;

/// The headers that a message had before a filter wrote to it, of those without which Envoy does not send it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrived {
    path: bool,
    method: bool,
    forwarded_proto: bool,
    scheme: bool,
    status: bool,
    /// True if a name or a value was there already that no codec has let in, so that nothing is said of such ones.
    unsendable: bool,
}

impl Arrived {
    pub(crate) fn with(headers: &Headers) -> Self {
        let mut arrived = Self::default();
        for (name, value) in headers {
            match name {
                b":path" => arrived.path = true,
                b":method" => arrived.method = true,
                b"x-forwarded-proto" => arrived.forwarded_proto = true,
                b":scheme" => arrived.scheme = true,
                b":status" => arrived.status = true,
                _ => {}
            }
            arrived.unsendable |= !is_valid_name(name) || !is_valid_value(value);
        }
        arrived
    }

    /// Returns the router's or the codec's answer to a request that filters have left so.
    pub(crate) fn answer_to_request(self, headers: &Headers) -> Option<(Situation, LocalReply)> {
        let lacks = |name, arrived| arrived && headers.get(name).is_none();
        // Without the scheme that came in no route is found, and a write makes Envoy look for the route again.
        if lacks(":path", self.path) || lacks("x-forwarded-proto", self.forwarded_proto) {
            return Some((Situation::NoRoute, LocalReply::new(404, "route_not_found")));
        }
        if lacks(":method", self.method) {
            return Some(unsendable(
                "missing required header: :method",
                "missing_required_header:_:method",
            ));
        }
        if self.unsendable {
            return None;
        }
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        if let Some((bad, _)) = headers.iter().find(|(name, _)| !is_valid_name(name)) {
            let bad = name(bad);
            return Some(unsendable(
                &format!("invalid header name: {bad}"),
                &format!("invalid_header_name:_{bad}"),
            ));
        }
        let (bad, _) = headers.iter().find(|(_, value)| !is_valid_value(value))?;
        let bad = name(bad);
        Some(unsendable(
            &format!("invalid header value for: {bad}"),
            &format!("invalid_header_value_for:_{bad}"),
        ))
    }

    /// Returns the scheme that the router writes in place of one that filters have removed or that no upstream knows.
    pub(crate) fn scheme_for_upstream(self, headers: &Headers) -> Option<&'static str> {
        let known = |name| {
            let text = headers.text(name)?;
            let schemes = ["http", "https"].into_iter();
            let mut like = schemes.filter(|scheme| text.eq_ignore_ascii_case(scheme));
            like.next()
        };
        let is_needed = self.scheme && known(":scheme").is_none();
        is_needed.then(|| known("x-forwarded-proto").unwrap_or("http"))
    }

    /// Returns the connection manager's answer to a response that filters have left so.
    pub(crate) fn answer_to_response(self, headers: &Headers) -> Option<(Situation, LocalReply)> {
        let has_status = headers
            .text(":status")
            .is_some_and(|status| status.parse::<u64>().is_ok());
        (self.status && !has_status).then(|| {
            let details =
                "filter_removed_required_response_headers{missing_required_header:_:status}";
            let reply = LocalReply::new(502, details).body("missing required header: :status");
            (Situation::NoStatus, reply)
        })
    }
}

impl BitOr for Arrived {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            path: self.path | other.path,
            method: self.method | other.method,
            forwarded_proto: self.forwarded_proto | other.forwarded_proto,
            scheme: self.scheme | other.scheme,
            status: self.status | other.status,
            unsendable: self.unsendable | other.unsendable,
        }
    }
}

fn unsendable(body: &str, details: &str) -> (Situation, LocalReply) {
    let details = format!("filter_removed_required_request_headers{{{details}}}");
    (
        Situation::UnsendableRequest,
        LocalReply::new(503, &details).body(body),
    )
}

/// Returns true for a name that the codec of HTTP/1.1 writes (RFC 9110, section 5.1), or that of a pseudo header.
fn is_valid_name(name: &[u8]) -> bool {
    let name = name.strip_prefix(b":").unwrap_or(name);
    let is_token = |byte: &u8| IS_TOKEN[usize::from(*byte)];
    !name.is_empty() && name.iter().all(is_token)
}

/// The bytes of a token, in a table because every byte of every name is looked up.
const IS_TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

/// Returns true for a value without control characters; a tab is none. Looks at all bytes at once, which is faster than to
/// stop at the first bad one that hardly ever comes.
fn is_valid_value(value: &[u8]) -> bool {
    let is_bad = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
    !value.iter().fold(false, |bad, byte| bad | is_bad(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: [(&str, &str); 3] = [
        (":method", "GET"),
        (":path", "/"),
        ("x-forwarded-proto", "http"),
    ];

    fn answer(left: &[(&str, &str)]) -> Option<(u32, String)> {
        let left: Headers = left.iter().copied().collect();
        let (_, reply) = Arrived::with(&REQUEST.into()).answer_to_request(&left)?;
        Some((reply.status, String::from_utf8(reply.body).unwrap()))
    }

    #[test]
    fn sends_on_what_lacks_nothing() {
        assert_eq!(answer(&REQUEST), None);
        let no_request: Headers = [("a", "b")].into();
        assert_eq!(
            Arrived::with(&no_request).answer_to_request(&no_request),
            None,
            "nothing of it came in"
        );
    }

    #[test]
    fn answers_each_request_that_envoy_cannot_send() {
        for lacking in [":path", "x-forwarded-proto"] {
            let left: Vec<_> = REQUEST
                .into_iter()
                .filter(|(name, _)| *name != lacking)
                .collect();
            assert_eq!(answer(&left), Some((404, String::new())), "{lacking}");
        }
        assert_eq!(
            answer(&REQUEST[1..]),
            Some((503, "missing required header: :method".into()))
        );
        for value in ["a\nb", "\u{1}", "\u{7f}"] {
            let left = [REQUEST[0], REQUEST[1], REQUEST[2], ("x-bad", value)];
            assert_eq!(
                answer(&left),
                Some((503, "invalid header value for: x-bad".into()))
            );
        }
        let left = [REQUEST[0], REQUEST[1], REQUEST[2], ("x y", "\t")];
        assert_eq!(
            answer(&left),
            Some((503, "invalid header name: x y".into()))
        );
    }

    #[test]
    fn restores_the_scheme_that_filters_have_spoilt() {
        let arrived = Arrived::with(&[(":scheme", "http")].into());
        let scheme = |left: &[(&str, &str)]| {
            arrived.scheme_for_upstream(&left.iter().copied().collect::<Headers>())
        };
        assert_eq!(scheme(&[(":scheme", "HTTPS")]), None);
        assert_eq!(scheme(&[(":scheme", "ftp")]), Some("http"));
        assert_eq!(scheme(&[("x-forwarded-proto", "https")]), Some("https"));
        assert_eq!(scheme(&[("x-forwarded-proto", "ftp")]), Some("http"));
        let none = Arrived::default();
        assert_eq!(none.scheme_for_upstream(&Headers::new()), None);
    }

    #[test]
    fn answers_a_response_without_a_number_as_status() {
        let arrived = Arrived::with(&[(":status", "200")].into());
        for left in [Headers::new(), [(":status", "other")].into()] {
            let (_, reply) = arrived.answer_to_response(&left).unwrap();
            assert_eq!(
                (reply.status, &reply.body[..]),
                (502, &b"missing required header: :status"[..])
            );
        }
        assert_eq!(
            arrived.answer_to_response(&[(":status", "42")].into()),
            None
        );
    }
}
