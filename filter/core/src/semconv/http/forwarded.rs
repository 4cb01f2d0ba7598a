//! The client as the proxies in front of this one name it: `forwarded` (RFC 7239), or the older `x-forwarded-*`.
//!
//! The first entry is the one next to the client. An entry is not proven, only as good as the proxy that let it in,
//! which for Envoy `xff_num_trusted_hops` and `use_remote_address` decide (HS-3).

use crate::codec::number::trim;
use crate::codec::scan;
use crate::headers::{Name, RequestHeaders};

/// The client's side of the connection to the first proxy, as far as a header names it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Forwarded<'a> {
    client: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    proto: Option<&'a [u8]>,
}

impl<'a> Forwarded<'a> {
    /// Reads the first entry of `forwarded`, and the older headers for the facts that it lacks.
    #[inline]
    pub(super) fn read(headers: &RequestHeaders<'a>) -> Self {
        let mut found = Self::default();
        if let Some(line) = headers.first(Name::Forwarded) {
            let entry = scan::split(line, b',').next().unwrap_or_default();
            for pair in scan::split(entry, b';') {
                found.take(pair);
            }
        }
        let old = |name| {
            let line = headers.first(name)?;
            let first = scan::split(line, b',').next()?;
            Some(trim(first)).filter(|value| !value.is_empty())
        };
        Self {
            client: found.client.or_else(|| old(Name::ForwardedFor)),
            host: found.host.or_else(|| old(Name::ForwardedHost)),
            proto: found.proto.or_else(|| old(Name::ForwardedProto)),
        }
    }

    /// Returns the client's address, without a port.
    #[inline]
    pub(super) fn client(&self) -> Option<&'a [u8]> {
        self.client.map(without_port)
    }

    /// Returns the authority that the client asked for, with a port if the client named one.
    #[inline]
    pub(super) fn host(&self) -> Option<&'a [u8]> {
        self.host
    }

    /// Returns the scheme that the client used.
    #[inline]
    pub(super) fn proto(&self) -> Option<&'a [u8]> {
        self.proto
    }

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
        match trim(name) {
            // An `unknown` client and an obfuscated identifier are no addresses (RFC 7239, section 6).
            name if name.eq_ignore_ascii_case(b"for") => {
                let is_hidden = value.starts_with(b"_") || value.eq_ignore_ascii_case(b"unknown");
                self.client = Some(value).filter(|_| !is_hidden);
            }
            name if name.eq_ignore_ascii_case(b"host") => self.host = Some(value),
            name if name.eq_ignore_ascii_case(b"proto") => self.proto = Some(value),
            _ => {}
        }
    }
}

/// Returns an address without its port: `192.0.2.1:80` and `[2001:db8::1]:80` have a port, `2001:db8::1` has none.
#[inline]
fn without_port(address: &[u8]) -> &[u8] {
    if let Some(inside) = address.strip_prefix(b"[") {
        return scan::split(inside, b']').next().unwrap_or(inside);
    }
    let mut parts = scan::split(address, b':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(host), Some(_), None) => host,
        _ => address,
    }
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
        ] {
            let list = HeaderList::new(headers.iter().copied());
            let request = list.as_request();
            let found = Forwarded::read(&request);
            let text = |value: Option<&[u8]>| {
                value.map(|value| alloc::string::String::from_utf8_lossy(value).into_owned())
            };
            assert_eq!(text(found.client()).as_deref(), client, "{headers:?}");
            assert_eq!(text(found.host()).as_deref(), host, "{headers:?}");
            assert_eq!(text(found.proto()).as_deref(), proto, "{headers:?}");
        }
    }
}
