//! The address of an OTLP endpoint, and what requests to it carry.

use std::fmt;
use std::str::FromStr;

use http::uri::Uri;
use http::{HeaderMap, HeaderName, HeaderValue};
use hyper::body::Bytes;

/// The transport of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    Http,
}

/// An OTLP endpoint that spans are forwarded to.
///
/// ```
/// use sidespan_sink::Destination;
///
/// let destination: Destination = "http://localhost:4318/otlp".parse().unwrap();
/// assert_eq!(destination.url(), "http://localhost:4318/otlp/v1/traces");
/// let destination = destination.header("x-scope-orgid", "shop").unwrap().gzip(true);
/// assert!(!format!("{destination:?}").contains("shop"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    pub(super) protocol: Protocol,
    pub(super) is_tls: bool,
    pub(super) headers: HeaderMap,
    pub(super) gzip: bool,
    pub(super) authorities: Option<Bytes>,
    host: String,
    path: String,
}

/// The error of a text that is no destination, or of a header that none can have. It never has the text in it, which may be
/// a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// A text without one of the known schemes.
    #[error("expected a URL that begins with grpc://, grpcs://, http:// or https://")]
    Scheme,
    /// A URL that has no host, or for gRPC no port.
    #[error("expected a host, and for gRPC a port, as in grpc://localhost:4317")]
    Host,
    /// A URL with a user's name or password, which would be seen wherever the URL is.
    #[error("expected no user and no password in the URL: a header has them")]
    Credentials,
    /// A URL with a query or a fragment.
    #[error("expected a URL without a query and a fragment")]
    Query,
    /// A path behind the address of a gRPC server.
    #[error("expected no path behind the address of a gRPC server")]
    GrpcPath,
    /// A header whose name is no name, or whose value is no value.
    #[error("expected a header's name, and a value of visible ASCII")]
    Header,
    /// A header that the transport sets.
    #[error("expected another header: this one is set by the transport")]
    ReservedHeader,
}

impl Destination {
    /// Returns the URL, which is also the name of the queue.
    pub fn url(&self) -> String {
        let scheme = match (self.protocol, self.is_tls) {
            (Protocol::Grpc, false) => "grpc",
            (Protocol::Grpc, true) => "grpcs",
            (Protocol::Http, false) => "http",
            (Protocol::Http, true) => "https",
        };
        format!("{scheme}://{}{}", self.host, self.path)
    }

    /// Returns true if requests go through TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Adds a header to every request; one of the same name is replaced.
    ///
    /// # Errors
    /// [`DestinationError`] when the name or the value is none, or the transport sets this header.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, DestinationError> {
        let name: HeaderName = name.parse().map_err(|_| DestinationError::Header)?;
        let text = name.as_str();
        if RESERVED.contains(&text) || text.starts_with("grpc-") || text.ends_with("-bin") {
            return Err(DestinationError::ReservedHeader);
        }
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(DestinationError::Header);
        }
        let mut value: HeaderValue = value.parse().map_err(|_| DestinationError::Header)?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets whether requests are compressed with gzip.
    #[must_use]
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sets the certificate authorities, in PEM, that alone are trusted. By default those of the system are.
    #[must_use]
    pub fn authorities(mut self, pem: impl Into<Bytes>) -> Self {
        self.authorities = Some(pem.into());
        self
    }

    /// Returns the address for a client of HTTP, without a path.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }
}

impl FromStr for Destination {
    type Err = DestinationError;

    /// Reads `grpc://host:port`, `grpcs://host:port`, `http://host[:port][/prefix]` or `https://…`. To a prefix `/v1/traces`
    /// is added, as to `OTEL_EXPORTER_OTLP_ENDPOINT`, unless it ends so already.
    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(DestinationError::Scheme);
        };
        let (protocol, is_tls) = match scheme.to_ascii_lowercase().as_str() {
            "grpc" => (Protocol::Grpc, false),
            "grpcs" => (Protocol::Grpc, true),
            "http" => (Protocol::Http, false),
            "https" => (Protocol::Http, true),
            _ => return Err(DestinationError::Scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        if rest[..end].contains('@') {
            return Err(DestinationError::Credentials);
        }
        if rest.contains(['?', '#']) {
            return Err(DestinationError::Query);
        }
        let uri: Uri = format!("http://{rest}")
            .parse()
            .map_err(|_| DestinationError::Host)?;
        let host = uri.authority().ok_or(DestinationError::Host)?;
        // More than a host, and yet no port: one without a number, or too large a number.
        let has_no_port = host.as_str() == host.host();
        let is_wrong = host.port_u16().is_none() && !has_no_port;
        // gRPC has no usual port.
        if host.host().is_empty() || is_wrong || (has_no_port && protocol == Protocol::Grpc) {
            return Err(DestinationError::Host);
        }
        let prefix = uri.path().trim_end_matches('/');
        let path = match protocol {
            Protocol::Grpc if prefix.is_empty() => String::new(),
            Protocol::Grpc => return Err(DestinationError::GrpcPath),
            Protocol::Http if prefix.ends_with(TRACES) => prefix.to_owned(),
            Protocol::Http => format!("{prefix}{TRACES}"),
        };
        Ok(Self {
            protocol,
            is_tls,
            headers: HeaderMap::new(),
            gzip: false,
            authorities: None,
            host: host.as_str().to_ascii_lowercase(),
            path,
        })
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Destination")
            .field("url", &self.url())
            .field("headers", &self.headers)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}

const TRACES: &str = "/v1/traces";
const RESERVED: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_as_exporters_do() {
        for (text, url, origin) in [
            (
                "grpc://localhost:4317",
                "grpc://localhost:4317",
                "http://localhost:4317",
            ),
            ("grpcs://A.b:443/", "grpcs://a.b:443", "https://a.b:443"),
            (
                "http://[::1]:1",
                "http://[::1]:1/v1/traces",
                "http://[::1]:1",
            ),
            ("https://a.b", "https://a.b/v1/traces", "https://a.b"),
            (
                "HTTP://a.b:2/otlp/",
                "http://a.b:2/otlp/v1/traces",
                "http://a.b:2",
            ),
            (
                "http://a.b/x/v1/traces",
                "http://a.b/x/v1/traces",
                "http://a.b",
            ),
        ] {
            let found: Destination = text.parse().unwrap();
            assert_eq!(
                (found.url().as_str(), found.origin().as_str()),
                (url, origin)
            );
            assert_eq!(found.url().parse(), Ok(found), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_an_address() {
        for (text, error) in [
            ("localhost:4317", DestinationError::Scheme),
            ("unix:///run/otlp", DestinationError::Scheme),
            ("grpc://localhost", DestinationError::Host),
            ("grpc://:4317", DestinationError::Host),
            ("http://", DestinationError::Host),
            ("http://a:", DestinationError::Host),
            ("http://a:70000", DestinationError::Host),
            ("http://a b", DestinationError::Host),
            ("http://me:secret@a", DestinationError::Credentials),
            ("http://a?key=secret", DestinationError::Query),
            ("http://a/#b", DestinationError::Query),
            ("grpc://a:1/b", DestinationError::GrpcPath),
        ] {
            assert_eq!(text.parse::<Destination>(), Err(error), "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_header_is_kept_and_not_shown() {
        let plain: Destination = "http://a".parse().unwrap();
        let with = plain
            .clone()
            .header("Authorization", "Bearer s3cret")
            .unwrap();
        assert_eq!(with.headers["authorization"], "Bearer s3cret");
        assert!(!format!("{with:?}").contains("s3cret"));
        for (name, value, error) in [
            ("a b", "c", DestinationError::Header),
            ("", "c", DestinationError::Header),
            ("a", "b\nc", DestinationError::Header),
            ("a", "é", DestinationError::Header),
            (
                "Content-Type",
                "text/plain",
                DestinationError::ReservedHeader,
            ),
            ("grpc-timeout", "1S", DestinationError::ReservedHeader),
            ("key-bin", "AAA", DestinationError::ReservedHeader),
        ] {
            assert_eq!(plain.clone().header(name, value), Err(error), "{name}");
        }
    }
}
