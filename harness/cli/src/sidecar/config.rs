//! The configuration of a sidecar.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use sidespan_host::{Host, HostBuilder, LogLevel, Module, Path, Value};

use super::protocol::Protocol;
use super::tape::Tape;

/// Which side of a service a sidecar stands on, `xds.listener_direction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Direction {
    /// Not said, as on a plain listener.
    #[default]
    None,
    /// In front of the service.
    Inbound,
    /// Behind the service, for its own calls.
    Outbound,
}

/// The protocol that the upstream is spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum UpstreamProtocol {
    /// The client's
    #[default]
    Same,
    /// HTTP/1.1
    Http1,
    /// HTTP/2 with prior knowledge
    Http2,
}

impl UpstreamProtocol {
    pub(super) fn to(self, client: Protocol) -> Protocol {
        match self {
            Self::Same => client,
            Self::Http1 => Protocol::Http1,
            Self::Http2 => Protocol::Http2,
        }
    }
}

/// The routes of requests: by authority, or all to one address.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    by_authority: BTreeMap<String, SocketAddr>,
    default: Option<SocketAddr>,
}

impl Routes {
    /// Sends everything to one address.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        Self {
            by_authority: BTreeMap::new(),
            default: Some(address),
        }
    }

    /// Sends requests for this authority (`orders:8080`, or `orders` for every port) to this address.
    #[must_use]
    pub fn route(mut self, authority: impl Into<String>, address: SocketAddr) -> Self {
        self.by_authority.insert(authority.into(), address);
        self
    }

    pub(super) fn find(&self, authority: &str) -> Option<SocketAddr> {
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host);
        let exact = self
            .by_authority
            .get(authority)
            .or_else(|| self.by_authority.get(host));
        exact.copied().or(self.default)
    }
}

/// The configuration of a sidecar.
#[derive(Clone, Debug)]
pub struct SidecarConfig {
    /// The name of the sidecar's thread.
    pub name: String,
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Side of the service that the sidecar stands on.
    pub direction: Direction,
    /// Routes of requests. A request without a route is answered 404.
    pub routes: Routes,
    /// The protocol to the upstream.
    pub upstream_protocol: UpstreamProtocol,
    /// True if trailers of HTTP/1.1 are read and sent, as Envoy's `enable_trailers` does; false by default, as there. Those
    /// that the header `trailer` has not announced are not sent.
    pub http1_trailers: bool,
    /// The filters, in the order in which a request meets them: module, name, root id, configurations, failure policy. What is
    /// below is set for all of them.
    pub filters: Vec<HostBuilder>,
    /// Properties that hold for all streams, mostly below `xds.node`.
    pub properties: Vec<(Path, Value)>,
    /// Addresses of clusters for the filters' own calls, as `host:port`. Plain HTTP only.
    pub clusters: BTreeMap<String, String>,
    /// Address of every other cluster. Without it, other clusters are unknown to the filters.
    pub any_cluster: Option<String>,
    /// Lowest level of the filters' log lines that are kept.
    pub log_level: LogLevel,
    /// The most bytes of a body that are held while a filter waits; 1 MiB by default, as in Envoy. A request that a filter
    /// buffers beyond it is answered 413.
    pub buffer_limit: usize,
    /// Time for the upstream to begin its response once it has the whole request; Envoy's default is 15 s.
    pub timeout: Duration,
    /// Time for a stop, with open requests and with the calls that the filters still have to send.
    pub drain: Duration,
    /// Where exchanges are recorded; nowhere by default.
    pub(super) tape: Option<Tape>,
}

impl SidecarConfig {
    /// Returns the configuration of a sidecar for one filter on a free local port, with everything else at its default. The
    /// name is the plugin's, too, and its root id and `vm_id`.
    pub fn new(name: impl Into<String>, module: &Module, routes: Routes) -> Self {
        let name = name.into();
        let filter = Host::builder(module)
            .plugin_name(&name)
            .root_id(&name)
            .vm_id(&name);
        Self::of(name, vec![filter], routes)
    }

    /// Returns the configuration of a sidecar for a chain of filters, with everything else at its default.
    pub fn of(name: impl Into<String>, filters: Vec<HostBuilder>, routes: Routes) -> Self {
        Self {
            name: name.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            direction: Direction::None,
            routes,
            upstream_protocol: UpstreamProtocol::Same,
            http1_trailers: false,
            filters,
            properties: Vec::new(),
            clusters: BTreeMap::new(),
            any_cluster: None,
            log_level: LogLevel::Info,
            buffer_limit: HostBuilder::BUFFER_LIMIT,
            timeout: Duration::from_secs(15),
            drain: Duration::from_secs(5),
            tape: None,
        }
    }

    /// Sets the plugin configuration of all filters.
    #[must_use]
    pub fn plugin_configuration(mut self, bytes: &[u8]) -> Self {
        let filters = self.filters.into_iter();
        self.filters = filters
            .map(|filter| filter.plugin_configuration(bytes))
            .collect();
        self
    }

    /// Adds a value of the node's metadata: `NAMESPACE`, `WORKLOAD_NAME`, `NAME` (of the pod), …
    #[must_use]
    pub fn node_metadata(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.properties
            .push((["xds", "node", "metadata", name].into(), value.into()));
        self
    }

    /// Adds a label to the node's metadata (`LABELS`).
    #[must_use]
    pub fn node_label(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.properties.push((
            ["xds", "node", "metadata", "LABELS", name].into(),
            value.into(),
        ));
        self
    }
}
