//! `sidespan sidecar`: one proxy-wasm module in front of or behind one service, on real sockets.
//!
//! ```text
//! client ─ HTTP/1.1 or h2c ─► accept ─► exchange ─► pool ─ the same protocol ─► upstream
//!                                          │ ▲
//!                                          ▼ │ one thread
//!                                          VM ─► call ─► cluster
//! ```
//!
//! The VM lives on one thread of its own, since host calls are synchronous; everything else is tokio. A stream of the
//! filter ends exactly once, whatever happens to its sockets. There is no TLS and no retry, and protocol upgrades are
//! not passed on. Nothing here knows what the module is for.

mod accept;
mod arguments;
mod call;
mod exchange;
mod message;
mod pool;
#[cfg(test)]
mod tests;
mod vm;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
pub use arguments::{SidecarArgs, run};
use sidespan_host::{FailurePolicy, LogLevel, LogLine, Module, Path, Shared, Value};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use accept::Front;
use call::Caller;
use vm::Vm;

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

/// Where requests go: by authority, or all to one place.
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

    /// Sends what is for this authority (`orders:8080`, or `orders` for every port) to this address.
    #[must_use]
    pub fn route(mut self, authority: impl Into<String>, address: SocketAddr) -> Self {
        self.by_authority.insert(authority.into(), address);
        self
    }

    fn find(&self, authority: &str) -> Option<SocketAddr> {
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

/// Everything about a sidecar.
#[derive(Clone, Debug)]
pub struct SidecarConfig {
    /// The plugin's name, root id and vm_id, and the name of its thread.
    pub name: String,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which side of the service this is.
    pub direction: Direction,
    /// Where requests go. One without a route is answered 404.
    pub routes: Routes,
    /// The filter.
    pub module: Module,
    /// The plugin configuration.
    pub plugin_configuration: Vec<u8>,
    /// Properties that hold for all streams, mostly below `xds.node`.
    pub properties: Vec<(Path, Value)>,
    /// Which address stands for which cluster in the filter's own calls, as `host:port`. Plain HTTP only.
    pub clusters: BTreeMap<String, String>,
    /// The address for every other cluster. Without it, other clusters are unknown to the filter.
    pub any_cluster: Option<String>,
    /// Environment variables of the VM.
    pub environment: Vec<(String, String)>,
    /// From which level on the filter's log lines are kept.
    pub log_level: LogLevel,
    /// What becomes of requests once the VM has failed.
    pub failure_policy: FailurePolicy,
    /// How long the upstream may take to begin its response once it has the whole request; Envoy's default is 15 s.
    pub timeout: Duration,
    /// How long stopping may take, for open requests and for what the filter still has to send.
    pub drain: Duration,
}

impl SidecarConfig {
    /// Returns a sidecar for a module on a free local port, with everything else at its default.
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

/// A running sidecar. Dropping it stops it at once; [`Sidecar::stop`] lets it finish.
#[derive(Debug)]
pub struct Sidecar {
    local_addr: SocketAddr,
    vm: Vm,
    stop: watch::Sender<bool>,
    drain: Duration,
    front: Mutex<Option<JoinHandle<()>>>,
}

impl Sidecar {
    /// Starts the VM, then listens.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the VM does not start; then the message has the filter's log.
    pub async fn start(config: SidecarConfig) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.with_context(|| format!("listening on {}", config.listen))?;
        let local_addr = listener.local_addr()?;
        let (vm, calls) = Vm::start(&config).await?;
        tokio::spawn(Caller::new(&config, vm.clone()).run(calls));
        let (stop, stopped) = watch::channel(false);
        let drain = config.drain;
        let front = Front::new(config, local_addr, vm.clone());
        let front = tokio::spawn(front.run(listener, stopped));
        Ok(Self {
            local_addr,
            vm,
            stop,
            drain,
            front: Mutex::new(Some(front)),
        })
    }

    /// Returns where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns the filter's counters by name. They stay readable after the stop.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.shared().counters()
    }

    /// Returns the filter's gauges by name. They stay readable after the stop.
    pub fn gauges(&self) -> BTreeMap<String, u64> {
        self.shared().gauges()
    }

    /// Returns everything that the VM shares: metrics and shared data.
    pub fn shared(&self) -> &Shared {
        self.vm.shared()
    }

    /// Returns the filter's log so far, at most the last 65,536 lines.
    pub fn logs(&self) -> Vec<LogLine> {
        self.vm.logs()
    }

    /// Stops: no new connection, open requests to their end, then the filter's own end, with what it still has to send.
    /// All of it within the configured time. Stopping twice does nothing more.
    pub async fn stop(&self) {
        let begun = Instant::now();
        // Nobody listens any more when it was stopped before.
        let _ = self.stop.send(true);
        if let Some(front) = self.front.lock().await.take() {
            // It only fails if it panicked, which has been told then.
            let _ = front.await;
        }
        let left = self.drain.saturating_sub(begun.elapsed());
        self.vm.stop(left).await;
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        if let Some(front) = self.front.get_mut().take() {
            front.abort();
            self.vm.halt();
        }
    }
}
