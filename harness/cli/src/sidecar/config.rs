//! The configuration of a sidecar.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use sidespan_host::{FailurePolicy, LogLevel, Module, Path, Value};

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
    /// The plugin's name, root id and vm_id, and the name of its thread.
    pub name: String,
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Side of the service that the sidecar stands on.
    pub direction: Direction,
    /// Routes of requests. A request without a route is answered 404.
    pub routes: Routes,
    /// The filter.
    pub module: Module,
    /// The plugin configuration.
    pub plugin_configuration: Vec<u8>,
    /// Properties that hold for all streams, mostly below `xds.node`.
    pub properties: Vec<(Path, Value)>,
    /// Addresses of clusters for the filter's own calls, as `host:port`. Plain HTTP only.
    pub clusters: BTreeMap<String, String>,
    /// Address of every other cluster. Without it, other clusters are unknown to the filter.
    pub any_cluster: Option<String>,
    /// Environment variables of the VM.
    pub environment: Vec<(String, String)>,
    /// Lowest level of the filter's log lines that are kept.
    pub log_level: LogLevel,
    /// Policy for requests once the VM has failed.
    pub failure_policy: FailurePolicy,
    /// Time for the upstream to begin its response once it has the whole request; Envoy's default is 15 s.
    pub timeout: Duration,
    /// Time for a stop, with open requests and with the calls that the filter still has to send.
    pub drain: Duration,
}

impl SidecarConfig {
    /// Returns the configuration of a sidecar for a module on a free local port, with everything else at its default.
    pub fn new(name: impl Into<String>, module: &Module, routes: Routes) -> Self {
        Self {
            name: name.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            direction: Direction::None,
            routes,
            module: module.clone(),
            plugin_configuration: Vec::new(),
            properties: Vec::new(),
            clusters: BTreeMap::new(),
            any_cluster: None,
            environment: Vec::new(),
            log_level: LogLevel::Info,
            failure_policy: FailurePolicy::FailClosed,
            timeout: Duration::from_secs(15),
            drain: Duration::from_secs(5),
        }
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
