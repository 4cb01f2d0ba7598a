//! Root contexts: started, replaced by a new configuration, and ended.

use std::sync::Arc;

use super::vm::{Failed, Host, Installed, StartError, StartFailure};
use crate::host_call::word;
use crate::settings::Plugin;
use crate::vm_state::{Root, RootPhase, VmState};

/// The progress of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Every root context has ended.
    Done,
    /// A root context has more to do and will call `proxy_done`. An Envoy that exits does not wait for that call.
    Pending,
}

impl Host {
    /// Starts a root context: `proxy_on_context_create`, `proxy_on_vm_start`, `proxy_on_configure`.
    pub(super) fn start_root(&mut self, plugin: Arc<Plugin>) -> Result<u32, StartFailure> {
        let id = self.state_mut().next_context();
        let size = word(plugin.configuration.len());
        let vm_size = word(self.state().settings.vm_configuration.len());
        let root = Root::new(plugin, &self.state().settings.vm_id);
        self.state_mut().roots.insert(id, root);
        let is_started = self
            .begin_root(id, vm_size)
            .map_err(|failed| self.trapped(failed))?;
        if !is_started {
            return Err(StartFailure::VmStart);
        }
        let is_configured = self
            .configure_root(id, size)
            .map_err(|failed| self.trapped(failed))?;
        if is_configured {
            Ok(id)
        } else {
            Err(StartFailure::Configure)
        }
    }

    fn begin_root(&mut self, id: u32, vm_size: u32) -> Result<bool, Failed> {
        self.set_configuring(id, true);
        let created = self.enter(|guest| &guest.context_create, id, (id, 0), ());
        self.set_configuring(id, false);
        created?;
        self.run_deferred();
        let answer = self.enter(|guest| &guest.vm_start, id, (id, vm_size), 1)?;
        self.run_deferred();
        Ok(answer != 0)
    }

    fn configure_root(&mut self, id: u32, size: u32) -> Result<bool, Failed> {
        self.set_configuring(id, true);
        let answer = self.enter(|guest| &guest.configure, id, (id, size), 1);
        self.set_configuring(id, false);
        let answer = answer?;
        self.run_deferred();
        Ok(answer != 0)
    }

    fn set_configuring(&mut self, id: u32, configuring: bool) {
        if let Some(root) = self.state_mut().roots.get_mut(&id) {
            root.configuring = configuring;
        }
    }

    /// Starts another plugin in this VM, as Envoy does for plugins with one `vm_id`, VM configuration and module; returns its
    /// place among the plugins of the VM.
    pub(crate) fn install(&mut self, plugin: Arc<Plugin>) -> Result<usize, StartFailure> {
        let root = self.start_root(Arc::clone(&plugin));
        let root = root.inspect_err(|failure| self.failure = Some(failure.clone()))?;
        self.installed.push(Installed { plugin, root });
        Ok(self.installed.len() - 1)
    }

    /// Replaces the running configuration, as xDS does.
    ///
    /// First a VM of its own tries the new configuration (Envoy's canary); if that VM fails, nothing changes. Otherwise new
    /// streams belong to a new root context, and the old root context ends with the last of its streams. A VM that has
    /// failed is replaced.
    ///
    /// # Errors
    /// [`StartError`] with the host of the canary if the canary fails; the old configuration stays in use.
    pub fn reconfigure(&mut self, configuration: impl Into<Vec<u8>>) -> Result<(), StartError> {
        let plugin = Arc::new(Plugin {
            configuration: configuration.into().into(),
            ..(*self.installed[0].plugin).clone()
        });
        let state = self.state();
        let settings = Arc::clone(&state.settings);
        let mut canary = VmState::new(settings, state.abi, state.shared.clone(), state.time);
        canary.entropy = state.entropy;
        let mut canary = Self::start_in(&self.module, canary, Arc::clone(&plugin))?;
        if self.trap.is_some() || self.failure.is_some() {
            canary.state_mut().inherit(self.state_mut());
            *self = canary;
            return Ok(());
        }
        let old = self.installed[0].root;
        self.installed[0].plugin = Arc::clone(&plugin);
        match self.start_root(plugin) {
            Ok(root) => self.installed[0].root = root,
            // A configuration that a fresh VM accepts and this VM refuses leaves Envoy with a failed VM.
            Err(failure) => self.failure = Some(failure),
        }
        if let Some(root) = self.state_mut().roots.get_mut(&old) {
            root.phase = RootPhase::Retired;
        }
        self.end_retired(old);
        Ok(())
    }

    /// Ends every root context: `proxy_on_done`, and `proxy_on_delete` if `proxy_on_done` answers true.
    ///
    /// The caller ends open streams first, because Envoy drains before it stops.
    pub fn shutdown(&mut self) -> Shutdown {
        let roots: Vec<u32> = self
            .state()
            .roots
            .iter()
            .filter(|(_, root)| root.is_running())
            .map(|(id, _)| *id)
            .collect();
        for root in roots {
            self.end_root(root);
        }
        self.shutdown_state()
    }

    /// Returns the progress of a shutdown.
    pub fn shutdown_state(&self) -> Shutdown {
        if self.trap.is_some() || self.state().roots.is_empty() {
            Shutdown::Done
        } else {
            Shutdown::Pending
        }
    }

    /// Returns the number of root contexts that have yet to call `proxy_done`.
    pub fn pending_roots(&self) -> usize {
        self.state()
            .roots
            .values()
            .filter(|root| root.phase == RootPhase::PendingDone)
            .count()
    }

    /// Ends a root context that was replaced, once the last of its streams has ended.
    pub(super) fn end_retired(&mut self, id: u32) {
        let state = self.state();
        let is_retired = state
            .roots
            .get(&id)
            .is_some_and(|root| root.phase == RootPhase::Retired);
        if is_retired && state.streams.iter().all(|stream| stream.root != id) {
            self.end_root(id);
        }
    }

    fn end_root(&mut self, id: u32) {
        match self.enter(|guest| &guest.done, id, id, 1) {
            Ok(0) => {
                // `proxy_done` inside `proxy_on_done` comes too early and is NOT_FOUND, as in Envoy.
                if let Some(root) = self.state_mut().roots.get_mut(&id) {
                    root.phase = RootPhase::PendingDone;
                }
            }
            Ok(_) => self.delete_root(id),
            Err(Failed) => {}
        }
        self.run_deferred();
    }

    /// Calls `proxy_on_delete` on a root context, and gives up its calls and its ticks.
    pub(super) fn delete_root(&mut self, id: u32) {
        // After a trap there is no guest to call.
        let _ = self.enter(|guest| &guest.delete, id, id, ());
        let state = self.state_mut();
        state.calls.give_up(id);
        state.grpc.give_up(id);
        state.ticks.remove(&id);
        state.roots.remove(&id);
    }
}

impl Root {
    fn is_running(&self) -> bool {
        self.phase != RootPhase::PendingDone
    }
}
