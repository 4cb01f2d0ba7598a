//! A service's sidecar: an inbound side in front of the service and an outbound side for its calls, both with the filter.
//!
//! Two kinds behind one face, so that a run of the mesh does not know which it has: the built-in host, and a real Envoy set
//! up as Istio sets one up, with node metadata and with listeners that have a direction. No port is chosen here.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Protocol, Route, Wasm};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::config::COLLECTOR;
use super::progress;

/// What the sidecars of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The built-in host, in this process.
    BuiltIn,
    /// Real Envoys, a process each.
    Envoy,
}

/// Where one sidecar stands.
#[derive(Debug)]
pub(super) struct Wiring {
    /// The name of the service that it stands in front of.
    pub(super) service: &'static str,
    /// Where that service listens.
    pub(super) app: SocketAddr,
    /// Whom the service calls, and the inbound sides of their sidecars.
    pub(super) peers: Vec<(&'static str, SocketAddr)>,
    /// Where the collector takes OTLP/gRPC.
    pub(super) collector: SocketAddr,
    /// The configuration of the filter, in JSON.
    pub(super) plugin: String,
}

/// Starts sidecars of one kind.
#[derive(Debug)]
pub(super) enum Launcher {
    Envoy { binary: PathBuf, folder: TempDir },
}

/// A running sidecar; dropping it stops it.
#[derive(Debug)]
pub(super) struct Pair {
    inbound: SocketAddr,
    outbound: SocketAddr,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Envoy(Envoy),
}

impl Launcher {
    /// Gets what sidecars of this kind need: for Envoy its binary, which is fetched the first time.
    pub(super) async fn prepare(kind: Kind) -> anyhow::Result<Self> {
        let Kind::Envoy = kind else {
            anyhow::bail!("this build has no built-in sidecar; --envoy has real ones")
        };
        progress("looking for Envoy, which is fetched the first time");
        let binary = spawn_blocking(|| sidespan_envoy::install(&target_dir())).await??;
        let folder = tempfile::Builder::new()
            .prefix("sidespan-demo-")
            .tempdir()?;
        fs::write(module_in(folder.path()), crate::FILTER)?;
        Ok(Self::Envoy { binary, folder })
    }

    /// Starts one sidecar and waits until it serves.
    pub(super) async fn start(&self, wiring: Wiring) -> anyhow::Result<Pair> {
        match self {
            Self::Envoy { binary, folder } => {
                let bootstrap = bootstrap(&wiring, &module_in(folder.path()));
                let binary = binary.clone();
                let envoy = spawn_blocking(move || Envoy::start(&binary, &bootstrap)).await??;
                Ok(Pair {
                    inbound: envoy.address(INBOUND)?,
                    outbound: envoy.address(OUTBOUND)?,
                    running: Running::Envoy(envoy),
                })
            }
        }
    }
}

impl Pair {
    /// Returns where requests for the service go.
    pub(super) fn inbound(&self) -> SocketAddr {
        self.inbound
    }

    /// Returns where the service's own calls go.
    pub(super) fn outbound(&self) -> SocketAddr {
        self.outbound
    }

    /// Stops it.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        match self.running {
            // Dropping an Envoy waits for its end.
            Running::Envoy(envoy) => spawn_blocking(move || drop(envoy))
                .await
                .context("stopping an Envoy"),
        }
    }
}

fn bootstrap(wiring: &Wiring, module: &Path) -> Bootstrap {
    let wasm = Wasm::new("sidespan", module).configuration(&wiring.plugin);
    let node = Node::sidecar(NAMESPACE, &format!("{}-7d9c5b8f6-x2x4z", wiring.service));
    let inbound = Listener::new(INBOUND)
        .direction(Direction::Inbound)
        .route(Route::to(APP))
        .filter(wasm.filter());
    let to_peers = wiring.peers.iter().fold(
        Listener::new(OUTBOUND)
            .direction(Direction::Outbound)
            .filter(wasm.filter()),
        |listener, (name, _)| listener.route(Route::to(name).authority(name)),
    );
    let collector = Cluster::new(COLLECTOR, wiring.collector).protocol(Protocol::Http2);
    let bootstrap = Bootstrap::new(node)
        .listener(inbound)
        .listener(to_peers)
        .cluster(Cluster::new(APP, wiring.app))
        .cluster(collector);
    wiring
        .peers
        .iter()
        .fold(bootstrap, |bootstrap, (name, address)| {
            bootstrap.cluster(Cluster::new(name, *address))
        })
}

/// Returns cargo's folder for build products, where this program is in one; else a folder of this name here.
fn target_dir() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").exists();
    program
        .ancestors()
        .find(is_target)
        .map_or_else(|| PathBuf::from("target"), Path::to_path_buf)
}

fn module_in(folder: &Path) -> PathBuf {
    folder.join("filter.wasm")
}

const INBOUND: &str = "inbound";
const OUTBOUND: &str = "outbound";
const APP: &str = "app";
const NAMESPACE: &str = "shop";
