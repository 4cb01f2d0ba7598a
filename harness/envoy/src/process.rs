//! A running Envoy: started, looked at, ended.
//!
//! Each has a folder of its own for its configuration and its log, and ends with the value that stands for it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use thiserror::Error;

use crate::admin::{self, Answer};
use crate::bootstrap::Bootstrap;
use crate::wait::wait_for;

/// What can go wrong with a running Envoy.
#[derive(Debug, Error)]
pub enum EnvoyError {
    /// It ended by itself, mostly because it refused its configuration.
    #[error("Envoy ended ({status}); the end of its log:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The last lines that it wrote.
        log: String,
    },
    /// It did not do in time what it was waited for.
    #[error("waited in vain for {what}; the end of Envoy's log:\n{log}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// The admin interface answered with an error.
    #[error("admin {path}: {status} {body}")]
    Admin {
        /// What was asked.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The answer.
        body: String,
    },
    /// There is no such listener.
    #[error("no listener `{0}`")]
    NoListener(String),
    /// A file or a connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A running Envoy. Dropping it kills it.
#[derive(Debug)]
pub struct Envoy {
    child: Mutex<Child>,
    pid: u32,
    admin: SocketAddr,
    ports: BTreeMap<String, u16>,
    folder: TempDir,
}

impl Envoy {
    /// Starts `binary` and waits until it serves: workers run and every listener is bound.
    ///
    /// # Errors
    /// [`EnvoyError::Ended`] or [`EnvoyError::Timeout`] with the end of the log, which says what is wrong.
    pub fn start(binary: &Path, bootstrap: &Bootstrap) -> Result<Self, EnvoyError> {
        let folder = tempfile::Builder::new()
            .prefix("sidespan-envoy-")
            .tempdir()?;
        let config = folder.path().join("envoy.json");
        fs::write(&config, bootstrap.to_json(folder.path()).to_string())?;
        Self::launch(
            binary,
            &config,
            folder,
            bootstrap.workers(),
            bootstrap.component_log_level(),
        )
    }

    /// Starts `binary` with a configuration written by hand. Its admin interface must listen on the loopback interface,
    /// best on port 0.
    ///
    /// # Errors
    /// As [`Envoy::start`].
    pub fn start_file(binary: &Path, config: &Path, log_levels: &str) -> Result<Self, EnvoyError> {
        let folder = tempfile::Builder::new()
            .prefix("sidespan-envoy-")
            .tempdir()?;
        Self::launch(binary, config, folder, 1, log_levels)
    }

    fn launch(
        binary: &Path,
        config: &Path,
        folder: TempDir,
        workers: u32,
        levels: &str,
    ) -> Result<Self, EnvoyError> {
        let log = File::create(folder.path().join(LOG))?;
        let admin_file = folder.path().join("admin");
        let child = Command::new(binary)
            .arg("-c")
            .arg(config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .args(["--concurrency", &workers.to_string()])
            .args(["--log-level", "warning", "--component-log-level", levels])
            // Hot restart needs a socket that all Envoys of a machine share.
            .arg("--disable-hot-restart")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let pid = child.id();
        // From here on the child is killed when anything goes wrong: `Drop` of this value does it.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut envoy = Self {
            child: Mutex::new(child),
            pid,
            admin: nowhere,
            ports: BTreeMap::new(),
            folder,
        };
        envoy.admin = envoy.until("its admin interface", |_| {
            fs::read_to_string(&admin_file)
                .ok()
                .and_then(|text| text.trim().parse().ok())
        })?;
        envoy.until("readiness", |envoy| {
            admin::ask(envoy.admin, "GET", "/ready")
                .ok()
                .filter(|answer| answer.status == 200)
        })?;
        envoy.ports = envoy.bound_ports()?;
        Ok(envoy)
    }

    /// The port that a listener is bound to.
    ///
    /// # Errors
    /// [`EnvoyError::NoListener`] when there is no such listener.
    pub fn port(&self, listener: &str) -> Result<u16, EnvoyError> {
        self.ports
            .get(listener)
            .copied()
            .ok_or_else(|| EnvoyError::NoListener(listener.into()))
    }

    /// The address that a listener is bound to.
    ///
    /// # Errors
    /// As [`Envoy::port`].
    pub fn address(&self, listener: &str) -> Result<SocketAddr, EnvoyError> {
        Ok(SocketAddr::from(([127, 0, 0, 1], self.port(listener)?)))
    }

    /// The address of the admin interface.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The folder with its configuration, its log and its access logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

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

    /// Asks it to end, as a termination signal does, and waits until it has.
    ///
    /// # Errors
    /// [`EnvoyError::Timeout`] when it goes on.
    pub fn quit(&self, limit: Duration) -> Result<ExitStatus, EnvoyError> {
        self.admin_post("/quitquitquit")?;
        wait_for(limit, || self.ended()).ok_or_else(|| self.timeout("its end"))
    }

    pub(crate) fn timeout(&self, what: &str) -> EnvoyError {
        EnvoyError::Timeout {
            what: what.into(),
            log: self.log_tail(),
        }
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

    /// Waits for a step of the start; an Envoy that ends meanwhile is not waited for.
    fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> Result<T, EnvoyError> {
        wait_for(START, || {
            if let Some(status) = self.ended() {
                return Some(Err(EnvoyError::Ended {
                    status,
                    log: self.log_tail(),
                }));
            }
            look(self).map(Ok)
        })
        .unwrap_or_else(|| Err(self.timeout(what)))
    }

    fn bound_ports(&self) -> Result<BTreeMap<String, u16>, EnvoyError> {
        let text = self.admin_get("/listeners?format=json")?;
        let answer: Value = serde_json::from_str(&text).map_err(io::Error::from)?;
        let all = answer["listener_statuses"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let port = |listener: &Value| {
            let port = listener["local_address"]["socket_address"]["port_value"].as_u64()?;
            Some((
                listener["name"].as_str()?.to_owned(),
                u16::try_from(port).ok()?,
            ))
        };
        Ok(all.iter().filter_map(port).collect())
    }

    fn ended(&self) -> Option<ExitStatus> {
        self.child.lock().ok()?.try_wait().ok().flatten()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // By its id and nothing else; one that has already ended is only collected.
        let child = self
            .child
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(error) = child.kill().and_then(|()| child.wait()) {
            log::warn!("Envoy {} could not be ended: {error}", self.pid);
        }
    }
}

const LOG: &str = "envoy.log";

/// Lines of the log that an error shows.
const TAIL: usize = 30;

/// A cold start with a wasm module takes about a second; a loaded machine takes longer.
const START: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
