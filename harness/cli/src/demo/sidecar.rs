//! A service's sidecar: an inbound side in front of the service and an outbound side for its calls, both with the filter.
//!
//! Two kinds behind one interface, so that a run of the mesh does not depend on the kind: the built-in host, and a real
//! Envoy set up as Istio sets one up, with node metadata and with listeners that have a direction. No port is chosen
//! here.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Protocol, Route, Wasm};
use sidespan_host::Module;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::config::COLLECTOR;
use crate::envoy;
use crate::sidecar::{self, Routes, Sidecar, SidecarConfig};

/// The kind of a run's sidecars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The built-in host, in this process.
    BuiltIn,
    /// Real Envoys, a process each.
    Envoy,
}

/// The surroundings of one sidecar.
#[derive(Debug)]
pub(super) struct Wiring {
    /// Name of the service behind the sidecar.
    pub(super) service: &'static str,
    /// Address of that service.
    pub(super) app: SocketAddr,
    /// Names of the service's callees, and the inbound addresses of their sidecars.
    pub(super) peers: Vec<(&'static str, SocketAddr)>,
    /// Address of the collector for OTLP/gRPC.
    pub(super) collector: SocketAddr,
    /// Configuration of the filter, in JSON.
    pub(super) plugin: String,
}

/// A launcher of sidecars of one kind.
#[derive(Debug)]
pub(super) enum Launcher {
    BuiltIn { module: Module },
    Envoy { binary: PathBuf, folder: TempDir },
}

/// A running sidecar, which stops when it is dropped.
#[derive(Debug)]
pub(super) struct Pair {
    inbound: SocketAddr,
    outbound: SocketAddr,
    running: Running,
}

#[derive(Debug)]
enum Running {
    BuiltIn {
        inbound: Box<Sidecar>,
        outbound: Box<Sidecar>,
    },
    Envoy(Envoy),
}

impl Launcher {
    /// Compiles the filter for the built-in host, or finds Envoy's binary, which is fetched the first time.
    pub(super) async fn prepare(kind: Kind) -> anyhow::Result<Self> {
        if kind == Kind::BuiltIn {
            let module = spawn_blocking(|| Module::compile(crate::embedded::FILTER)).await??;
            return Ok(Self::BuiltIn { module });
        }
        let binary = envoy::binary().await?;
        let folder = tempfile::Builder::new()
            .prefix("sidespan-demo-")
            .tempdir()?;
        fs::write(module_in(folder.path()), crate::embedded::FILTER)?;
        Ok(Self::Envoy { binary, folder })
    }

    /// Starts one sidecar and waits until it serves.
    pub(super) async fn start(&self, wiring: Wiring) -> anyhow::Result<Pair> {
        match self {
            Self::BuiltIn { module } => built_in(&wiring, module).await,
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
    /// Returns the address for requests to the service.
    pub(super) fn inbound(&self) -> SocketAddr {
        self.inbound
    }

    /// Returns the address for the service's own calls.
    pub(super) fn outbound(&self) -> SocketAddr {
        self.outbound
    }

    /// Stops the sidecar.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        match self.running {
            Running::BuiltIn { inbound, outbound } => {
                inbound.stop().await;
                outbound.stop().await;
                Ok(())
            }
            // Dropping an Envoy waits for its end.
            Running::Envoy(envoy) => spawn_blocking(move || drop(envoy))
                .await
                .context("stopping an Envoy"),
        }
    }
}

/// Starts both sides on the built-in host, with the node metadata that Istio's agent would give them.
async fn built_in(wiring: &Wiring, module: &Module) -> anyhow::Result<Pair> {
    let config = |side, direction, routes| {
        let name = format!("{} {side}", wiring.service);
        let mut config = SidecarConfig::new(name, module, routes)
            .node_metadata("NAME", pod(wiring.service).as_str())
            .node_metadata("NAMESPACE", NAMESPACE)
            .node_metadata("WORKLOAD_NAME", wiring.service)
            .node_label("service.istio.io/canonical-name", wiring.service)
            .plugin_configuration(wiring.plugin.as_bytes());
        config.direction = direction;
        let collector = wiring.collector.to_string();
        config.clusters.insert(COLLECTOR.to_owned(), collector);
        config
    };
    let to_peers = wiring
        .peers
        .iter()
        .fold(Routes::default(), |routes, (name, address)| {
            routes.route(*name, *address)
        });
    let inbound = config(INBOUND, sidecar::Direction::Inbound, Routes::to(wiring.app));
    let outbound = config(OUTBOUND, sidecar::Direction::Outbound, to_peers);
    let (inbound, outbound) = tokio::try_join!(Sidecar::start(inbound), Sidecar::start(outbound))?;
    Ok(Pair {
        inbound: inbound.local_addr(),
        outbound: outbound.local_addr(),
        running: Running::BuiltIn {
            inbound: Box::new(inbound),
            outbound: Box::new(outbound),
        },
    })
}

fn bootstrap(wiring: &Wiring, module: &Path) -> Bootstrap {
    let wasm = Wasm::new("sidespan", module).configuration(&wiring.plugin);
    let node = Node::sidecar(NAMESPACE, &pod(wiring.service));
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

/// Returns the name that a Deployment gives a pod of the service.
fn pod(service: &str) -> String {
    format!("{service}-7d9c5b8f6-x2x4z")
}

fn module_in(folder: &Path) -> PathBuf {
    folder.join("filter.wasm")
}

const INBOUND: &str = "inbound";
const OUTBOUND: &str = "outbound";
const APP: &str = "app";
const NAMESPACE: &str = "shop";
