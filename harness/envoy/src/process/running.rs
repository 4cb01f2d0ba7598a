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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use thiserror::Error;

use crate::admin;
use crate::bootstrap::Bootstrap;
use crate::bootstrap::hot_restart::{self, Handover, NO_HOT_RESTART};
use crate::leash::Leash;
use crate::wait::wait_for;

/// The errors of a running Envoy.
#[derive(Debug, Error)]
pub enum EnvoyError {
    /// An Envoy that ended by itself: mostly because it refused its configuration, or because it has crashed.
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
    pub(super) held: Mutex<Held>,
    pub(super) pid: u32,
    pub(super) admin: SocketAddr,
    ports: BTreeMap<String, u16>,
    epoch: u32,
    // True once another has taken over by hot restart.
    pub(super) is_succeeded: AtomicBool,
    pub(super) folder: TempDir,
}

/// The child process, and the leash that ends it if this process ends first; no leash once the child has ended.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) child: Child,
    pub(super) leash: Option<Leash>,
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
        let mut command = Command::new(binary);
        command
            .args(bootstrap.arguments(folder.path()))
            .envs(bootstrap.variables());
        Self::launch(command, &config, folder, bootstrap.epoch())
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
        let mut command = Command::new(binary);
        command
            .args(["--concurrency", "1"])
            .args(["--component-log-level", log_levels])
            .arg(NO_HOT_RESTART);
        Self::launch(command, config, folder, 0)
    }

    fn launch(
        mut command: Command,
        config: &Path,
        folder: TempDir,
        epoch: u32,
    ) -> Result<Self, EnvoyError> {
        let log = File::create(folder.path().join(LOG))?;
        let admin_file = folder.path().join("admin");
        let child = command
            .arg("-c")
            .arg(config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .args(["--log-level", "warning"])
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
            epoch,
            is_succeeded: AtomicBool::new(false),
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

    /// Makes a bootstrap that of the Envoy which takes over from this one by hot restart: on the ports of the listeners here, which have the
    /// same names there. Once that one serves, this one drains for its `--drain-time-s`, and ends after that one's `--parent-shutdown-time-s`
    /// ([`Bootstrap::with_arguments`]).
    ///
    /// # Errors
    /// [`EnvoyError::Io`] where this one was started without [`Bootstrap::hot_restart`].
    pub fn hands_over_to(&self, bootstrap: Bootstrap) -> Result<Bootstrap, EnvoyError> {
        let base_id = hot_restart::base_id(self.folder.path())?;
        self.is_succeeded.store(true, Ordering::Relaxed);
        Ok(bootstrap.takes_over(Handover {
            base_id,
            epoch: self.epoch + 1,
            ports: self.ports.clone(),
        }))
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
        wait_for(START, || match self.end() {
            Some(end) => Some(Err(end)),
            None => look(self).map(Ok),
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
}

pub(super) const LOG: &str = "envoy.log";

/// The limit of a start, far above the duration of a cold start with a wasm module, because a machine may be loaded.
const START: Duration = Duration::from_secs(60);
