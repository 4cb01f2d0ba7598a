//! Values that are one of a few and on nearly every span: methods, schemes and versions of the protocol. Their attributes are
//! encoded when the filter is built, and copied as a whole.

use crate::span::encoded_key::EncodedText;

/// A value that is one of a few.
#[derive(Debug)]
pub(crate) struct KnownText {
    /// The value.
    pub(crate) value: &'static str,
    /// The attribute under its stable name.
    pub(crate) encoded: EncodedText,
}

impl KnownText {
    const fn method(value: &'static str) -> Self {
        Self {
            value,
            encoded: EncodedText::new("http.request.method", value),
        }
    }

    const fn scheme(value: &'static str) -> Self {
        Self {
            value,
            encoded: EncodedText::new("url.scheme", value),
        }
    }

    const fn version(value: &'static str) -> Self {
        Self {
            value,
            encoded: EncodedText::new("network.protocol.version", value),
        }
    }
}

/// Returns a text that lives in the module.
macro_rules! known {
    ($kind:ident($value:literal)) => {{
        static TEXT: KnownText = KnownText::$kind($value);
        &TEXT
    }};
}

/// Returns a method of RFC 9110, PATCH of RFC 5789, or QUERY; methods are compared with case.
#[inline]
pub(super) fn method(method: &[u8]) -> Option<&'static KnownText> {
    // First, because of most requests it is the only comparison.
    if let b"GET" = method {
        return Some(known!(method("GET")));
    }
    Some(match method {
        b"POST" => known!(method("POST")),
        b"PUT" => known!(method("PUT")),
        b"DELETE" => known!(method("DELETE")),
        b"HEAD" => known!(method("HEAD")),
        b"PATCH" => known!(method("PATCH")),
        b"OPTIONS" => known!(method("OPTIONS")),
        b"CONNECT" => known!(method("CONNECT")),
        b"TRACE" => known!(method("TRACE")),
        b"QUERY" => known!(method("QUERY")),
        _ => return None,
    })
}

/// Returns the scheme of HTTP, with or without encryption.
#[inline]
pub(super) fn scheme(scheme: &[u8]) -> Option<&'static KnownText> {
    Some(match scheme {
        b"http" => known!(scheme("http")),
        b"https" => known!(scheme("https")),
        _ => return None,
    })
}

/// Returns the version in Envoy's name of a protocol.
#[inline]
pub(super) fn version(protocol: &[u8]) -> Option<&'static KnownText> {
    // As one number, because a comparison of bytes goes one by one in this target.
    if let Ok(word) = protocol.try_into()
        && u64::from_le_bytes(word) == HTTP_1_1
    {
        return Some(known!(version("1.1")));
    }
    Some(match protocol {
        b"HTTP/1.0" => known!(version("1.0")),
        b"HTTP/2" => known!(version("2")),
        b"HTTP/3" => known!(version("3")),
        _ => return None,
    })
}

const HTTP_1_1: u64 = u64::from_le_bytes(*b"HTTP/1.1");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::attributes::Attributes;

    #[test]
    fn every_value_is_written_as_any_text_is() {
        let methods = [
            "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT", "TRACE", "QUERY",
        ];
        let protocols = ["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"];
        let found = methods
            .map(|text| ("http.request.method", text, method(text.as_bytes())))
            .into_iter()
            .chain(["http", "https"].map(|text| ("url.scheme", text, scheme(text.as_bytes()))))
            .chain(protocols.map(|text| {
                let key = "network.protocol.version";
                (key, &text[5..], version(text.as_bytes()))
            }));
        for (key, value, known) in found {
            let known = known.unwrap();
            let (mut whole, mut plain) = (Attributes::default(), Attributes::default());
            whole.whole_text(&known.encoded);
            plain.text(key, value.as_bytes());
            assert_eq!(whole, plain, "{value}");
            assert_eq!(known.value, value);
        }
        for other in ["", "get", "GETS", "HTTP/4", "ftp"] {
            let other = other.as_bytes();
            let found = method(other).or(scheme(other)).or(version(other));
            assert!(found.is_none());
        }
    }
}
