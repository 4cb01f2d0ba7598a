//! A peer: a program with a configuration of its own, which listens on free ports and says when it is ready.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::http::{Connection, Request, Response};
use crate::ports::free_address;
use crate::program::Program;

/// The addresses and files of a peer, for its configuration to name.
#[derive(Debug)]
pub struct Places {
    addresses: BTreeMap<String, SocketAddr>,
    folder: PathBuf,
}

impl Places {
    fn in_folder(folder: &Path) -> Self {
        Self {
            addresses: BTreeMap::new(),
            folder: folder.to_owned(),
        }
    }

    /// Returns a free address, the same for the same name.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn address(&mut self, name: &str) -> SocketAddr {
        if let Some(known) = self.addresses.get(name) {
            return *known;
        }
        let address = free_address();
        self.addresses.insert(name.to_owned(), address);
        address
    }

    /// Returns the path of a file in the peer's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A running peer. Dropping it kills it; where a test fails, its log is in the test's output.
#[derive(Debug)]
pub(super) struct Peer {
    binary: PathBuf,
    environment: &'static [(&'static str, &'static str)],
    /// The arguments in front of the file of the configuration.
    arguments: &'static [&'static str],
    ready: &'static str,
    addresses: BTreeMap<String, SocketAddr>,
    program: Option<Program>,
    folder: TempDir,
}

impl Peer {
    /// Starts a program with `--config`, and waits until a GET of `ready` at its address [`HEALTH`] answers 200.
    ///
    /// # Panics
    /// With its log, when the peer does not become ready.
    pub(super) fn start(
        binary: PathBuf,
        ready: &'static str,
        configuration: impl Fn(&mut Places) -> Value,
    ) -> Self {
        Self::start_with(binary, &[], &["--config"], ready, configuration)
    }

    /// Starts a program as [`Peer::start`] does, in an environment, and with other arguments in front of the
    /// configuration's file.
    ///
    /// # Panics
    /// As [`Peer::start`].
    pub(super) fn start_with(
        binary: PathBuf,
        environment: &'static [(&'static str, &'static str)],
        arguments: &'static [&'static str],
        ready: &'static str,
        configuration: impl Fn(&mut Places) -> Value,
    ) -> Self {
        let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
        let mut peer = Self {
            binary,
            environment,
            arguments,
            ready,
            addresses: BTreeMap::new(),
            program: None,
            folder,
        };
        // Up to five starts, because another process may take a port before the peer does.
        for _ in 0..5 {
            let mut places = Places::in_folder(peer.folder.path());
            places.address(HEALTH);
            let configuration = configuration(&mut places).to_string();
            fs::write(peer.file(CONFIGURATION), configuration).expect("a test file");
            peer.addresses = places.addresses;
            if peer.resume() {
                return peer;
            }
        }
        panic!("no free ports")
    }

    /// Starts the program again on its old addresses, and returns false if one of them is in use.
    ///
    /// # Panics
    /// With its log, when the peer does not become ready.
    pub(super) fn resume(&mut self) -> bool {
        let mut command = Command::new(&self.binary);
        command
            .envs(self.environment.iter().copied())
            .args(self.arguments)
            .arg(self.file(CONFIGURATION));
        let mut program = Program::start(&mut command);
        let is_ready = program.wait("readiness", |said| {
            if said.contains(IN_USE) {
                return Some(false);
            }
            let health = self.ask(HEALTH, self.ready)?;
            (health.status == 200).then_some(true)
        });
        self.program = is_ready.then_some(program);
        is_ready
    }

    /// Ends the program as a termination signal does: what it still holds is written and sent.
    pub(super) fn quit(&mut self) {
        if let Some(program) = self.program.take() {
            program.quit();
        }
    }

    /// Kills the program.
    pub(super) fn kill(&mut self) {
        self.program = None;
    }

    /// Returns the address that the configuration has by this name.
    pub(super) fn address(&self, name: &str) -> SocketAddr {
        let address = self.addresses.get(name);
        *address.unwrap_or_else(|| panic!("its configuration names no address `{name}`"))
    }

    /// Returns the path of a file in the peer's folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the process id; `None` when the peer does not run.
    pub(super) fn pid(&self) -> Option<u32> {
        self.program.as_ref().map(Program::pid)
    }

    /// Returns all output of the program since its last start.
    pub(super) fn log(&self) -> String {
        self.program
            .as_ref()
            .map_or_else(String::new, Program::said)
    }

    /// Sends a GET to one of the addresses; `None` when nothing answers.
    pub(super) fn ask(&self, address: &str, path: &str) -> Option<Response> {
        let mut connection = Connection::open(self.address(address)).ok()?;
        connection.exchange(&Request::get(path)).ok()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}:\n{}", self.binary.display(), self.log());
        }
    }
}

/// The name of the address that tells whether the peer is ready.
pub(super) const HEALTH: &str = "health";
const CONFIGURATION: &str = "configuration.json";
/// The kernel's words, as Go prints them.
const IN_USE: &str = "address already in use";
