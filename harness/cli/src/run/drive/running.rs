//! The chains of all threads in virtual time, the calls of their filters, and their logs.

use std::path::Path;
use std::time::Duration;

use sidespan_host::{Detail, FilterChain, LogLine, Shared};

use super::calls::Calls;
use super::carry::{Carriage, Piece};
use super::start;
use crate::run::modules::Loaded;
use crate::run::scenario::{Protocol, Scenario};

/// A running scenario.
pub(in crate::run) struct Drive {
    /// The chain of the main thread, which gets no requests.
    pub(super) main: FilterChain,
    /// The chain of the worker that gets the requests.
    pub(super) chain: FilterChain,
    /// The chains of further workers.
    pub(super) idle: Vec<FilterChain>,
    pub(super) shared: Shared,
    pub(super) protocol: Protocol,
    pub(super) upstream_protocol: Protocol,
    pub(super) after: Duration,
    pub(super) calls: Calls,
    pub(super) main_logs: Vec<String>,
    pub(super) logs: Vec<String>,
    pub(super) proxy_logs: Vec<String>,
}

impl Drive {
    /// Starts a VM for each filter of the scenario in a canary, on the main thread and on each worker, as Envoy does.
    ///
    /// # Errors
    /// When a filter does not start, with its log.
    pub(in crate::run) fn start(
        modules: &[Loaded],
        scenario: &Scenario,
        file: &Path,
        detail: Detail,
    ) -> anyhow::Result<Self> {
        let shared = Shared::new();
        let mut builder = FilterChain::builder().shared(&shared);
        for (filter, module) in scenario.chain().iter().zip(modules) {
            builder =
                builder.plugin(start::plugin(filter, module, scenario, file)?.transcript(detail));
        }
        let workers = scenario.workers();
        let server = builder.start_server(workers);
        let server = server.map_err(|error| start::failed(&error))?;
        let start_logs_of_main = server.start_logs_of_main().to_vec();
        let start_logs = server.start_logs_of_workers().to_vec();
        let (main, mut workers) = server.into_chains();
        let mut drive = Self {
            main,
            // A scenario has a worker at least.
            chain: workers.remove(0),
            idle: workers,
            shared,
            protocol: scenario.protocol,
            upstream_protocol: scenario.upstream_protocol(),
            after: scenario.after.map_or(FIVE_SECONDS, |after| after.0),
            calls: Calls::new(scenario),
            main_logs: start_logs_of_main.iter().map(shown).collect(),
            logs: Vec::new(),
            proxy_logs: Vec::new(),
        };
        drive.keep_logs(start_logs);
        drive.take_logs();
        Ok(drive)
    }

    /// Lets time pass and answers the calls of the filters as they come.
    ///
    /// # Errors
    /// When an export cannot be read.
    pub(super) fn wait(&mut self, length: Duration) -> anyhow::Result<()> {
        let end = self.now() + length;
        loop {
            self.answer_calls()?;
            let now = self.now();
            let left = end.saturating_sub(now);
            if left.is_zero() {
                return Ok(());
            }
            // Steps end at the next tick at most, so that a call is answered when it is made and not when it is late.
            let due = self.chains().filter_map(|chain| chain.due_in());
            let step = due
                .chain(self.calls.due_in(now))
                .min()
                .map_or(left, |due| due.min(left));
            let step = step.max(Duration::from_millis(1));
            self.chains_mut().for_each(|chain| chain.advance(step));
            self.take_logs();
        }
    }

    /// Takes the filters' new calls, and gives the answers that are due.
    ///
    /// # Errors
    /// When an export cannot be read.
    pub(super) fn answer_calls(&mut self) -> anyhow::Result<()> {
        loop {
            let chains = [&mut self.main, &mut self.chain].into_iter();
            let chains = chains.chain(&mut self.idle);
            let mut hosts: Vec<_> = chains.flat_map(FilterChain::vms_mut).collect();
            if !self.calls.turn(&mut hosts)? {
                break;
            }
            self.chains_mut().for_each(FilterChain::settle);
            self.take_logs();
        }
        Ok(())
    }

    pub(super) fn now(&self) -> Duration {
        self.chain.now()
    }

    /// Returns the chains of all threads.
    pub(super) fn chains(&self) -> impl Iterator<Item = &FilterChain> {
        [&self.main, &self.chain].into_iter().chain(&self.idle)
    }

    pub(super) fn chains_mut(&mut self) -> impl Iterator<Item = &mut FilterChain> {
        let first = [&mut self.main, &mut self.chain];
        first.into_iter().chain(&mut self.idle)
    }

    /// Takes the lines that the filters have logged on the workers since this was last called.
    pub(super) fn take_logs(&mut self) {
        self.main_logs
            .extend(self.main.take_logs().iter().map(shown));
        let mut lines = self.chain.take_logs();
        lines.extend(self.idle.iter_mut().flat_map(FilterChain::take_logs));
        self.keep_logs(lines);
    }

    pub(super) fn keep_logs(&mut self, lines: Vec<LogLine>) {
        for line in lines {
            let text = shown(&line);
            match line.prefix {
                None => self.proxy_logs.push(text),
                Some(_) => self.logs.push(text),
            }
        }
    }

    /// Gives a piece of a message to the filters.
    ///
    /// # Errors
    /// When an export cannot be read.
    pub(super) fn give(&mut self, carriage: &mut Carriage, piece: Piece) -> anyhow::Result<()> {
        carriage.give(&mut self.chain, piece);
        self.take_logs();
        self.settle_calls(carriage)
    }

    /// Answers the calls that are due, and takes further what the filters let through by then.
    pub(super) fn settle_calls(&mut self, carriage: &mut Carriage) -> anyhow::Result<()> {
        self.answer_calls()?;
        carriage.pump(&mut self.chain);
        self.take_logs();
        Ok(())
    }
}

/// Returns a line of a log, with its level in front.
fn shown(line: &LogLine) -> String {
    let level = format!("{:?}", line.level).to_lowercase();
    format!("{level}: {}", line.text)
}

const FIVE_SECONDS: Duration = Duration::from_secs(5);
