//! The VM's thread: work comes over a channel, one piece at a time, and ticks and timeouts run between two pieces.
//!
//! Invariant: after each piece of work every task that waits for a stream learns its state, and every call that the
//! filter has made is on its way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use sidespan_host::{
    Clock, Ending, Entropy, Host, HttpCall, LogLine, Shared, Shutdown, StartError, StreamId,
    StreamProperties,
};
use tokio::sync::{mpsc as tokio_mpsc, oneshot, watch};

use super::config::SidecarConfig;

/// A handle on the VM's thread, which runs until it is stopped.
#[derive(Clone, Debug)]
pub(super) struct Vm {
    work: mpsc::Sender<Work>,
    shared: Shared,
    logs: Arc<Mutex<VecDeque<LogLine>>>,
}

type Work = Box<dyn FnOnce(&mut Worker) + Send>;

/// The state that only the VM's thread touches.
pub(super) struct Worker {
    pub(super) host: Host,
    watched: BTreeMap<StreamId, watch::Sender<Signs>>,
    calls: tokio_mpsc::UnboundedSender<HttpCall>,
    logs: Arc<Mutex<VecDeque<LogLine>>>,
    stop: Option<Stop>,
}

struct Stop {
    deadline: Instant,
    done: oneshot::Sender<()>,
}

/// The state of a stream, for the tasks that wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) request_paused: bool,
    pub(super) response_paused: bool,
    /// True if the stream has a local reply.
    pub(super) replied: bool,
    /// True if the stream is to be reset, or gone.
    pub(super) reset: bool,
}

/// The error of work for a VM whose thread has ended.
#[derive(Debug)]
pub(super) struct Gone;

impl Vm {
    /// Starts the thread and the VM in it; the receiver gives out the filter's calls.
    pub(super) async fn start(
        config: &SidecarConfig,
    ) -> anyhow::Result<(Self, tokio_mpsc::UnboundedReceiver<HttpCall>)> {
        let (work, inbox) = mpsc::channel::<Work>();
        let (calls, outbox) = tokio_mpsc::unbounded_channel();
        let (started, start) = oneshot::channel();
        let shared = Shared::new();
        let logs = Arc::new(Mutex::new(VecDeque::new()));
        let vm = Self {
            work,
            shared: shared.clone(),
            logs: Arc::clone(&logs),
        };
        let config = config.clone();
        let thread = thread::Builder::new().name(format!("sidecar-{}", config.name));
        thread
            .spawn(move || match start_host(&config, &shared) {
                Ok(host) => {
                    let mut worker = Worker {
                        host,
                        watched: BTreeMap::new(),
                        calls,
                        logs,
                        stop: None,
                    };
                    worker.settle();
                    // The starter may have gone away; the channel of work is then closed too.
                    let _ = started.send(Ok(()));
                    worker.run(&inbox);
                }
                Err(error) => drop(started.send(Err(error))),
            })
            .context("starting the VM's thread")?;
        start.await.context("the VM's thread has panicked")??;
        Ok((vm, outbox))
    }

    /// Runs work on the VM's thread and returns its result.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        self.tell(move |worker| {
            let result = work(worker);
            worker.settle();
            // The asking task may have gone away.
            let _ = answer.send(result);
        });
        answered.await.map_err(|_| Gone)
    }

    /// Sends work to the VM's thread without waiting; does nothing when the thread has ended.
    pub(super) fn tell(&self, work: impl FnOnce(&mut Worker) + Send + 'static) {
        // A thread that has ended has ended all its streams too.
        let _ = self.work.send(Box::new(work));
    }

    /// Lets the filter end, and waits for the end.
    pub(super) async fn stop(&self, drain: Duration) {
        let (done, ended) = oneshot::channel();
        self.tell(move |worker| {
            let _ = worker.host.shutdown();
            worker.stop = Some(Stop {
                deadline: Instant::now() + drain,
                done,
            });
        });
        // The other end of the channel goes away with the thread.
        let _ = ended.await;
    }

    /// Lets the filter end, without waiting.
    pub(super) fn halt(&self) {
        self.tell(|worker| {
            let _ = worker.host.shutdown();
            worker.stop = Some(Stop {
                deadline: Instant::now(),
                done: oneshot::channel().0,
            });
        });
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn logs(&self) -> Vec<LogLine> {
        lock(&self.logs).iter().cloned().collect()
    }
}

impl Worker {
    /// Opens a stream; the receiver gives out the stream's state.
    pub(super) fn open(
        &mut self,
        properties: StreamProperties,
    ) -> (StreamId, watch::Receiver<Signs>) {
        let id = self.host.open_stream(properties);
        let (sender, receiver) = watch::channel(Signs::default());
        self.watched.insert(id, sender);
        (id, receiver)
    }

    /// Ends a stream.
    pub(super) fn end(&mut self, id: StreamId, ending: Ending) {
        self.host.end(id, ending);
    }

    fn run(mut self, inbox: &mpsc::Receiver<Work>) {
        loop {
            let idle = self.host.due_in().unwrap_or(IDLE).min(IDLE);
            let left = self
                .stop
                .as_ref()
                .map(|stop| stop.deadline.saturating_duration_since(Instant::now()));
            match inbox.recv_timeout(idle.min(left.unwrap_or(IDLE))) {
                Ok(work) => work(&mut self),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.host.run_due();
            self.settle();
            let is_late = |stop: &Stop| stop.deadline <= Instant::now();
            let is_done = self.host.shutdown_state() == Shutdown::Done;
            if let Some(stop) = self.stop.take_if(|stop| is_done || is_late(stop)) {
                if !is_done {
                    log::warn!("the filter did not end in time");
                }
                // The stopping task may have gone away.
                let _ = stop.done.send(());
                break;
            }
        }
    }

    fn settle(&mut self) {
        for call in self.host.calls() {
            // Without a receiver the calls stay unanswered, and the filter sees timeouts.
            let _ = self.calls.send(call);
        }
        let host = &self.host;
        self.watched.retain(|id, watched| {
            let signs = host.stream(*id).map(|stream| Signs {
                request_paused: stream.request().is_paused(),
                response_paused: stream.response().is_paused(),
                replied: stream.local_reply().is_some(),
                reset: stream.is_reset(),
            });
            let is_open = signs.is_some();
            let signs = signs.unwrap_or(Signs {
                reset: true,
                ..Signs::default()
            });
            watched.send_if_modified(|known| std::mem::replace(known, signs) != signs);
            is_open
        });
        let mut logs = lock(&self.logs);
        logs.extend(self.host.take_logs());
        let excess = logs.len().saturating_sub(MAX_LINES);
        logs.drain(..excess);
    }
}

fn start_host(config: &SidecarConfig, shared: &Shared) -> anyhow::Result<Host> {
    let mut builder = Host::builder(&config.module)
        .plugin_name(&config.name)
        .root_id(&config.name)
        .vm_id(&config.name)
        .plugin_configuration(config.plugin_configuration.as_slice())
        .log_level(config.log_level)
        .failure_policy(config.failure_policy)
        .clock(Clock::Real)
        .entropy(Entropy::Os)
        .shared(shared);
    for (name, value) in &config.environment {
        builder = builder.environment(name, value);
    }
    for (path, value) in &config.properties {
        builder = builder.property(path.clone(), value.clone());
    }
    for name in config.clusters.keys() {
        builder = builder.cluster(name);
    }
    if config.any_cluster.is_some() {
        builder = builder.any_cluster();
    }
    builder.start().map_err(|StartError { reason, mut host }| {
        let logs: String = host
            .logs()
            .iter()
            .map(|line| format!("\n  {}", line.text))
            .collect();
        anyhow!("the filter did not start: {reason}{logs}")
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Lines are only added and dropped, so a panic cannot leave half of one behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Time that the thread sleeps when nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// Number of log lines that are kept, the same as the host's.
const MAX_LINES: usize = 65_536;
