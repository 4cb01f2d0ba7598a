//! `FAIL_RELOAD`: a VM that has trapped gives way to a fresh one with the next stream, not sooner than its back-off allows.
//!
//! Envoy measures from the last load of the VM, not from the trap, so that a VM that has run for long is replaced at once
//! (`plugin.cc`, `maybeReloadHandleIfNeeded`).

use std::sync::Arc;

use super::reloads::Reloads;
use super::vm::{Host, Installed};
use crate::settings::FailurePolicy;
use crate::vm_state::VmState;

impl Host {
    /// Returns the reloads of this VM so far, which only [`FailurePolicy::FailReload`] has.
    pub fn reloads(&self) -> Reloads {
        self.reloads
    }

    /// Replaces a VM that has trapped, if the plugin's policy says so and the back-off is over.
    pub(super) fn reload(&mut self, place: usize) {
        let Installed { plugin, root } = &self.installed[place];
        let (plugin, is_missing) = (Arc::clone(plugin), *root == 0);
        let FailurePolicy::FailReload { base } = plugin.failure_policy else {
            return;
        };
        if self.failure.is_some() {
            return;
        }
        if self.trap.is_none() {
            // Another plugin of the VM has replaced it.
            if is_missing {
                let root = self.start_root(plugin);
                self.installed[place].root = root.unwrap_or_default();
            }
            return;
        }
        let now = self.state().time.now();
        let interval = self.reloads.interval(base);
        if now.saturating_sub(self.reloads.loaded) < interval {
            self.reloads.backoff += 1;
            return;
        }
        let state = self.state();
        let settings = Arc::clone(&state.settings);
        let mut fresh = VmState::new(settings, state.abi, state.shared.clone(), state.time);
        fresh.entropy = state.entropy;
        match Self::start_in(&self.module, fresh, plugin) {
            Ok(mut fresh) => {
                fresh.state_mut().inherit(self.state_mut());
                let first = fresh.installed.swap_remove(0);
                fresh.installed = std::mem::take(&mut self.installed);
                for installed in &mut fresh.installed {
                    installed.root = 0;
                }
                fresh.installed[place] = first;
                fresh.reloads = Reloads {
                    success: self.reloads.success + 1,
                    loaded: now,
                    ..self.reloads
                };
                *self = fresh;
            }
            Err(mut failed) => {
                self.reloads.failure += 1;
                self.state_mut().logs.append(failed.host.take_logs());
            }
        }
    }
}
