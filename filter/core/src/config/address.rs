//! The address of a server that the filter calls: a service of the mesh and its port, or a cluster of Envoy by its
//! name.

use alloc::format;
use alloc::string::String;
use core::ops::RangeInclusive;

use super::cursor::Cursor;

impl<'a> Cursor<'a> {
    /// Reads the name of a host, without scheme and port.
    pub(super) fn host(self) -> Option<&'a str> {
        let host = self.non_empty(HOST)?;
        let is_host = host.len() <= MAX_HOST
            && host.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            });
        if !is_host {
            let cure = if host.contains('|') {
                "; a name of Envoy's goes into `cluster`"
            } else if host
                .split_once(':')
                .is_some_and(|(_, rest)| rest.starts_with("//"))
            {
                "; leave the scheme out"
            } else if host.contains(':') {
                "; the port goes into `port`"
            } else {
                ""
            };
            self.error(format!("expected {HOST}, found {}{cure}", self.describe()));
        }
        is_host.then_some(host)
    }

    /// Reads the name of an Envoy cluster, which is also the server's name in requests.
    pub(super) fn cluster_name(self) -> Option<&'a str> {
        let name = self.non_empty(CLUSTER)?;
        let is_name =
            !name.contains(|character: char| character.is_control() || character.is_whitespace());
        if !is_name {
            self.error(format!(
                "expected {CLUSTER} without spaces and control characters, found {}",
                self.describe()
            ));
        }
        is_name.then_some(name)
    }

    /// Reads the authority of a request to the server: a host, and a port if there is one.
    pub(super) fn authority(self) -> Option<&'a str> {
        let authority = self.non_empty(AUTHORITY)?;
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let is_host = !host.is_empty()
            && host.len() <= MAX_HOST
            && host.bytes().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'.' | b'-' | b'_')
                    || host.starts_with('[') && matches!(byte, b'[' | b':' | b']')
            });
        let is_port = port.is_none_or(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse().is_ok_and(|port| PORTS.contains(&port))
        });
        if !is_host || !is_port {
            self.expected(AUTHORITY);
        }
        (is_host && is_port).then_some(authority)
    }

    /// Reads the path of a request to the server.
    pub(super) fn request_path(self) -> Option<&'a str> {
        let path = self.non_empty(REQUEST_PATH)?;
        let is_path = path.starts_with('/')
            && path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !is_path {
            self.expected(REQUEST_PATH);
        }
        is_path.then_some(path)
    }

    /// Notes an error if not exactly one of `service` and `cluster` is there, or a port without a service.
    pub(super) fn service_or_cluster(self) {
        match (self.get("service"), self.get("cluster")) {
            (None, None) => self.error("expected service or cluster, found neither"),
            (Some(_), Some(cluster)) => cluster.error("not with service; set one of the two"),
            (None, Some(_)) => {
                if let Some(port) = self.get("port") {
                    port.error("not with cluster, whose hosts have their ports; leave it out or set service");
                }
            }
            (Some(_), None) => {}
        }
    }
}

/// Returns Istio's name of the cluster for a port of a service.
pub(super) fn cluster_of(service: &str, port: u64) -> String {
    format!("outbound|{port}||{service}")
}

/// Returns the `:authority` for the server behind a cluster: host and port where Istio's name has them, else the name
/// itself.
pub(super) fn authority_of(cluster: &str) -> String {
    let mut parts = cluster.split('|');
    match (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) {
        (Some("outbound"), Some(port), Some(_), Some(host), None) if !host.is_empty() => {
            format!("{host}:{port}")
        }
        _ => cluster.into(),
    }
}

/// The limits of a port.
pub const PORTS: RangeInclusive<u64> = 1..=65_535;
const HOST: &str = "the name of a host such as otel-collector.observability.svc.cluster.local";
const CLUSTER: &str = "the name of a cluster";
const AUTHORITY: &str = "a host with or without a port such as otlp.example.com:443";
const REQUEST_PATH: &str = "a path that begins with /, without spaces";
/// Length of a name that DNS allows (RFC 1035, section 2.3.4).
pub const MAX_HOST: usize = 253;
