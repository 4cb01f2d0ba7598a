//! The threads of one Envoy process: the main thread and its workers, each with VMs of its own.

use super::filter_chain::FilterChain;
use crate::logs::LogLine;
use crate::shared::Shared;

/// A chain on every thread of an Envoy: on the main thread, where only ticks, calls and queues happen, and on each worker.
///
/// The canaries that Envoy starts first are gone; the calls that they have made vanish with them, and the metrics that they
/// have defined stay.
#[derive(Debug)]
pub struct Server {
    pub(super) main: FilterChain,
    pub(super) workers: Vec<FilterChain>,
    pub(super) start_logs: Vec<LogLine>,
    pub(super) lines_before_workers: usize,
    pub(super) shared: Shared,
}

impl Server {
    /// Returns the chain of the main thread, which gets no requests.
    pub fn main(&mut self) -> &mut FilterChain {
        &mut self.main
    }

    /// Returns the chain of a worker; `None` if there are not as many.
    pub fn worker(&mut self, worker: usize) -> Option<&mut FilterChain> {
        self.workers.get_mut(worker)
    }

    /// Returns the number of workers.
    pub fn worker_count(&self) -> usize {
        self.workers.len()
    }

    /// Returns the lines that were logged at the start, in Envoy's order: canary and main thread of each plugin, then the
    /// workers. The VMs' own logs begin behind them.
    pub fn start_logs(&self) -> &[LogLine] {
        &self.start_logs
    }

    /// Returns those lines of the start that came from the canaries and the main thread.
    pub fn start_logs_of_main(&self) -> &[LogLine] {
        self.start_logs
            .get(..self.lines_before_workers)
            .unwrap_or_default()
    }

    /// Returns those lines of the start that came from the workers.
    pub fn start_logs_of_workers(&self) -> &[LogLine] {
        self.start_logs
            .get(self.lines_before_workers..)
            .unwrap_or_default()
    }

    /// Returns the metrics and shared data of the process.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Returns the chains: the main thread's, and those of the workers, each of which can go to a thread of its own.
    pub fn into_chains(self) -> (FilterChain, Vec<FilterChain>) {
        (self.main, self.workers)
    }
}
