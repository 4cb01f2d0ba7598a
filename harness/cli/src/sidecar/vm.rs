//! The VMs' thread: work comes over a channel, one piece at a time, and ticks and timeouts run between two pieces.
//!
//! Invariant: before a piece of work is answered its own stream's signs are right; once no work waits, so are those of all
//! other streams, and every call that a filter has made is on its way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use sidespan_host::{
    ChainStreamId, Ended, Ending, FilterChain, HttpCall, LogLine, Shared, Shutdown,
    StreamProperties,
};
use tokio::sync::{mpsc as tokio_mpsc, oneshot, watch};

use super::config::SidecarConfig;

mod signs;
mod start;

pub(super) use signs::Signs;
use start::start_chain;

/// A handle on the VMs' thread, which runs until it is stopped.
#[derive(Clone, Debug)]
pub(super) struct Vm {
    work: mpsc::Sender<Work>,
}

/// The state that outlives a VM: a reload starts the next one on the same.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) shared: Shared,
    logs: Arc<Mutex<VecDeque<LogLine>>>,
}

/// A call of a filter, and the VM that made it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) vm: usize,
    pub(super) call: HttpCall,
}

type Work = Box<dyn FnOnce(&mut Worker) + Send>;

/// The state that only the VMs' thread touches.
pub(super) struct Worker {
    pub(super) chain: FilterChain,
    buffer_limit: usize,
    watched: BTreeMap<ChainStreamId, watch::Sender<Signs>>,
    calls: tokio_mpsc::UnboundedSender<Call>,
    state: State,
    stop: Option<Stop>,
    /// True if the chain ends with its last stream.
    is_retired: bool,
}

struct Stop {
    deadline: Instant,
    done: oneshot::Sender<()>,
}

/// The error of work for a VM whose thread has ended.
#[derive(Debug)]
pub(super) struct Gone;

impl Vm {
    /// Starts the thread and the VMs in it; the receiver gives out the filters' calls.
    pub(super) async fn start(
        config: &SidecarConfig,
        state: State,
    ) -> anyhow::Result<(Self, tokio_mpsc::UnboundedReceiver<Call>)> {
        let (work, inbox) = mpsc::channel::<Work>();
        let (calls, outbox) = tokio_mpsc::unbounded_channel();
        let (started, start) = oneshot::channel();
        let vm = Self { work };
        let config = config.clone();
        let thread = thread::Builder::new().name(format!("sidecar-{}", config.name));
        thread
            .spawn(move || match start_chain(&config, &state.shared) {
                Ok(chain) => {
                    let mut worker = Worker {
                        chain,
                        buffer_limit: config.buffer_limit,
                        watched: BTreeMap::new(),
                        calls,
                        state,
                        stop: None,
                        is_retired: false,
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

    /// Runs work on the VMs' thread and returns its result.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        self.tell(move |worker| {
            let result = work(worker);
            // The asking task may have gone away.
            let _ = answer.send(result);
        });
        answered.await.map_err(|_| Gone)
    }

    /// Runs work for one stream, whose signs are right once the result is there.
    pub(super) async fn run_for<T: Send + 'static>(
        &self,
        id: ChainStreamId,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let work = move |worker: &mut Worker| {
            let result = work(worker);
            worker.sign(id);
            result
        };
        self.run(work).await
    }

    /// Sends work to the VMs' thread without waiting; does nothing when the thread has ended.
    pub(super) fn tell(&self, work: impl FnOnce(&mut Worker) + Send + 'static) {
        // A thread that has ended has ended all its streams too.
        let _ = self.work.send(Box::new(work));
    }

    /// Lets the filters end, and waits for the end.
    pub(super) async fn stop(&self, drain: Duration) {
        let (done, ended) = oneshot::channel();
        self.tell(move |worker| worker.end_chain(drain, done));
        // The other end of the channel goes away with the thread.
        let _ = ended.await;
    }

    /// Lets the filters end, without waiting.
    pub(super) fn halt(&self) {
        self.tell(|worker| worker.end_chain(Duration::ZERO, oneshot::channel().0));
    }

    /// Lets the filters end once their last stream has ended, within the time from then on.
    pub(super) fn retire(&self) {
        self.tell(|worker| worker.is_retired = true);
    }
}

impl State {
    /// Returns the latest log lines of all filters.
    pub(super) fn logs(&self) -> Vec<LogLine> {
        lock(&self.logs).iter().cloned().collect()
    }
}

impl Worker {
    /// Opens a stream; the receiver gives out the stream's state. `None` if the filters are about to end.
    pub(super) fn open(
        &mut self,
        properties: &StreamProperties,
    ) -> Option<(ChainStreamId, watch::Receiver<Signs>)> {
        if self.is_retired && self.stop.is_some() {
            return None;
        }
        let id = self.chain.open_stream(properties);
        let (sender, receiver) = watch::channel(Signs::default());
        self.watched.insert(id, sender);
        Some((id, receiver))
    }

    /// Ends a stream; `None` if there is none.
    pub(super) fn end(&mut self, id: ChainStreamId, ending: Ending) -> Option<Ended> {
        self.chain.end(id, ending)
    }

    fn run(mut self, inbox: &mpsc::Receiver<Work>) {
        loop {
            let idle = self.chain.due_in().unwrap_or(IDLE).min(IDLE);
            let left = self
                .stop
                .as_ref()
                .map(|stop| stop.deadline.saturating_duration_since(Instant::now()));
            match inbox.recv_timeout(idle.min(left.unwrap_or(IDLE))) {
                Ok(work) => work(&mut self),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Settling looks at every stream, so it is done once for all the work that waits.
            for work in inbox.try_iter().take(BATCH) {
                work(&mut self);
            }
            if self.chain.due_in() == Some(Duration::ZERO) {
                self.chain.run_due();
            }
            self.settle();
            if self.is_retired && self.stop.is_none() && self.watched.is_empty() {
                self.end_chain(RETIREMENT, oneshot::channel().0);
                self.settle();
            }
            let is_late = |stop: &Stop| stop.deadline <= Instant::now();
            let is_done = has_ended(&self.chain);
            if let Some(stop) = self.stop.take_if(|stop| is_done || is_late(stop)) {
                if !is_done {
                    log::warn!("the filters did not end in time");
                }
                // The stopping task may have gone away.
                let _ = stop.done.send(());
                break;
            }
        }
    }

    fn end_chain(&mut self, drain: Duration, done: oneshot::Sender<()>) {
        self.chain.shutdown();
        self.stop = Some(Stop {
            deadline: Instant::now() + drain,
            done,
        });
    }

    fn settle(&mut self) {
        self.chain.settle();
        for (vm, host) in self.chain.vms_mut().iter_mut().enumerate() {
            for call in host.calls() {
                // Without a receiver the calls stay unanswered, and the filter sees timeouts.
                let _ = self.calls.send(Call { vm, call });
            }
        }
        let (chain, limit) = (&self.chain, self.buffer_limit);
        self.watched.retain(|id, watched| {
            let signs = Signs::of(chain, *id, limit);
            watched.send_if_modified(|known| std::mem::replace(known, signs) != signs);
            chain.has_stream(*id)
        });
        let mut logs = lock(&self.state.logs);
        logs.extend(self.chain.take_logs());
        let excess = logs.len().saturating_sub(MAX_LINES);
        logs.drain(..excess);
    }

    /// Returns the state of a stream.
    pub(super) fn signs(&self, id: ChainStreamId) -> Signs {
        Signs::of(&self.chain, id, self.buffer_limit)
    }

    /// Tells the tasks of one stream its state.
    fn sign(&mut self, id: ChainStreamId) {
        let signs = self.signs(id);
        if let Some(watched) = self.watched.get(&id) {
            watched.send_if_modified(|known| std::mem::replace(known, signs) != signs);
        }
    }
}

fn has_ended(chain: &FilterChain) -> bool {
    let mut vms = chain.vms().iter();
    vms.all(|vm| vm.shutdown_state() == Shutdown::Done)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Lines are only added and dropped, so a panic cannot leave half of one behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Time that the thread sleeps when nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// Number of pieces of work after which others than their own streams learn of them.
const BATCH: usize = 256;

/// Time for filters that a reload has replaced to end once they have no stream.
const RETIREMENT: Duration = Duration::from_secs(5);

/// Number of log lines that are kept, the same as the host's.
const MAX_LINES: usize = 65_536;
