//! One VM with its plugin, as in one worker of Envoy: started, driven and ended in Envoy's order.
//!
//! Invariant: actions that host functions have deferred run right after each callback, in order.

mod connection;
mod exchange;
mod extension_callbacks;
mod grpc_calls;
mod http_calls;
mod in_chain;
mod local_reply;
mod passage;
mod queues;
mod reload;
mod reloads;
mod root_context;
mod statistics;
mod stream_lifecycle;
mod timers;
mod vm;

use std::sync::Arc;
use std::time::Duration;

pub use grpc_calls::GrpcReply;
pub(crate) use queues::MAX_CALLBACKS;
pub use reloads::Reloads;
pub use root_context::Shutdown;
pub use statistics::Statistics;
use vm::Installed;
pub use vm::{Host, StartError, StartFailure};
use wasmtime::Store;

use crate::clock::Time;
use crate::explanations::{Explanation, Situation};
use crate::guest::Trap;
use crate::logs::{LogLevel, LogLine};
use crate::module::Module;
use crate::settings::{Plugin, Settings};
use crate::shared::Shared;
use crate::stream::{ClosedBy, Stream, StreamId};
use crate::transcript::Transcript;
use crate::vm_state::{Deferred, VmState};

impl Host {
    pub(crate) fn start(
        module: &Module,
        settings: Arc<Settings>,
        shared: Shared,
        plugin: Arc<Plugin>,
    ) -> Result<Self, StartError> {
        let time = Time::start(settings.clock);
        let state = VmState::new(settings, module.abi_version(), shared, time);
        Self::start_in(module, state, plugin)
    }

    fn start_in(module: &Module, state: VmState, plugin: Arc<Plugin>) -> Result<Self, StartError> {
        let reloads = Reloads::new(&state);
        let mut store = Store::new(module.engine(), state);
        store.limiter(|state| &mut state.limits);
        let mut host = Self {
            store,
            guest: None,
            module: module.clone(),
            failure: None,
            trap: None,
            installed: vec![Installed {
                plugin: Arc::clone(&plugin),
                root: 0,
            }],
            reloads,
            leaves_queues_to_chain: false,
        };
        match host
            .check_imports()
            .and_then(|()| host.instantiate())
            .and_then(|()| host.start_root(plugin))
        {
            Ok(root) => {
                host.installed[0].root = root;
                host.tell_queues();
                Ok(host)
            }
            Err(reason) => {
                host.failure = Some(reason.clone());
                Err(StartError {
                    reason,
                    host: Box::new(host),
                })
            }
        }
    }

    /// Runs deferred actions in order, including actions that are deferred meanwhile.
    pub(crate) fn run_deferred(&mut self) {
        while let Some(deferred) = self.store.data_mut().deferred.pop_front() {
            match deferred {
                Deferred::LocalReply(id, reply) => self.make_local_reply(id, reply),
                Deferred::Continue(id, side) => self.resume(id, side),
                Deferred::Close(id) => self.close(id),
                Deferred::ContinueConnection(id) => self.continue_connection(id),
                Deferred::CloseConnection(id) => self.close_tcp(id, ClosedBy::Proxy),
                Deferred::RootDone(root) => self.delete_root(root),
                Deferred::GrpcUnavailable(root, token, why) => {
                    self.fail_unavailable(root, token, why);
                }
            }
        }
    }

    /// Returns an open stream; `None` once the stream has ended.
    pub fn stream(&self, id: StreamId) -> Option<&Stream> {
        self.state().streams.get(id.0)
    }

    /// Returns the number of streams that have not ended.
    pub fn open_streams(&self) -> usize {
        self.state().streams.len()
    }

    /// Returns the trap that ended the VM.
    pub fn trap(&self) -> Option<&Trap> {
        self.trap.as_ref()
    }

    /// Returns the call on which Envoy itself would have died, with everything that it serves. The VM has ended with it.
    pub fn end_of_envoy(&self) -> Option<Situation> {
        self.state().deadly
    }

    /// Returns the metrics and shared data that this host shares with other hosts.
    pub fn shared(&self) -> &Shared {
        &self.state().shared
    }

    /// Returns a counter of the whole process by name; `None` until some VM has defined the counter.
    pub fn counter(&self, name: &str) -> Option<u64> {
        self.shared().counter(name)
    }

    /// Returns a gauge of the whole process by name; `None` until some VM has defined the gauge.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        self.shared().gauge(name)
    }

    /// Returns the values of a histogram of the whole process; `None` until some VM has defined the histogram.
    pub fn histogram(&self, name: &str) -> Option<Vec<u64>> {
        self.shared().histogram(name)
    }

    /// Returns the log lines so far, at most the last 65,536 (`MAX_LINES` in `logs.rs`).
    pub fn logs(&mut self) -> &[LogLine] {
        self.state_mut().logs.lines()
    }

    /// Takes the log lines so far, so that the next call returns only newer lines.
    pub fn take_logs(&mut self) -> Vec<LogLine> {
        self.state_mut().logs.take()
    }

    /// Returns why Envoy refuses calls of the guest, and what surprises in those that it takes: the last 1,024 of them, apart
    /// from the guest's log.
    pub fn explanations(&self) -> impl Iterator<Item = &Explanation> {
        self.state().explanations.iter()
    }

    /// Takes the explanations so far, so that the next call returns only newer ones.
    pub fn take_explanations(&mut self) -> Vec<Explanation> {
        self.state_mut().explanations.take()
    }

    /// Sets the lowest level of log lines that are kept, as Envoy's `/logging?wasm=debug` does.
    pub fn set_log_level(&mut self, level: LogLevel) {
        self.state_mut().logs.set_level(level);
    }

    /// Returns the callbacks and host calls so far.
    pub fn transcript(&self) -> &Transcript {
        &self.state().transcript
    }

    /// Removes all callbacks and host calls from the transcript, so that one request can be examined alone.
    pub fn clear_transcript(&mut self) {
        self.state_mut().transcript.clear();
    }

    /// Returns the number of instructions that the guest has run; `None` unless the module was compiled with fuel.
    pub fn fuel_used(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| u64::MAX - left)
    }

    /// Returns the size in bytes of the guest's linear memory, which never shrinks.
    pub fn memory_bytes(&mut self) -> usize {
        let memory = self.store.data().memory;
        memory.map_or(0, |memory| memory.data_size(&self.store))
    }

    /// Returns the guest's time since 1970.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.state().time.now())
    }
}

#[cfg(test)]
mod tests;
