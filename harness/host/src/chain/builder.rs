//! The start of a chain: each plugin in its VM, one VM for plugins of one key.

use super::filter_chain::FilterChain;
use super::server::Server;
use crate::builder::HostBuilder;
use crate::host::{Host, StartFailure};
use crate::logs::LogLine;
use crate::shared::Shared;

/// A builder of a [`FilterChain`], or of a [`Server`] with several workers.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ChainBuilder {
    plugins: Vec<HostBuilder>,
    shared: Shared,
}

/// A plugin of a chain that did not start.
#[derive(Clone, Debug, thiserror::Error)]
#[error("filter {filter}: {reason}")]
#[non_exhaustive]
pub struct ChainStartError {
    /// The place of the plugin in the chain, from 0.
    pub filter: usize,
    /// The reason.
    pub reason: StartFailure,
    /// The log of all starts so far.
    pub logs: Vec<LogLine>,
}

impl ChainBuilder {
    /// Adds a filter behind those that are there. Data and metrics are shared as [`ChainBuilder::shared`] says, whatever the
    /// builder of the plugin says.
    pub fn plugin(mut self, plugin: HostBuilder) -> Self {
        self.plugins.push(plugin);
        self
    }

    /// Shares data and metrics with other chains and hosts; by default with nobody.
    pub fn shared(mut self, shared: &Shared) -> Self {
        self.shared = shared.clone();
        self
    }

    /// Starts the chain on one worker alone.
    ///
    /// # Errors
    /// [`ChainStartError`] with the first plugin that does not start.
    pub fn start(self) -> Result<FilterChain, ChainStartError> {
        let mut chain = FilterChain::empty();
        for filter in 0..self.plugins.len() {
            self.start_plugin(&mut chain, filter, &mut Vec::new())?;
            chain.gather_all();
        }
        Ok(chain)
    }

    /// Starts the chain as Envoy does: each plugin in a canary of its own, which is dropped, then on the main thread; and
    /// all plugins on each worker. With one worker a plugin starts three times.
    ///
    /// # Errors
    /// [`ChainStartError`] with the first plugin that does not start.
    pub fn start_server(self, workers: usize) -> Result<Server, ChainStartError> {
        let mut logs = Vec::new();
        // What a canary shares outlives it, because Envoy keeps the module that it was made of.
        let plugins = self.plugins.iter();
        let _holds: Vec<_> = plugins
            .map(|plugin| self.shared.hold(&plugin.settings.vm_id))
            .collect();
        let mut main = FilterChain::empty();
        for filter in 0..self.plugins.len() {
            let mut canary = FilterChain::empty();
            self.start_vm(&mut canary, filter, &mut logs)?;
            logs.extend(main.take_logs());
            logs.extend(canary.take_logs());
            self.start_plugin(&mut main, filter, &mut logs)?;
            logs.extend(main.take_logs());
        }
        let lines_before_workers = logs.len();
        let mut chains = Vec::new();
        for _ in 0..workers {
            let mut chain = FilterChain::empty();
            for filter in 0..self.plugins.len() {
                self.start_plugin(&mut chain, filter, &mut logs)?;
                logs.extend(chain.take_logs());
            }
            chains.push(chain);
        }
        Ok(Server {
            main,
            workers: chains,
            start_logs: logs,
            lines_before_workers,
            shared: self.shared,
        })
    }

    /// Starts a plugin on a thread: in the VM of an earlier plugin with the same key, or in one of its own.
    fn start_plugin(
        &self,
        chain: &mut FilterChain,
        filter: usize,
        logs: &mut Vec<LogLine>,
    ) -> Result<(), ChainStartError> {
        let plugin = &self.plugins[filter];
        let twin = self.plugins[..filter]
            .iter()
            .position(|other| other.has_vm_of(plugin));
        let Some(vm) = twin.and_then(|twin| chain.vm_of(twin)) else {
            return self.start_vm(chain, filter, logs);
        };
        let host = &mut chain.vms[vm];
        match host.install(plugin.plugin.clone().into()) {
            Ok(place) => chain.filters.push((vm, place)),
            Err(reason) => return Err(failed(filter, reason, host, logs)),
        }
        Ok(())
    }

    fn start_vm(
        &self,
        chain: &mut FilterChain,
        filter: usize,
        logs: &mut Vec<LogLine>,
    ) -> Result<(), ChainStartError> {
        let builder = self.plugins[filter].clone().shared(&self.shared);
        let mut host = builder
            .start()
            .map_err(|mut error| failed(filter, error.reason, &mut error.host, logs))?;
        host.leave_queues_to_chain();
        chain.filters.push((chain.vms.len(), 0));
        chain.vms.push(host);
        Ok(())
    }
}

fn failed(
    filter: usize,
    reason: StartFailure,
    host: &mut Host,
    logs: &mut Vec<LogLine>,
) -> ChainStartError {
    logs.extend(host.take_logs());
    ChainStartError {
        filter,
        reason,
        logs: std::mem::take(logs),
    }
}

impl FilterChain {
    /// Returns a builder of a chain, which needs at least one filter: without any, nothing comes out at its other end.
    pub fn builder() -> ChainBuilder {
        ChainBuilder::default()
    }

    fn empty() -> Self {
        Self {
            vms: Vec::new(),
            filters: Vec::new(),
            streams: Default::default(),
            last_stream: 0,
            logs: Default::default(),
        }
    }
}
