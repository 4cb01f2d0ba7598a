//! One candidate at work: a real Envoy with one worker, its receiver, and the CPU time that a load costs.
//!
//! The kernel's figure is read before the load and again when all work of the load is done: spans have come, and the
//! process rests. Between the two nothing queries Envoy, because an answer of its admin interface costs as much as many
//! requests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, Listener, Node, Protocol, Route, Tracer, Wasm,
    ZipkinContext,
};
use tokio::task::spawn_blocking;

use super::candidate::{Build, Candidate, Exports, RECEIVER, Work};
use super::cpu;
use super::h2load::{self, Load};
use super::least::{NAMESPACE, POD};
use super::receiver::Receiver;
use super::span_wait::SpanWait;

/// The parts that all candidates share.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) envoy: std::path::PathBuf,
    pub(super) filter: std::path::PathBuf,
    pub(super) floor: std::path::PathBuf,
    pub(super) least: std::path::PathBuf,
    pub(super) upstream: SocketAddr,
}

/// A running candidate.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) candidate: Candidate,
    envoy: Envoy,
    address: SocketAddr,
    receiver: Option<Receiver>,
    /// Spans that are to come of the requests so far.
    awaited: SpanWait,
    /// CPU time used in a second without requests, in seconds.
    idle: f64,
}

/// The CPU time that a process had used at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    at: Instant,
    used: Duration,
}

/// The memory of a process at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) resident_bytes: u64,
    /// The part of no file: what is not the program's code, which processes share.
    pub(super) anonymous_bytes: u64,
}

/// The spans of one candidate, counted by where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spans {
    /// Requests that had to become spans; unset where chance decided.
    pub(super) due: Option<u64>,
    pub(super) received: u64,
    /// Spans that are still queued in the filter.
    pub(super) queued: u64,
    /// Envoy's statistics about the spans, by name.
    pub(super) counters: BTreeMap<String, u64>,
}

impl Spans {
    /// Adds the counts of another process.
    pub(super) fn add(&mut self, other: Self) {
        if let Some(due) = other.due {
            *self.due.get_or_insert_default() += due;
        }
        self.received += other.received;
        self.queued += other.queued;
        for (name, value) in other.counters {
            *self.counters.entry(name).or_default() += value;
        }
    }

    /// Returns the number of due spans that are neither received nor queued.
    pub(super) fn missing(&self) -> u64 {
        let due = self.due.unwrap_or(0);
        due.saturating_sub(self.received + self.queued)
    }
}

/// Returns the name of the file of another build's module, beside this program's.
pub(super) fn other_module(name: &str) -> String {
    format!("{name}.other.wasm")
}

/// Starts the service behind all candidates: an Envoy that answers by itself.
pub(super) async fn upstream(binary: &Path) -> anyhow::Result<Envoy> {
    let listener = Listener::new(IN).route(Route::answer(200, "ok"));
    let bootstrap = Bootstrap::new(Node::plain("upstream", "upstream")).listener(listener);
    start(binary, bootstrap).await
}

impl Runner {
    /// Starts a candidate and waits until it serves.
    pub(super) async fn start(candidate: Candidate, ground: &Ground) -> anyhow::Result<Self> {
        let receiver = match candidate.work {
            Work::OpenTelemetry { .. } | Work::Sidespan(..) | Work::Least(..) => {
                Some(Receiver::otlp().await?)
            }
            Work::Zipkin => Some(Receiver::zipkin().await?),
            Work::Nothing | Work::Floor(_) => None,
        };
        let receives = receiver.as_ref().map(Receiver::address);
        let bootstrap = bootstrap(&candidate.work, ground, receives);
        let envoy = start(&ground.envoy, bootstrap)
            .await
            .with_context(|| format!("`{}` does not start", candidate.name))?;
        Ok(Self {
            address: envoy.address(IN)?,
            candidate,
            envoy,
            receiver,
            awaited: SpanWait::default(),
            idle: 0.0,
        })
    }

    /// Takes over what an earlier process of the same candidate has used without requests.
    pub(super) fn idle_as(&mut self, earlier: &Self) {
        self.idle = earlier.idle;
    }

    /// Takes the CPU time between two looks without requests as the idle CPU time.
    pub(super) fn learn_idle(&mut self, first: Look, second: Look) {
        let seconds = (second.at - first.at).as_secs_f64();
        self.idle = second.used.saturating_sub(first.used).as_secs_f64() / seconds;
    }

    /// Returns the CPU time used in a second without requests, in microseconds.
    pub(super) fn idle_us_per_second(&self) -> f64 {
        self.idle * MICROS
    }

    /// Reads the CPU time used so far.
    pub(super) fn look(&self) -> anyhow::Result<Look> {
        Ok(Look {
            at: Instant::now(),
            used: cpu::used(self.envoy.pid())?,
        })
    }

    /// Sends a load and returns its cost per request, in microseconds of CPU time, and the requests a second.
    pub(super) async fn measure(&mut self, load: Load<'_>) -> anyhow::Result<(f64, f64)> {
        let before = self.look()?;
        let rate = self.send(load).await?;
        let sent = Instant::now();
        self.wait_for_spans().await;
        let rest = self.rest().await?;
        let used = rest.used.saturating_sub(before.used).as_secs_f64();
        // Waiting for timers takes seconds, and an Envoy that waits is not free.
        let waiting = rest.at.saturating_duration_since(sent).as_secs_f64() * self.idle;
        Ok(((used - waiting) * MICROS / load.requests as f64, rate))
    }

    /// Sends a load and returns the requests a second.
    pub(super) async fn send(&mut self, load: Load<'_>) -> anyhow::Result<f64> {
        let sent = h2load::send(self.address, load).await;
        let rate = sent.with_context(|| {
            let log = self.envoy.log();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
            let name = &self.candidate.name;
            format!("`{name}` (the end of its log: {end:?})")
        })?;
        self.awaited.send(load.requests);
        Ok(rate)
    }

    /// Returns the memory of the candidate's Envoy.
    pub(super) fn memory(&self) -> anyhow::Result<Memory> {
        Ok(Memory {
            resident_bytes: self.envoy.resident_bytes()?,
            anonymous_bytes: self.envoy.anonymous_bytes()?,
        })
    }

    /// Waits for the last spans and counts them, once nothing is measured any more.
    pub(super) async fn count_spans(&self) -> anyhow::Result<Option<Spans>> {
        let Some(receiver) = &self.receiver else {
            return Ok(None);
        };
        let is_all = matches!(self.candidate.exports(), Exports::All { .. });
        if is_all {
            receiver.wait_for(self.awaited.due(0), PATIENCE).await;
        }
        let counters = self.counters()?;
        let due = is_all.then_some(self.awaited.sent());
        let received = receiver.received();
        let queued = counters.get(QUEUED).copied().unwrap_or(0);
        Ok(Some(Spans {
            due,
            received,
            // The filter writes this gauge once a second; spans that have come since are no longer queued.
            queued: due.map_or(queued, |due| queued.min(due.saturating_sub(received))),
            counters,
        }))
    }

    async fn wait_for_spans(&mut self) {
        let Some(receiver) = &self.receiver else {
            return;
        };
        match self.candidate.exports() {
            Exports::Nothing => {}
            Exports::Some { pause } => receiver.wait_for_silence(pause).await,
            // Spans that never come are reported in the end, with the filter's counters.
            Exports::All { late } => {
                receiver.wait_for(self.awaited.due(late), PATIENCE).await;
                self.awaited.give_up(receiver.received(), late);
            }
        }
    }

    /// Waits until the process rests, and returns its CPU time at the start of that rest.
    async fn rest(&self) -> anyhow::Result<Look> {
        let deadline = Instant::now() + PATIENCE;
        let mut last = self.look()?;
        loop {
            tokio::time::sleep(REST).await;
            let now = self.look()?;
            if now.used.saturating_sub(last.used) < REST / 50 {
                return Ok(last);
            }
            ensure!(
                now.at < deadline,
                "`{}` works on without requests, so that its cost cannot be told",
                self.candidate.name
            );
            last = now;
        }
    }

    fn counters(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut counters = BTreeMap::new();
        for prefix in ["tracing.", OURS] {
            for (name, value) in self.envoy.stats(prefix)? {
                let is_told = !name.starts_with(OURS) || TOLD.iter().any(|it| name.contains(it));
                if is_told {
                    counters.insert(name, value);
                }
            }
        }
        Ok(counters)
    }
}

async fn start(binary: &Path, bootstrap: Bootstrap) -> anyhow::Result<Envoy> {
    let binary = binary.to_owned();
    // Lines of a log would be charged to the requests.
    let bootstrap = bootstrap.log_levels("wasm:warning");
    Ok(spawn_blocking(move || Envoy::start(&binary, &bootstrap)).await??)
}

fn bootstrap(work: &Work, ground: &Ground, receiver: Option<SocketAddr>) -> Bootstrap {
    let mut listener = Listener::new(IN)
        .direction(Direction::Inbound)
        .route(Route::to(UPSTREAM));
    let mut bootstrap = Bootstrap::new(Node::sidecar(NAMESPACE, POD))
        .cluster(Cluster::new(UPSTREAM, ground.upstream));
    if let Some(address) = receiver {
        let protocol = match work {
            Work::Zipkin => Protocol::Http1,
            _ => Protocol::Http2,
        };
        bootstrap = bootstrap.cluster(Cluster::new(RECEIVER, address).protocol(protocol));
    }
    match work {
        Work::Nothing => {}
        Work::OpenTelemetry {
            percentage,
            min_flush_spans,
        } => {
            let tracer = Tracer::opentelemetry(RECEIVER, "cart");
            listener = listener.tracer(tracer.random_sampling(*percentage));
            if let Some(spans) = min_flush_spans {
                let layer = json!({"tracing.opentelemetry.min_flush_spans": spans});
                let layers = json!({"layers": [{"name": "bench", "static_layer": layer}]});
                bootstrap = bootstrap.with("layered_runtime", layers);
            }
        }
        Work::Zipkin => {
            let tracer = Tracer::zipkin(RECEIVER, ZipkinContext::B3AndW3c);
            listener = listener.tracer(tracer.random_sampling(100.0));
        }
        Work::Least(_, configuration) => {
            let wasm = Wasm::new("least", &ground.least).configuration(configuration);
            listener = listener.filter(wasm.filter());
        }
        Work::Floor(steps) => {
            let wasm = Wasm::new("floor", &ground.floor).configuration(steps);
            listener = listener.filter(wasm.filter());
        }
        Work::Sidespan(build, configuration) => {
            let module = match build {
                Build::Own => &ground.filter,
                Build::Other { name, .. } => &ground.filter.with_file_name(other_module(name)),
            };
            let wasm = Wasm::new("sidespan", module);
            let wasm = wasm.configuration(&configuration.to_string());
            listener = listener.filter(wasm.filter());
        }
    }
    bootstrap.listener(listener)
}

const MICROS: f64 = 1e6;

const IN: &str = "in";
const UPSTREAM: &str = "upstream";

/// Prefix of the filter's own statistics, of which `TOLD` names those about spans.
const OURS: &str = "wasmcustom.sidespan.";
const TOLD: [&str; 5] = [
    ".spans.",
    ".queue.",
    ".export.",
    ".kept.",
    ".config.refused",
];
const QUEUED: &str = "wasmcustom.sidespan.queue.spans";

/// Time for which a resting process is observed.
const REST: Duration = Duration::from_millis(20);
/// Time limit of waiting, longer than any timer that sends spans.
const PATIENCE: Duration = Duration::from_secs(20);
/// Number of log lines that an error shows.
const SHOWN: usize = 10;
