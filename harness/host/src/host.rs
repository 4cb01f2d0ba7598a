//! One VM with its plugin, as one worker of Envoy has it: started, driven and ended in Envoy's order.
//!
//! Invariants: the guest is called from one place (`enter`), which counts, catches traps and says whose turn it is;
//! what host functions have put off is done right after each callback, in order; a failed VM is never called again.

mod calls;
mod exchange;
mod life;
mod reply;
mod roots;
mod time;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use roots::Shutdown;
use wasmtime::{Store, TypedFunc, WasmParams, WasmResults};

use crate::builder::{HostBuilder, Settings, StartError, StartFailure};
use crate::clock::Time;
use crate::guest::{Guest, Trap};
use crate::limit;
use crate::logs::{LogLevel, LogLine};
use crate::module::{Fuel, Module};
use crate::shared::Shared;
use crate::stream::{Stream, StreamId};
use crate::transcript::Transcript;
use crate::world::{Deferred, World};

/// One VM that runs one plugin, outside Envoy.
pub struct Host {
    store: Store<World>,
    /// Nothing when the module trapped while it was instantiated.
    guest: Option<Guest>,
    module: Module,
    failure: Option<StartFailure>,
    trap: Option<Trap>,
    /// The root context of new streams.
    root: u32,
}

/// The VM has failed: nobody answers.
pub(crate) struct Failed;

impl Host {
    /// Begins to set up a host for a module.
    pub fn builder(module: &Module) -> HostBuilder {
        HostBuilder::new(module)
    }

    pub(crate) fn start(
        module: &Module,
        settings: Arc<Settings>,
        shared: Shared,
        configuration: Arc<[u8]>,
    ) -> Result<Self, StartError> {
        let time = Time::start(settings.clock);
        let world = World::new(settings, module.abi_version(), shared, time);
        Self::start_in(module, world, configuration)
    }

    fn start_in(
        module: &Module,
        world: World,
        configuration: Arc<[u8]>,
    ) -> Result<Self, StartError> {
        let mut store = Store::new(module.engine(), world);
        store.limiter(|world| &mut world.limits);
        let mut host = Self {
            store,
            guest: None,
            module: module.clone(),
            failure: None,
            trap: None,
            root: 0,
        };
        match host
            .instantiate()
            .and_then(|()| host.start_root(configuration))
        {
            Ok(root) => {
                host.root = root;
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

    /// Instantiates and initialises, in the order of `WasmBase::initialize`.
    fn instantiate(&mut self) -> Result<(), StartFailure> {
        if self.module.fuel() == Fuel::Metered {
            // Only fails for an engine that does not meter.
            let _ = self.store.set_fuel(u64::MAX);
        }
        self.set_deadline();
        let instance = match self.module.instance().instantiate(&mut self.store) {
            Ok(instance) => instance,
            Err(error) => {
                self.fail("instantiation", &error);
                return Err(self.trapped(Failed));
            }
        };
        let guest = Guest::new(&instance, &mut self.store, self.module.abi_version());
        let (initialize, start) = (guest.initialize.clone(), guest.start.clone());
        let (main, main_void) = (guest.main.clone(), guest.main_void.clone());
        self.guest = Some(guest);
        let run = if initialize.is_some() {
            self.enter("_initialize", 0, initialize, (), ())
                .and_then(|()| match main {
                    Some(main) => self.enter("main", 0, Some(main), (0, 0), 0),
                    None => self.enter("__main_void", 0, main_void, (), 0),
                })
                .map(drop)
        } else {
            self.enter("_start", 0, start, (), ())
        };
        run.map_err(|failed| self.trapped(failed))
    }

    fn trapped(&self, _: Failed) -> StartFailure {
        StartFailure::Trap(self.trap.clone().unwrap_or_else(|| Trap {
            callback: "instantiation",
            message: "the VM has failed before".to_owned(),
            backtrace: Vec::new(),
        }))
    }

    /// Calls the guest, unless it does not export this, which gives the default.
    ///
    /// What was put off is *not* done yet: the caller reads `stop_iteration` first, then calls `run_deferred`.
    pub(crate) fn enter<P: WasmParams, R: WasmResults>(
        &mut self,
        callback: &'static str,
        context: u32,
        function: Option<TypedFunc<P, R>>,
        parameters: P,
        default: R,
    ) -> Result<R, Failed> {
        if self.trap.is_some() {
            return Err(Failed);
        }
        let Some(function) = function else {
            return Ok(default);
        };
        let world = self.store.data_mut();
        world.current = context;
        world.effective = None;
        world.callback = callback;
        world.stop_iteration = false;
        world.transcript.enter(callback, context);
        self.set_deadline();
        let result = function.call(&mut self.store, parameters);
        let world = self.store.data_mut();
        world.effective = None;
        world.transcript.leave(callback);
        result.map_err(|error| self.fail(callback, &error))
    }

    fn set_deadline(&mut self) {
        let limit = self.world().settings.callback_limit;
        self.store.set_epoch_deadline(limit::ticks(limit));
    }

    /// Does what host functions have put off, in order. Doing it may put off more.
    pub(crate) fn run_deferred(&mut self) {
        while let Some(deferred) = self.store.data_mut().deferred.pop_front() {
            match deferred {
                Deferred::LocalReply(id, reply) => self.make_local_reply(id, reply),
                Deferred::Continue(id, side) => self.resume(id, side),
                Deferred::Close(id) => self.close(id),
                Deferred::RootDone(root) => self.delete_root(root),
            }
        }
    }

    /// Marks the VM as failed. Its contexts live on only so that the streams can be answered.
    fn fail(&mut self, callback: &'static str, error: &wasmtime::Error) -> Failed {
        let mut trap = Trap::new(callback, error);
        if error.downcast_ref() == Some(&wasmtime::Trap::Interrupt) {
            let limit = self.world().settings.callback_limit;
            trap.message = format!("the guest did not return within {limit:?} and was stopped");
        }
        let world = self.store.data_mut();
        world.logs.push(LogLevel::Critical, trap.to_string());
        world.deferred.clear();
        world.ticks.clear();
        world.calls = Default::default();
        self.trap = Some(trap);
        Failed
    }

    fn guest(&self) -> Result<&Guest, Failed> {
        self.guest
            .as_ref()
            .filter(|_| self.failure.is_none())
            .ok_or(Failed)
    }

    fn world(&self) -> &World {
        self.store.data()
    }

    fn world_mut(&mut self) -> &mut World {
        self.store.data_mut()
    }

    /// Returns a stream as it stands; nothing once it has ended.
    pub fn stream(&self, id: StreamId) -> Option<&Stream> {
        self.world().streams.get(&id.0)
    }

    /// Returns the number of streams that have not ended.
    pub fn open_streams(&self) -> usize {
        self.world().streams.len()
    }

    /// Returns the trap that the VM came to its end with.
    pub fn trap(&self) -> Option<&Trap> {
        self.trap.as_ref()
    }

    /// Returns what it shares with other hosts: metrics and shared data.
    pub fn shared(&self) -> &Shared {
        &self.world().shared
    }

    /// Returns a counter of the whole process by name; nothing until some VM has defined it.
    pub fn counter(&self, name: &str) -> Option<u64> {
        self.shared().counter(name)
    }

    /// Returns a gauge of the whole process by name; nothing until some VM has defined it.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        self.shared().gauge(name)
    }

    /// Returns what was recorded in a histogram of the whole process; nothing until some VM has defined it.
    pub fn histogram(&self, name: &str) -> Option<Vec<u64>> {
        self.shared().histogram(name)
    }

    /// Returns the log lines so far, at most the last 65,536.
    pub fn logs(&mut self) -> &[LogLine] {
        self.world_mut().logs.lines()
    }

    /// Takes the log lines so far, so that the next time only new ones come.
    pub fn take_logs(&mut self) -> Vec<LogLine> {
        self.world_mut().logs.take()
    }

    /// Changes from which level on log lines are kept, as Envoy's `/logging?wasm=debug` does.
    pub fn set_log_level(&mut self, level: LogLevel) {
        self.world_mut().logs.set_level(level);
    }

    /// Returns the conversation between guest and host so far.
    pub fn transcript(&self) -> &Transcript {
        &self.world().transcript
    }

    /// Forgets the conversation so far, so that one request can be looked at alone.
    pub fn clear_transcript(&mut self) {
        self.world_mut().transcript.clear();
    }

    /// Returns the instructions that the guest has run; nothing unless the module was compiled to be metered.
    pub fn fuel_used(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| u64::MAX - left)
    }

    /// Returns the bytes of the guest's linear memory, which never shrinks.
    pub fn memory_bytes(&mut self) -> usize {
        let memory = self.store.data().memory;
        memory.map_or(0, |memory| memory.data_size(&self.store))
    }

    /// Returns the guest's time since 1970.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.world().time.now())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = self.open_streams();
        formatter
            .debug_struct("Host")
            .field("streams", &streams)
            .field("trap", &self.trap)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
