//! The peer of a connection, as Envoy writes addresses: `ip:port`, the path of a socket of this machine, or an internal
//! listener of the same Envoy.
//!
//! Envoy connects to its internal listeners in ambient mode and for tunnels (HBONE), and writes such an address as
//! `envoy://LISTENER/ENDPOINT` (`EnvoyInternalInstance` of its `network/address_impl`). The endpoint is the address of the
//! workload at the other end where whoever configured it has put it there, as Istio does, and any text else.

use super::names::{AttributeKey, AttributeWriter};
use crate::codec::number;
use crate::headers::target;

/// The peer of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer<'a> {
    /// An address, and the port.
    Address(&'a [u8], Option<&'a [u8]>),
    /// The path of a socket; `@` stands for the zero byte of an abstract one.
    Socket(&'a [u8]),
    /// An internal listener without an address in it.
    Internal,
}

impl<'a> Peer<'a> {
    /// Reads what Envoy writes.
    #[inline]
    pub(super) fn read(text: &'a [u8]) -> Self {
        match text {
            // As nearly all addresses are.
            [b'0'..=b'9', ..] => {
                let (address, port) = target::split_port(text);
                return Self::Address(address, port);
            }
            [b'/' | b'@', ..] => return Self::Socket(text),
            _ => {}
        }
        let Some(internal) = text.strip_prefix(b"envoy://") else {
            let (address, port) = target::split_authority(text);
            return Self::Address(address, port);
        };
        let endpoint = internal.splitn(2, |byte| *byte == b'/').nth(1);
        match endpoint.and_then(|endpoint| Some((endpoint, target::ip_address(endpoint)?))) {
            Some((endpoint, address)) => {
                Self::Address(address, target::split_authority(endpoint).1)
            }
            None => Self::Internal,
        }
    }

    /// Adds the peer to a span.
    #[inline]
    pub(super) fn describe(self, writer: &mut AttributeWriter<'_>) {
        match self {
            Self::Address(address, port) => {
                writer.text(AttributeKey::PeerAddress, address);
                if let Some(port) = port.and_then(number::parse::<u16>) {
                    writer.number(AttributeKey::PeerPort, i64::from(port));
                }
            }
            Self::Socket(path) => writer.text(AttributeKey::PeerAddress, path),
            Self::Internal => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_address_is_understood() {
        let address = |address: &'static str, port: &'static str| {
            Peer::Address(address.as_bytes(), Some(port.as_bytes()))
        };
        for (text, expected) in [
            ("10.0.0.7:80", address("10.0.0.7", "80")),
            ("[2001:db8::1]:80", address("2001:db8::1", "80")),
            ("10.0.0.7:0", address("10.0.0.7", "0")),
            ("/run/a.sock", Peer::Socket(b"/run/a.sock")),
            ("@abstract", Peer::Socket(b"@abstract")),
            (
                "envoy://back/10.244.0.10:9080",
                address("10.244.0.10", "9080"),
            ),
            (
                "envoy://back/[2001:db8::1]:9080",
                address("2001:db8::1", "9080"),
            ),
            (
                "envoy://connect_originate/10.244.0.10:9080",
                address("10.244.0.10", "9080"),
            ),
            ("envoy://back/pod-1", Peer::Internal),
            ("envoy://back/", Peer::Internal),
            ("envoy://back", Peer::Internal),
            ("envoy://", Peer::Internal),
        ] {
            assert_eq!(Peer::read(text.as_bytes()), expected, "{text}");
        }
    }
}
