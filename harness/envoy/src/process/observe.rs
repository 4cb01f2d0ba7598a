//! The observation of a running Envoy: its admin interface, its logs, its memory.

use std::collections::BTreeMap;
use std::time::Duration;
use std::{fs, io};

use super::running::{Envoy, EnvoyError, LOG};
use crate::admin::{self, Answer};
use crate::wait::wait_for;

impl Envoy {
    /// Reads a path of the admin interface.
    ///
    /// # Errors
    /// [`EnvoyError`] when the admin interface cannot be reached or answers with an error.
    pub fn admin_get(&self, path: &str) -> Result<String, EnvoyError> {
        self.ask("GET", path)
    }

    /// Sends a command to the admin interface, `/logging?wasm=debug` for example.
    ///
    /// # Errors
    /// The errors of [`Envoy::admin_get`].
    pub fn admin_post(&self, path: &str) -> Result<String, EnvoyError> {
        self.ask("POST", path)
    }

    /// Returns a counter or a gauge by its full name; `None` when Envoy has not defined it.
    ///
    /// # Errors
    /// The errors of [`Envoy::admin_get`].
    pub fn stat(&self, name: &str) -> Result<Option<u64>, EnvoyError> {
        Ok(self.stats(name)?.remove(name))
    }

    /// Returns the counters and gauges whose names begin with `prefix`, with their full names.
    ///
    /// # Errors
    /// The errors of [`Envoy::admin_get`].
    pub fn stats(&self, prefix: &str) -> Result<BTreeMap<String, u64>, EnvoyError> {
        let text = self.admin_get("/stats")?;
        // Histograms and text values have no number behind the colon and are left out.
        let numbers = text.lines().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?)).filter(|_| name.starts_with(prefix))
        });
        Ok(numbers.collect())
    }

    /// Waits until the value of a counter or a gauge is `wanted`; an undefined one counts as 0.
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

    /// Returns the log so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder.path().join(LOG)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for a log line that contains `part` and returns the line.
    ///
    /// # Errors
    /// [`EnvoyError::Timeout`] when no such line came.
    pub fn wait_for_log(&self, part: &str, limit: Duration) -> Result<String, EnvoyError> {
        wait_for(limit, || {
            self.log()
                .lines()
                .find(|line| line.contains(part))
                .map(str::to_owned)
        })
        .ok_or_else(|| self.timeout(&format!("`{part}` in its log")))
    }

    /// Returns the access log so far of a listener that has one.
    pub fn access_log(&self, listener: &str) -> String {
        let path = self.folder.path().join(format!("{listener}.access"));
        String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
    }

    /// Returns the resident memory of Envoy, in bytes.
    ///
    /// # Errors
    /// [`EnvoyError::Io`] when the kernel does not give the size.
    pub fn resident_bytes(&self) -> Result<u64, EnvoyError> {
        self.status_bytes("VmRSS:")
    }

    /// Returns the part of [`Envoy::resident_bytes`] that is of no file, and so of this process alone.
    ///
    /// # Errors
    /// The errors of [`Envoy::resident_bytes`].
    pub fn anonymous_bytes(&self) -> Result<u64, EnvoyError> {
        self.status_bytes("RssAnon:")
    }

    fn status_bytes(&self, name: &str) -> Result<u64, EnvoyError> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
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
        // A format that begins its lines with a mark means it for programs.
        let is_mark = |letter: char| letter.is_control() && letter != '\t';
        let lines = log.lines().map(|line| line.trim_start_matches(is_mark));
        let lines: Vec<&str> = lines.collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

/// The number of log lines that an error shows.
const TAIL: usize = 30;
