//! Addresses to listen on, as people write them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use anyhow::{Context, bail};

/// An address to listen on, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalAddress(pub Option<SocketAddr>);

/// Reads `host:port`, or a port of the loopback interface.
pub(super) fn address(text: &str) -> anyhow::Result<SocketAddr> {
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    if text.contains("://") {
        bail!("expected host:port without a scheme; TLS comes with --tls-cert and --tls-key");
    }
    let named = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    if named.is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
        bail!("expected host:port, such as 127.0.0.1:4317, or 0.0.0.0:4317 for all interfaces");
    }
    let found: Vec<SocketAddr> = text.to_socket_addrs()?.collect();
    // Preferably of IPv4, because clients try localhost there more often.
    let first = found.iter().find(|it| it.is_ipv4()).or(found.first());
    first
        .copied()
        .with_context(|| format!("no address for {text:?}"))
}

/// Reads an address, or `none`.
pub(super) fn optional(text: &str) -> anyhow::Result<OptionalAddress> {
    match text {
        "none" => Ok(OptionalAddress(None)),
        _ => address(text).map(|address| OptionalAddress(Some(address))),
    }
}

/// Returns the address by which a client on this machine reaches a listener.
pub(super) fn reachable(mut listener: SocketAddr) -> SocketAddr {
    if listener.ip().is_unspecified() {
        listener.set_ip(match listener.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    listener
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_ports_and_none() {
        for (text, expected) in [
            ("4317", "127.0.0.1:4317"),
            ("0", "127.0.0.1:0"),
            ("localhost:1", "127.0.0.1:1"),
            ("0.0.0.0:4317", "0.0.0.0:4317"),
            ("[::1]:4317", "[::1]:4317"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), expected, "{text}");
        }
        assert_eq!(optional("none").unwrap(), OptionalAddress(None));
        assert!(optional("9411").unwrap().0.is_some());
    }

    #[test]
    fn says_how_an_address_is_written() {
        for (text, expected) in [
            ("", "expected host:port"),
            (":4317", "expected host:port"),
            ("localhost", "expected host:port"),
            ("localhost:70000", "expected host:port"),
            ("http://localhost:4317", "without a scheme"),
        ] {
            let error = address(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_client_reaches_all_interfaces_by_loopback() {
        for (listener, expected) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("10.0.0.1:1", "10.0.0.1:1"),
        ] {
            let reached = reachable(listener.parse().unwrap());
            assert_eq!(reached.to_string(), expected);
        }
    }
}
