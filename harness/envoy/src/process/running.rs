//! The process of an Envoy: started in a folder of its own, and ended.
//!
//! The folder holds the configuration and the logs. The process ends with its [`Envoy`], and at the latest with this
//! process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use thiserror::Error;

use crate::admin;
use crate::bootstrap::Bootstrap;
use crate::leash::Leash;
use crate::wait::wait_for;

/// The errors of a running Envoy.
#[derive(Debug, Error)]
pub enum EnvoyError {
    /// An Envoy that ended by itself, mostly because it refused its configuration.
    #[error("Envoy ended ({status}); the end of its log:\n{log}")]
    Ended {
        /// The exit status.
        status: ExitStatus,
        /// The last lines of the log.
        log: String,
    },
    /// A condition that did not come about in time.
    #[error("waited in vain for {what}; the end of Envoy's log:\n{log}")]
    Timeout {
        /// The condition.
        what: String,
        /// The last lines of the log.
        log: String,
    },
    /// An error of the admin interface.
    #[error("admin {path}: {status} {body}")]
    Admin {
        /// The path of the request.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The body of the answer.
        body: String,
    },
    /// A listener that does not exist.
    #[error("no listener `{0}`")]
    NoListener(String),
    /// A file or a connection that failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A running Envoy. Dropping it kills it.
#[derive(Debug)]
pub struct Envoy {
    held: Mutex<Held>,
    pub(super) pid: u32,
    pub(super) admin: SocketAddr,
    ports: BTreeMap<String, u16>,
    pub(super) folder: TempDir,
}

/// The child process, and the leash that ends it if this process ends first; no leash once the child has ended.
#[derive(Debug)]
struct Held {
    child: Child,
    leash: Option<Leash>,
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
            &bootstrap.log_arguments(),
        )
    }

    /// Starts `binary` with a configuration written by hand. Its admin interface must listen on the loopback interface,
    /// best on port 0.
    ///
    /// # Errors
    /// The errors of [`Envoy::start`].
    pub fn start_file(binary: &Path, config: &Path, log_levels: &str) -> Result<Self, EnvoyError> {
        let folder = tempfile::Builder::new()
            .prefix("sidespan-envoy-")
            .tempdir()?;
        let log = ["--component-log-level", log_levels];
        Self::launch(binary, config, folder, 1, &log)
    }

    fn launch(
        binary: &Path,
        config: &Path,
        folder: TempDir,
        workers: u32,
        log_arguments: &[&str],
    ) -> Result<Self, EnvoyError> {
        let log = File::create(folder.path().join(LOG))?;
        let admin_file = folder.path().join("admin");
        let child = Command::new(binary)
            .arg("-c")
            .arg(config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .args(["--concurrency", &workers.to_string()])
            .args(["--log-level", "warning"])
            .args(log_arguments)
            // Hot restart needs a socket that all Envoys of a machine share.
            .arg("--disable-hot-restart")
            // Lines of an access log would stay in memory for ten seconds.
            .args(["--file-flush-interval-msec", "50"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let pid = child.id();
        // From here on the child is killed when anything goes wrong, because `Drop` of this value kills it.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut envoy = Self {
            held: Mutex::new(Held { child, leash: None }),
            pid,
            admin: nowhere,
            ports: BTreeMap::new(),
            folder,
        };
        let leash = Leash::new(pid, envoy.folder.path())?;
        envoy
            .held
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .leash = Some(leash);
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

    /// Returns the port that a listener is bound to.
    ///
    /// # Errors
    /// [`EnvoyError::NoListener`] when there is no such listener.
    pub fn port(&self, listener: &str) -> Result<u16, EnvoyError> {
        self.ports
            .get(listener)
            .copied()
            .ok_or_else(|| EnvoyError::NoListener(listener.into()))
    }

    /// Returns the address that a listener is bound to.
    ///
    /// # Errors
    /// The errors of [`Envoy::port`].
    pub fn address(&self, listener: &str) -> Result<SocketAddr, EnvoyError> {
        Ok(SocketAddr::from(([127, 0, 0, 1], self.port(listener)?)))
    }

    /// Returns the address of the admin interface.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns the folder with the configuration, the log and the access logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Asks Envoy to end, as a termination signal does, and waits until it has ended.
    ///
    /// # Errors
    /// [`EnvoyError::Timeout`] when Envoy does not end.
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

    /// Waits for a step of the start; returns an error at once if Envoy ends meanwhile.
    pub(super) fn until<T>(
        &self,
        what: &str,
        look: impl Fn(&Self) -> Option<T>,
    ) -> Result<T, EnvoyError> {
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
    }
}

pub(super) const LOG: &str = "envoy.log";

/// The limit of a start, far above the duration of a cold start with a wasm module, because a machine may be loaded.
const START: Duration = Duration::from_secs(60);
