//! A scenario's run on a real Envoy: a client in front, an upstream and the clusters of the filters' calls behind, all
//! over connections of this machine.
//!
//! Real time passes, so the observations wait on what Envoy says of itself: no stream under way, a line in the access log.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::try_join_all;
use sidespan_envoy::{Envoy, wait_for};
use tokio::runtime::Runtime;

use super::answers::Answers;
use super::convert::{add, fields, request_headers};
use super::framing;
use super::modules::Loaded;
use super::passed::{Outcome, Passed, Proxy, Tcp};
use super::pattern::Known;
use super::scenario::{Connection, Ending, Protocol, Scenario, Step};
use sidespan_host::Headers;

mod access_log;
mod bootstrap;
mod client;
mod fence;
mod guest_log;
mod http1;
mod http2;
mod limits;
mod names;
mod sent;
mod server;
mod tcp;

use guest_log::GuestLog;
use names::{FENCE, LISTENER, PATIENCE, UPSTREAM};
use server::{Script, Server};
use tcp::TcpServer;

/// A running Envoy, and everything around it.
pub(super) struct OnEnvoy {
    runtime: Runtime,
    envoy: Envoy,
    upstream: Server,
    tcp: TcpServer,
    clusters: Vec<Server>,
    log: GuestLog,
    /// The modules' files.
    _folder: tempfile::TempDir,
    protocol: Protocol,
    after: Duration,
    exchanges: usize,
}

impl OnEnvoy {
    /// Starts the servers, and an Envoy with the filters.
    ///
    /// # Errors
    /// When the scenario wants what only the built-in host can do, or Envoy does not start.
    pub(super) fn start(
        modules: &[Loaded],
        scenario: &Scenario,
        file: &Path,
    ) -> anyhow::Result<Self> {
        limits::check(scenario)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let upstream = runtime.block_on(Server::start(UPSTREAM, scenario.upstream_protocol()))?;
        let tcp = TcpServer::start()?;
        let answers = scenario
            .calls
            .as_ref()
            .map(Answers::new)
            .unwrap_or_default();
        let mut clusters = Vec::new();
        for (name, is_away) in answers.clone().clusters() {
            if !is_away {
                let server = runtime.block_on(Server::start(name, Protocol::Http2))?;
                server.answer_with(answers.clone());
                clusters.push(server);
            }
        }
        let folder = tempfile::tempdir()?;
        let plan = bootstrap::Plan {
            scenario,
            file,
            modules,
            folder: folder.path(),
            upstream: match scenario.connections.is_empty() {
                true => upstream.address(),
                false => tcp.address(),
            },
            clusters: &clusters,
        };
        let bootstrap = plan.bootstrap()?;
        let binary = runtime.block_on(crate::envoy::binary())?;
        let envoy = Envoy::start(&binary, &bootstrap)?;
        let log = GuestLog::new(&plan.prefixes(), envoy.pid());
        Ok(Self {
            runtime,
            envoy,
            upstream,
            tcp,
            clusters,
            log,
            _folder: folder,
            protocol: scenario.protocol,
            after: scenario.after.map_or(Duration::ZERO, |after| after.0),
            exchanges: 0,
        })
    }

    /// Waits until Envoy has ended all streams.
    fn rest(&self) -> anyhow::Result<()> {
        let is_at_rest = || {
            let stats = self.envoy.stats("").ok()?;
            let is_under_way = |name: &String| {
                *name == format!("http.{LISTENER}.downstream_rq_active")
                    // A request that a filter has sent on twice stays active for ever.
                    || name.starts_with("cluster.")
                        && !name.starts_with(&format!("cluster.{UPSTREAM}."))
                        && name.ends_with(".upstream_rq_active")
            };
            let mut active = stats.iter().filter(|(name, _)| is_under_way(name));
            active.all(|(_, count)| *count == 0).then_some(Ok(()))
        };
        let look = || self.envoy.end().map(Err).or_else(is_at_rest);
        wait_for(PATIENCE, look).context("Envoy still has a stream under way")??;
        Ok(())
    }

    /// Returns the end of an Envoy that has crashed in place of what followed from it.
    fn unless_ended<T>(&self, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
        if self.log.has_crashed(&self.envoy.log()) {
            // The crash writes its backtrace before the process ends.
            self.envoy.wait_for_end(PATIENCE)?;
        }
        match self.envoy.end() {
            Some(end) => Err(end.into()),
            None => outcome,
        }
    }

    fn pass(&mut self, steps: &[Step], known: &Known) -> anyhow::Result<Vec<Passed>> {
        let mut all = Vec::new();
        let mut scripts = Vec::new();
        let mut wait = Duration::ZERO;
        for (at, step) in steps.iter().enumerate() {
            wait += step.wait.map_or(Duration::ZERO, |wait| wait.0);
            let headers = request_headers(&step.request, known)?;
            let mut trailers = Headers::new();
            add(&mut trailers, &step.request.trailers, known)?;
            let path = headers.get(":path").unwrap_or_default();
            scripts.push((path.to_vec(), Script::new(step, known)?));
            all.push(sent::Sent {
                headers,
                chunks: step.request.chunks(),
                trailers,
                wait,
                at,
                is_abandoned: step.ending == Ending::ClientAbort,
            });
        }
        let arrived: Vec<_> = all
            .iter()
            .map(|sent| fields(&framing::arrive(self.protocol, sent.headers.clone())))
            .collect();
        self.upstream.follow(scripts);
        let address = self.envoy.address(LISTENER)?;
        let clients = all
            .into_iter()
            .map(|sent| client::exchange(address, self.protocol, sent, self.upstream.arrivals()));
        let received = self.runtime.block_on(try_join_all(clients))?;
        let before = self.exchanges;
        self.exchanges += steps.len();
        // A silent cluster never ends its call, so that nothing can be said of the others' rest.
        let is_silent = self.clusters.iter().any(Server::is_silent);
        if !is_silent {
            self.rest()?;
        }
        let upstream = self.upstream.take();
        let mut passed = Vec::new();
        for ((request, received), (upstream, upstream_requests)) in
            arrived.into_iter().zip(received).zip(upstream)
        {
            let client = received.client.context("a request without a connection")?;
            let line = access_log::wait(&self.envoy, LISTENER, before, client)?;
            passed.push(Passed {
                request,
                upstream,
                upstream_requests,
                // Envoy's codec has written what follows from them.
                is_upstream_headers_only: false,
                is_downstream_headers_only: false,
                downstream: received.message,
                is_reset: received.is_reset,
                details: line.details,
                flags: line.flags,
            });
        }
        Ok(passed)
    }

    fn connect(&mut self, connection: &Connection) -> anyhow::Result<Tcp> {
        let address = self.envoy.address(LISTENER)?;
        let fence = self.envoy.address(FENCE)?;
        let tcp = self.tcp.connect(address, fence, connection)?;
        self.rest()?;
        Ok(tcp)
    }

    fn outcome(&self) -> anyhow::Result<Outcome> {
        let (logs, proxy_logs) = self.log.lines(&self.envoy.log());
        let counters = guest_log::counters(&self.envoy)?;
        let mut calls: Vec<_> = self.clusters.iter().flat_map(Server::calls).collect();
        calls.sort_by_key(|(order, _)| *order);
        Ok(Outcome {
            transcript: Vec::new(),
            main_logs: self.log.lines_of_main(&self.envoy.log()),
            logs,
            proxy_logs,
            counters,
            calls: calls.into_iter().map(|(_, call)| call).collect(),
            spans: Vec::new(),
        })
    }
}

impl Proxy for OnEnvoy {
    fn exchanges(&mut self, steps: &[Step], known: &Known) -> anyhow::Result<Vec<Passed>> {
        let passed = self.pass(steps, known);
        self.unless_ended(passed)
    }

    fn connection(&mut self, connection: &Connection) -> anyhow::Result<Tcp> {
        std::thread::sleep(connection.wait.map_or(Duration::ZERO, |wait| wait.0));
        let tcp = self.connect(connection);
        self.unless_ended(tcp)
    }

    fn finish(self: Box<Self>) -> anyhow::Result<Outcome> {
        std::thread::sleep(self.after);
        let outcome = self.outcome();
        self.unless_ended(outcome)
    }
}
