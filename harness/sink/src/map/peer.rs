//! The name of whoever is called, by the attributes of the span that calls.
//!
//! The attributes are those of OpenTelemetry's semantic conventions, stable and old. A service's name goes first, because it
//! joins the call to the service's own spans; then the database, the queue, and at last the address.

use crate::store::Outline;

/// The kind of thing that a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PeerKind {
    /// A service that is named as such.
    Service,
    /// A database.
    Database,
    /// A queue, a topic, or whatever else passes messages on.
    Queue,
    /// An address, of which nobody says what answers there.
    Address,
}

impl PeerKind {
    /// Returns the kind in the map's JSON.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Database => "database",
            Self::Queue => "queue",
            Self::Address => "address",
        }
    }
}

/// The attributes that [`peer`] reads.
pub(super) const KEYS: [&str; 19] = [
    "service.peer.name",
    "peer.service",
    "db.system.name",
    "db.system",
    "db.namespace",
    "db.name",
    "messaging.destination.name",
    "messaging.destination",
    "messaging.system",
    "server.address",
    "server.port",
    "net.peer.name",
    "net.peer.port",
    "url.full",
    "http.url",
    "network.peer.address",
    "net.sock.peer.addr",
    "http.host",
    "net.peer.ip",
];

/// Returns the name of whoever a span calls; `None` where no attribute tells.
pub(super) fn peer(span: &Outline) -> Option<(PeerKind, String)> {
    let first = |keys: &[&str]| {
        let texts = keys.iter().filter_map(|key| span.attribute(key));
        texts.into_iter().find(|text| !text.is_empty())
    };
    let system = first(&["db.system.name", "db.system"]);
    let destination = first(&["messaging.destination.name", "messaging.destination"]);
    let broker = first(&["messaging.system"]);
    let kind = match (system, destination.or(broker)) {
        (Some(_), _) => PeerKind::Database,
        (None, Some(_)) => PeerKind::Queue,
        (None, None) => PeerKind::Service,
    };
    if let Some(name) = first(&["service.peer.name", "peer.service"]) {
        return Some((kind, name.to_owned()));
    }
    let address = address(&first);
    let with = |what: &str, which: Option<&str>| match which {
        Some(which) => format!("{what} {which}"),
        None => what.to_owned(),
    };
    match (system, broker, destination) {
        (Some(system), _, _) => {
            let which = first(&["db.namespace", "db.name"]).or(address.as_deref());
            Some((kind, with(system, which)))
        }
        (None, Some(broker), which) => Some((kind, with(broker, which.or(address.as_deref())))),
        (None, None, Some(destination)) => Some((kind, destination.to_owned())),
        (None, None, None) => Some((PeerKind::Address, address?)),
    }
}

/// Returns `host`, or `host:port` where the port is no scheme's own.
fn address<'a>(first: &impl Fn(&[&str]) -> Option<&'a str>) -> Option<String> {
    let host = first(&["server.address", "net.peer.name"]);
    if let Some(host) = host {
        let port = first(&["server.port", "net.peer.port"]);
        let port = port.filter(|port| !["80", "443", "0"].contains(port));
        return Some(match port {
            // An address of version 6 has colons of its own.
            Some(port) if host.contains(':') && !host.starts_with('[') => {
                format!("[{host}]:{port}")
            }
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        });
    }
    let authority = first(&["url.full", "http.url"]).and_then(authority);
    authority.or_else(|| {
        let rest = first(&[
            "http.host",
            "network.peer.address",
            "net.sock.peer.addr",
            "net.peer.ip",
        ]);
        rest.map(str::to_owned)
    })
}

/// Returns the authority of a URL, without a name and password, and without the port of its scheme.
fn authority(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let authority = [":80", ":443"]
        .iter()
        .find_map(|port| authority.strip_suffix(port))
        .unwrap_or(authority);
    (!authority.is_empty()).then(|| authority.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SpanKind;

    fn named(pairs: &[(&'static str, &str)]) -> Option<(PeerKind, String)> {
        let attributes = pairs.iter().map(|(key, text)| (*key, (*text).to_owned()));
        peer(&Outline {
            span_id: 1,
            parent: None,
            kind: SpanKind::Client,
            start: 0,
            end: 0,
            is_error: false,
            trace_state: String::new(),
            origin: 0,
            attributes: attributes.collect(),
        })
    }

    #[test]
    fn names_whoever_is_called() {
        use PeerKind::{Address, Database, Queue, Service};
        type Row = (
            &'static [(&'static str, &'static str)],
            PeerKind,
            &'static str,
        );
        let rows: [Row; 16] = [
            (
                &[
                    ("server.address", "cart"),
                    ("service.peer.name", "cart-svc"),
                ],
                Service,
                "cart-svc",
            ),
            (&[("peer.service", "pay")], Service, "pay"),
            (
                &[("service.peer.name", ""), ("server.address", "a")],
                Address,
                "a",
            ),
            (
                &[("db.system.name", "postgresql"), ("db.namespace", "shop")],
                Database,
                "postgresql shop",
            ),
            (
                &[("db.system", "redis"), ("server.address", "cache")],
                Database,
                "redis cache",
            ),
            (&[("db.system", "sqlite")], Database, "sqlite"),
            (
                &[("db.system", "mysql"), ("peer.service", "orders-db")],
                Database,
                "orders-db",
            ),
            (
                &[
                    ("messaging.system", "kafka"),
                    ("messaging.destination.name", "orders"),
                ],
                Queue,
                "kafka orders",
            ),
            (&[("messaging.destination", "orders")], Queue, "orders"),
            (
                &[("server.address", "api.example"), ("server.port", "443")],
                Address,
                "api.example",
            ),
            (
                &[("net.peer.name", "api.example"), ("net.peer.port", "8080")],
                Address,
                "api.example:8080",
            ),
            (
                &[("server.address", "2001:db8::1"), ("server.port", "8080")],
                Address,
                "[2001:db8::1]:8080",
            ),
            (
                &[("url.full", "https://me:secret@api.example:443/a?b=c@d")],
                Address,
                "api.example",
            ),
            (
                &[("http.url", "http://api.example:81?b")],
                Address,
                "api.example:81",
            ),
            (&[("network.peer.address", "10.0.0.7")], Address, "10.0.0.7"),
            (&[("http.host", "old.example")], Address, "old.example"),
        ];
        for (attributes, kind, name) in rows {
            assert_eq!(
                named(attributes),
                Some((kind, name.into())),
                "{attributes:?}"
            );
        }
        for nothing in [
            &[][..],
            &[("url.full", "/relative")],
            &[("server.port", "1")],
        ] {
            assert_eq!(named(nothing), None, "{nothing:?}");
        }
    }
}
