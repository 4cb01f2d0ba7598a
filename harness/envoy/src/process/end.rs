//! The end of a running Envoy: by its admin interface, by a signal, by a successor, or with its value.

use std::io;
use std::process::ExitStatus;
use std::sync::PoisonError;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::running::{Envoy, EnvoyError};
use crate::bootstrap::hot_restart;
use crate::wait::wait_for;

impl Envoy {
    /// Asks Envoy to end, as a termination signal does, and waits until it has ended.
    ///
    /// # Errors
    /// [`EnvoyError::Timeout`] when Envoy does not end.
    pub fn quit(&self, limit: Duration) -> Result<ExitStatus, EnvoyError> {
        self.admin_post("/quitquitquit")?;
        self.wait_for_end(limit)
    }

    /// Sends Envoy the signal by which supervisors end a process, and waits until it has ended.
    ///
    /// # Errors
    /// [`EnvoyError::Timeout`] when Envoy does not end.
    pub fn terminate(&self, limit: Duration) -> Result<ExitStatus, EnvoyError> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // A child that has been waited for has no process any more, and its id may be another's.
        if held.leash.is_some() {
            let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
            let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
            kill_process(pid, Signal::TERM).map_err(io::Error::from)?;
        }
        drop(held);
        self.wait_for_end(limit)
    }

    /// Waits until Envoy has ended, as one does from which another has taken over by hot restart.
    ///
    /// # Errors
    /// [`EnvoyError::Timeout`] when Envoy does not end.
    pub fn wait_for_end(&self, limit: Duration) -> Result<ExitStatus, EnvoyError> {
        wait_for(limit, || self.ended()).ok_or_else(|| self.timeout("its end"))
    }

    /// Returns the error of an Envoy that has ended by itself, with the end of its log; `None` while it runs.
    pub fn end(&self) -> Option<EnvoyError> {
        self.ended().map(|status| EnvoyError::Ended {
            status,
            log: self.log_tail(),
        })
    }

    pub(super) fn ended(&self) -> Option<ExitStatus> {
        let mut held = self.held.lock().ok()?;
        let status = held.child.try_wait().ok().flatten()?;
        held.leash = None;
        Some(status)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // The child is killed by its id and nothing else; one that has already ended is only collected.
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = held.child.kill().and_then(|()| held.child.wait()) {
            log::warn!("Envoy {} could not be ended: {error}", self.pid);
        }
        if !*self.is_succeeded.get_mut() {
            hot_restart::clean_up(self.folder.path());
        }
    }
}
