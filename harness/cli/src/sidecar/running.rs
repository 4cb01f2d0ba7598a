//! A sidecar from its start to its stop.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Context;
use sidespan_host::{HostBuilder, LogLine, Shared};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use super::accept::Front;
use super::call::Caller;
use super::config::SidecarConfig;
use super::current::Current;
use super::vm::{State, Vm};

/// A running sidecar, which stops at once when it is dropped; [`Sidecar::stop`] lets it finish.
#[derive(Debug)]
pub struct Sidecar {
    config: SidecarConfig,
    local_addr: SocketAddr,
    state: State,
    vm: Current,
    stop: watch::Sender<bool>,
    front: Mutex<Option<JoinHandle<()>>>,
}

impl Sidecar {
    /// Starts the VM, then listens.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the VM does not start; the message then has the filter's log.
    pub async fn start(config: SidecarConfig) -> anyhow::Result<Self> {
        let listener = listen(config.listen);
        let listener = listener.with_context(|| format!("listening on {}", config.listen))?;
        let local_addr = listener.local_addr()?;
        let state = State::default();
        let vm = Current::new(start(&config, &state).await?);
        let (stop, stopped) = watch::channel(false);
        let front = Front::new(config.clone(), local_addr, vm.clone());
        let front = tokio::spawn(front.run(listener, stopped));
        Ok(Self {
            config,
            local_addr,
            state,
            vm,
            stop,
            front: Mutex::new(Some(front)),
        })
    }

    /// Returns the address that the sidecar listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns the filter's counters by name, which stay readable after the stop.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.shared().counters()
    }

    /// Returns the filter's gauges by name, which stay readable after the stop.
    pub fn gauges(&self) -> BTreeMap<String, u64> {
        self.shared().gauges()
    }

    /// Returns the state that the VM shares: metrics and shared data.
    pub fn shared(&self) -> &Shared {
        &self.state.shared
    }

    /// Returns the filter's latest log lines, as many as the VM's thread keeps.
    pub fn logs(&self) -> Vec<LogLine> {
        self.state.logs()
    }

    /// Replaces the filters: the new ones start first, then take all new streams, and the old ones end with their last
    /// stream. Metrics and shared data stay.
    ///
    /// # Errors
    /// When the new filters do not start; the message then has their log, and the old ones stay.
    pub async fn reload(&self, filters: Vec<HostBuilder>) -> anyhow::Result<()> {
        let config = SidecarConfig {
            filters,
            ..self.config.clone()
        };
        self.vm.replace(start(&config, &self.state).await?);
        if let Some(tape) = &self.config.tape {
            tape.start_anew();
        }
        Ok(())
    }

    /// Stops the sidecar within the configured time: accepts no new connection, lets open requests end, then lets the
    /// filter end with the calls that it still has to send. A second stop does nothing more.
    pub async fn stop(&self) {
        let begun = Instant::now();
        // The receiver is gone after an earlier stop.
        let _ = self.stop.send(true);
        if let Some(front) = self.front.lock().await.take() {
            // The task only fails if it panicked, which was logged then.
            let _ = front.await;
        }
        let left = self.config.drain.saturating_sub(begun.elapsed());
        self.vm.get().stop(left).await;
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        if let Some(front) = self.front.get_mut().take() {
            front.abort();
            self.vm.get().halt();
        }
    }
}

/// Listens with room for some thousand clients that come at once; with the usual room the kernel resets some of them.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A sidecar may be started anew at once, as by tokio's own `bind`.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Number of connections that wait to be taken.
const BACKLOG: u32 = 4_096;

/// Starts VMs, and the sender of their calls.
async fn start(config: &SidecarConfig, state: &State) -> anyhow::Result<Vm> {
    let (vm, calls) = Vm::start(config, state.clone()).await?;
    tokio::spawn(Caller::new(config, vm.clone()).run(calls));
    Ok(vm)
}
