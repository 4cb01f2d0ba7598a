//! What a running Envoy tells: by its admin interface, by its logs, by the memory that it holds.

use std::collections::BTreeMap;
use std::time::Duration;
use std::{fs, io};

use super::running::{Envoy, EnvoyError, LOG};
use crate::admin::{self, Answer};
use crate::wait::wait_for;

impl Envoy {
    /// Reads from the admin interface.
    ///
    /// # Errors
    /// When it cannot be reached or answers with an error.
    pub fn admin_get(&self, path: &str) -> Result<String, EnvoyError> {
        self.ask("GET", path)
    }

    /// Tells the admin interface to do something, `/logging?wasm=debug` for example.
    ///
    /// # Errors
    /// As [`Envoy::admin_get`].
    pub fn admin_post(&self, path: &str) -> Result<String, EnvoyError> {
        self.ask("POST", path)
    }

    /// Returns a counter or a gauge by its full name; `None` when nothing has defined it.
    ///
    /// # Errors
    /// As [`Envoy::admin_get`].
    pub fn stat(&self, name: &str) -> Result<Option<u64>, EnvoyError> {
        Ok(self.stats(name)?.remove(name))
    }

    /// Returns the counters and gauges whose names begin so, with their full names.
    ///
    /// # Errors
    /// As [`Envoy::admin_get`].
    pub fn stats(&self, prefix: &str) -> Result<BTreeMap<String, u64>, EnvoyError> {
        let text = self.admin_get("/stats")?;
        // Histograms and text values have no number behind the colon and are left out.
        let numbers = text.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?)).filter(|_| name.starts_with(prefix))
        });
        Ok(numbers.collect())
    }

    /// Waits until a counter or a gauge is as wanted; one that nothing has defined counts as 0.
    ///
    /// # Errors
    /// [`EnvoyError::Timeout`], with the value that was seen last.
    pub fn wait_for_stat(
        &self,
        name: &str,
        wanted: impl Fn(u64) -> bool,
        limit: Duration,
    ) -> Result<u64, EnvoyError> {
        let mut seen = 0;
        wait_for(limit, || {
            seen = self.stat(name).ok()?.unwrap_or(0);
            wanted(seen).then_some(seen)
        })
        .ok_or_else(|| self.timeout(&format!("`{name}`, which is {seen}")))
    }

    /// All that it has logged so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder.path().join(LOG)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for a line in the log and returns it.
    ///
    /// # Errors
    /// [`EnvoyError::Timeout`] when none came.
    pub fn wait_for_log(&self, part: &str, limit: Duration) -> Result<String, EnvoyError> {
        wait_for(limit, || {
            self.log()
                .lines()
                .find(|line| line.contains(part))
                .map(str::to_owned)
        })
        .ok_or_else(|| self.timeout(&format!("`{part}` in its log")))
    }

    /// All that it has written so far into the access log of a listener that has one.
    pub fn access_log(&self, listener: &str) -> String {
        let path = self.folder.path().join(format!("{listener}.access"));
        String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
    }

    /// The memory that it holds, in bytes.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn resident_bytes(&self) -> Result<u64, EnvoyError> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.map(|kib| kib * 1024)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData).into())
    }

    fn ask(&self, method: &str, path: &str) -> Result<String, EnvoyError> {
        let Answer { status, body } = admin::ask(self.admin, method, path)?;
        if status == 200 {
            Ok(body)
        } else {
            Err(EnvoyError::Admin {
                path: path.into(),
                status,
                body,
            })
        }
    }

    pub(super) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

/// Lines of the log that an error shows.
const TAIL: usize = 30;
