//! The VM of a host, and the only file that calls its guest.
//!
//! Invariants: `enter` records each callback and its context, and catches traps; a failed VM is never called again.

use std::fmt;
use std::sync::Arc;

use wasmtime::{Store, WasmParams, WasmResults};

use super::reloads::Reloads;
use crate::guest::{Export, Guest, Number, Trap};
use crate::logs::LogLevel;
use crate::module::{Fuel, Module};
use crate::restriction::Restriction;
use crate::settings::Plugin;
use crate::vm_state::VmState;

/// One VM that runs one plugin, outside Envoy.
pub struct Host {
    pub(super) store: Store<VmState>,
    /// `None` if the module trapped during instantiation.
    pub(super) guest: Option<Guest>,
    pub(super) module: Module,
    pub(super) failure: Option<StartFailure>,
    pub(super) trap: Option<Trap>,
    /// The plugins in the VM; all but the first only in a chain whose plugins share a VM.
    pub(super) installed: Vec<Installed>,
    pub(super) reloads: Reloads,
    /// True in a chain, which tells of items in queues once all its filters have had their callbacks.
    pub(super) leaves_queues_to_chain: bool,
}

/// A plugin in a VM, and the root context of its new streams.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) plugin: Arc<Plugin>,
    /// 0 while the VM has no root context for the plugin.
    pub(super) root: u32,
}

/// The error of a VM that has failed and answers no callback.
pub(super) struct Failed;

/// A failed start: the reason, and the host.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct StartError {
    /// The reason.
    pub reason: StartFailure,
    /// The host, kept for its logs, metrics and streams.
    pub host: Box<Host>,
}

/// The reasons for which a VM does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartFailure {
    /// A trap of the guest.
    #[error("{0}")]
    Trap(Trap),
    /// `proxy_on_vm_start` answered false.
    #[error("proxy_on_vm_start answered false: Envoy would reject the listener")]
    VmStart,
    /// `proxy_on_configure` answered false.
    #[error("proxy_on_configure answered false: Envoy would reject this configuration")]
    Configure,
    /// A function that the chosen version of Envoy does not have.
    #[error("Failed to load Wasm module due to a missing import: {0}; Envoy 1.40 has it")]
    Import(String),
}

impl Host {
    /// Refuses a module that the chosen version of Envoy would not load.
    pub(super) fn check_imports(&self) -> Result<(), StartFailure> {
        let version = self.state().settings.version;
        let unknown = self.module.import_unknown_to(version);
        unknown.map_or(Ok(()), |import| Err(StartFailure::Import(import)))
    }

    /// Instantiates and initialises the module, in the order of `WasmBase::initialize`.
    pub(super) fn instantiate(&mut self) -> Result<(), StartFailure> {
        if self.module.fuel() == Fuel::Metered {
            // `set_fuel` fails only for an engine that does not meter.
            let _ = self.store.set_fuel(u64::MAX);
        }
        let ticks = self.state().callback_ticks;
        self.store.set_epoch_deadline(ticks);
        let instance = match self.module.instantiate(&mut self.store) {
            Ok(instance) => instance,
            Err(error) => {
                self.fail("instantiation", &error);
                return Err(self.trapped(Failed));
            }
        };
        let settings = Arc::clone(&self.state().settings);
        let abi = self.module.abi_version();
        let guest = Guest::new(&instance, &mut self.store, abi, &settings);
        let has_initialize = guest.initialize.function.is_some();
        let has_main = guest.main.function.is_some();
        self.guest = Some(guest);
        self.state_mut().restriction = Restriction::Starting;
        let run = if has_initialize {
            self.enter(|guest| &guest.initialize, 0, (), ())
                .and_then(|()| match has_main {
                    true => self.enter(|guest| &guest.main, 0, (0, 0), 0),
                    false => self.enter(|guest| &guest.main_void, 0, (), 0),
                })
                .map(drop)
        } else {
            self.enter(|guest| &guest.start, 0, (), ())
        };
        self.state_mut().restriction = Restriction::None;
        run.map_err(|failed| self.trapped(failed))
    }

    pub(super) fn trapped(&self, _: Failed) -> StartFailure {
        StartFailure::Trap(self.trap.clone().unwrap_or_else(|| Trap {
            callback: "instantiation",
            message: "the VM has failed before".to_owned(),
            backtrace: Vec::new(),
        }))
    }

    /// Calls an export of the guest; returns `default` if the module does not have the export.
    ///
    /// Deferred actions do *not* run yet: the caller reads `stop_iteration` first, then calls `run_deferred`.
    pub(super) fn enter<P: WasmParams, R: WasmResults + Number>(
        &mut self,
        export: impl FnOnce(&Guest) -> &Export<P, R>,
        context: u32,
        parameters: P,
        default: R,
    ) -> Result<R, Failed> {
        let guest = match &self.guest {
            Some(guest) if self.failure.is_none() && self.trap.is_none() => guest,
            _ => return Err(Failed),
        };
        // Borrowed, because a clone counts the references to the function's type with atomics.
        let Export { callback, function } = export(guest);
        let Some(function) = function else {
            return Ok(default);
        };
        let callback = *callback;
        let state = self.store.data_mut();
        state.current = context;
        state.effective = None;
        state.callback = callback.name;
        state.stop_iteration = false;
        state.holds_message = false;
        state.transcript.enter(callback, context);
        let ticks = state.callback_ticks;
        self.store.set_epoch_deadline(ticks);
        let result = function.call(&mut self.store, parameters);
        let state = self.store.data_mut();
        state.effective = None;
        state.transcript.leave(callback, || match &result {
            Ok(answer) => answer.number().map(|number| number.to_string()),
            Err(_) => Some("trap".to_owned()),
        });
        let deadly = state.deadly;
        let result = result.map_err(|error| self.fail(callback.name, &error))?;
        match deadly {
            None => Ok(result),
            Some(situation) => {
                let error = wasmtime::Error::msg(situation.why());
                Err(self.fail(callback.name, &error))
            }
        }
    }

    /// Marks the VM as failed. Its contexts stay, because their streams must still be answered.
    fn fail(&mut self, callback: &'static str, error: &wasmtime::Error) -> Failed {
        let mut trap = Trap::new(callback, error);
        if error.downcast_ref() == Some(&wasmtime::Trap::Interrupt) {
            let limit = self.state().settings.callback_limit;
            trap.message = format!("the guest did not return within {limit:?} and was stopped");
        }
        let state = self.store.data_mut();
        state.logs.push(LogLevel::Critical, None, trap.to_string());
        state.deferred.clear();
        state.ticks.clear();
        state.calls = Default::default();
        state.grpc = Default::default();
        self.trap = Some(trap);
        Failed
    }

    pub(super) fn guest(&self) -> Result<&Guest, Failed> {
        self.guest
            .as_ref()
            .filter(|_| self.failure.is_none())
            .ok_or(Failed)
    }

    pub(super) fn state(&self) -> &VmState {
        self.store.data()
    }

    pub(super) fn state_mut(&mut self) -> &mut VmState {
        self.store.data_mut()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = self.state().streams.len();
        formatter
            .debug_struct("Host")
            .field("streams", &streams)
            .field("trap", &self.trap)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
