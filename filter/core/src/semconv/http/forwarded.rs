//! The client as the proxies in front of this one name it: `forwarded` (RFC 7239), or the older `x-forwarded-*`.
//!
//! The first entry is the one next to the client. An entry is not proven, only as good as the proxy that let it in,
//! which for Envoy `xff_num_trusted_hops` and `use_remote_address` decide (HS-3). At an edge outsiders write these headers:
//! there the client is the one that Envoy itself takes for it, and the rest counts only where the context does.

use crate::codec::number::trim;
use crate::codec::scan;
use crate::direction::Direction;
use crate::headers::target::{ip_address, is_ipv4};
use crate::headers::{Name, RequestHeaders};

/// The forwarding headers that are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Believed {
    /// All of them, within the mesh.
    All,
    /// All but the client's address, at an edge that accepts contexts.
    Names,
    /// `x-forwarded-proto` alone, which Envoy writes itself, at an edge that does not.
    Scheme,
}

impl Believed {
    /// Returns what is believed in this direction, where contexts are accepted or are not.
    #[inline]
    pub(crate) fn at(direction: Direction, accepts_contexts: bool) -> Self {
        match direction {
            Direction::Inbound | Direction::Outbound => Self::All,
            Direction::Edge if accepts_contexts => Self::Names,
            Direction::Edge => Self::Scheme,
        }
    }
}

/// The client's side of the connection to the first proxy, as far as a header names it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Forwarded<'a> {
    client: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    scheme: Option<&'static [u8]>,
}

impl<'a> Forwarded<'a> {
    /// Reads each fact from the first element of `forwarded` that has it, and from the older headers where none has.
    #[inline]
    pub(crate) fn read(headers: &RequestHeaders<'a>, believed: Believed) -> Self {
        let mut found = Elements::default();
        if believed != Believed::Scheme
            && let Some(line) = headers.first(Name::Forwarded)
        {
            for element in scan::split(line, b',') {
                for pair in scan::split(element, b';') {
                    found.take(pair);
                }
            }
        }
        let old = |name| {
            let line = headers.first(name)?;
            Some(trim(scan::first_part(line, b','))).filter(|value| !value.is_empty())
        };
        let client = || match (found.client, headers.first(Name::ForwardedFor)) {
            // As nearly every proxy writes it.
            (None, Some(line)) if is_ipv4(line) => Some(line),
            (told, _) => told
                .or_else(|| old(Name::ForwardedFor))
                .and_then(ip_address),
        };
        let host = || found.host.or_else(|| old(Name::ForwardedHost));
        Self {
            client: (believed == Believed::All).then(client).flatten(),
            host: (believed != Believed::Scheme)
                .then(host)
                .flatten()
                .filter(|host| is_authority(host)),
            scheme: match (found.proto, headers.first(Name::ForwardedProto)) {
                // As nearly every proxy writes it.
                (None, Some(b"https")) => Some(b"https"),
                (None, Some(b"http")) => Some(b"http"),
                (None, Some(_)) => old(Name::ForwardedProto).and_then(scheme),
                (proto, _) => proto.and_then(scheme),
            },
        }
    }

    /// Returns the client's address, without a port.
    #[inline]
    pub(crate) fn client(&self) -> Option<&'a [u8]> {
        self.client
    }

    /// Returns the authority that the client asked for, with a port if the client named one.
    #[inline]
    pub(super) fn host(&self) -> Option<&'a [u8]> {
        self.host
    }

    /// Returns the scheme that the client used.
    #[inline]
    pub(super) fn scheme(&self) -> Option<&'static [u8]> {
        self.scheme
    }
}

/// The first value of each parameter of `forwarded`.
#[derive(Clone, Copy, Debug, Default)]
struct Elements<'a> {
    client: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    proto: Option<&'a [u8]>,
}

impl<'a> Elements<'a> {
    #[inline]
    fn take(&mut self, pair: &'a [u8]) {
        let Some(equals) = scan::position(pair, b'=') else {
            return;
        };
        let (name, value) = pair.split_at_checked(equals).unwrap_or((pair, b""));
        let value = trim(value.strip_prefix(b"=").unwrap_or(value));
        let value = value
            .strip_prefix(b"\"")
            .and_then(|inside| inside.strip_suffix(b"\""))
            .unwrap_or(value);
        if value.is_empty() {
            return;
        }
        let place = match trim(name) {
            name if name.eq_ignore_ascii_case(b"for") => &mut self.client,
            name if name.eq_ignore_ascii_case(b"host") => &mut self.host,
            name if name.eq_ignore_ascii_case(b"proto") => &mut self.proto,
            _ => return,
        };
        place.get_or_insert(value);
    }
}

/// Returns true if a value may be a host with a port: no spaces, quotes, lists or paths.
#[inline]
fn is_authority(value: &[u8]) -> bool {
    let is_allowed = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
    };
    value.iter().all(is_allowed) && value.iter().any(u8::is_ascii_alphanumeric)
}

/// Returns a scheme in small letters; `None` for one that no request to a proxy has.
#[inline]
fn scheme(value: &[u8]) -> Option<&'static [u8]> {
    // As nearly every proxy writes them.
    match value {
        b"http" => return Some(b"http"),
        b"https" => return Some(b"https"),
        _ => {}
    }
    let mut known = [&b"http"[..], b"https", b"ws", b"wss"].into_iter();
    known.find(|scheme| value.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_memory::header_list::HeaderList;

    #[test]
    fn section_7_1_asks_forwarded_first_and_then_the_older_headers() {
        for (headers, client, host, proto) in [
            (&[][..], None, None, None),
            (
                &[
                    ("x-forwarded-for", " 10.0.0.7 , 10.0.0.8"),
                    ("x-forwarded-host", "shop.example, other"),
                    ("x-forwarded-proto", "https"),
                ],
                Some("10.0.0.7"),
                Some("shop.example"),
                Some("https"),
            ),
            (
                &[
                    (
                        "forwarded",
                        "For=\"[2001:db8::1]:4711\"; proto=http;by=x, for=10.0.0.9",
                    ),
                    ("x-forwarded-for", "10.0.0.7"),
                    ("x-forwarded-host", "shop.example"),
                ],
                Some("2001:db8::1"),
                Some("shop.example"),
                Some("http"),
            ),
            (
                &[("forwarded", "for=_hidden;host=a.example:81")],
                None,
                Some("a.example:81"),
                None,
            ),
            (&[("forwarded", "for=unknown;=;for")], None, None, None),
            (
                &[("x-forwarded-for", "10.0.0.7:4711")],
                Some("10.0.0.7"),
                None,
                None,
            ),
            (
                &[("x-forwarded-for", "2001:db8::1")],
                Some("2001:db8::1"),
                None,
                None,
            ),
            (&[("x-forwarded-for", ",10.0.0.8")], None, None, None),
            (&[("x-forwarded-for", "-")], None, None, None),
            (&[("x-forwarded-for", "unknown;")], None, None, None),
            (&[("x-forwarded-for", "\"\"")], None, None, None),
            (&[("x-forwarded-for", "client, 10.0.0.8")], None, None, None),
            (&[("x-forwarded-for", "10.0.0")], None, None, None),
            (
                &[("x-forwarded-for", "[2001:db8::1]:80")],
                Some("2001:db8::1"),
                None,
                None,
            ),
            (&[("x-forwarded-proto", "HTTPS")], None, None, Some("https")),
            (&[("x-forwarded-proto", "gopher")], None, None, None),
            (&[("x-forwarded-host", "-")], None, None, None),
            (&[("x-forwarded-host", "a.example/path")], None, None, None),
            (
                &[(
                    "forwarded",
                    "by=3.235.38.58;for=198.51.100.7,for=64.252.138.139;host=api.example;proto=https",
                )],
                Some("198.51.100.7"),
                Some("api.example"),
                Some("https"),
            ),
        ] {
            let list = HeaderList::new(headers.iter().copied());
            let request = list.as_request();
            let found = Forwarded::read(&request, Believed::All);
            let text = |value: Option<&[u8]>| {
                value.map(|value| alloc::string::String::from_utf8_lossy(value).into_owned())
            };
            assert_eq!(text(found.client()).as_deref(), client, "{headers:?}");
            assert_eq!(text(found.host()).as_deref(), host, "{headers:?}");
            assert_eq!(text(found.scheme()).as_deref(), proto, "{headers:?}");
        }
    }
    #[test]
    fn at_an_edge_an_outsider_names_neither_the_client_nor_without_trust_the_server() {
        let list = HeaderList::new([
            ("forwarded", "for=203.0.113.66;host=evil.example;proto=wss"),
            ("x-forwarded-for", "203.0.113.66"),
            ("x-forwarded-proto", "https"),
        ]);
        for (direction, accepts, client, host, scheme) in [
            (Direction::Inbound, false, true, true, "wss"),
            (Direction::Edge, true, false, true, "wss"),
            (Direction::Edge, false, false, false, "https"),
        ] {
            let found = Forwarded::read(&list.as_request(), Believed::at(direction, accepts));
            assert_eq!(found.client().is_some(), client, "{direction:?} {accepts}");
            assert_eq!(found.host().is_some(), host, "{direction:?} {accepts}");
            assert_eq!(found.scheme(), Some(scheme.as_bytes()));
        }
    }
}
