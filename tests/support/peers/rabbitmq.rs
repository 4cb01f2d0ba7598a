//! RabbitMQ, as Debian packages it: a node of its own name and data, with a port mapper of Erlang's of its own.
//!
//! The program beneath Debian's script is started, because the script wants to be root or the user `rabbitmq`. A node would
//! start the port mapper as a daemon that outlives it, so one is started beside it.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use sidespan_envoy::wait_for;
use tempfile::TempDir;

use crate::envoy::LIMIT;
use crate::ports::free_address;
use crate::program::Program;

/// A running RabbitMQ. Dropping it kills it, and its port mapper.
#[derive(Debug)]
pub struct RabbitMq {
    address: SocketAddr,
    _node: Program,
    _mapper: Program,
    _folder: TempDir,
}

impl RabbitMq {
    /// The user and the password of a new node, whom it serves from this machine alone.
    pub const USER: (&str, &str) = ("guest", "guest");

    /// Starts a node, and waits until it is ready.
    ///
    /// # Panics
    /// With its log, when it does not become ready, or when there is none on this machine.
    pub fn start() -> Self {
        assert!(
            Path::new(PROGRAM).exists(),
            "no RabbitMQ at {PROGRAM}: install it (Debian: rabbitmq-server); nothing of it need run"
        );
        // Up to five starts, because another process may take a port before the node does.
        for _ in 0..5 {
            if let Some(started) = Self::try_start() {
                return started;
            }
        }
        panic!("no free ports")
    }

    /// Starts a node; `None` where one of its ports was taken.
    fn try_start() -> Option<Self> {
        let folder = TempDir::with_prefix("sidespan-peer-").expect("a folder for test files");
        let [address, mapped, between] = [(); 3].map(|()| free_address());
        let mut mapper = Command::new("epmd");
        mapper
            .args(["-address", "127.0.0.1", "-port"])
            .arg(mapped.port().to_string());
        let mut mapper = Program::start(&mut mapper);
        // A node that finds no mapper starts one, which outlives it.
        wait_for(LIMIT, || TcpStream::connect(mapped).ok())?;
        let text = |name: &str| folder.path().join(name).display().to_string();
        // An empty file of settings is none of this machine's.
        fs::write(folder.path().join("rabbitmq-env.conf"), "").expect("a test file");
        let ports = [address, mapped, between].map(|address| address.port().to_string());
        let [port, mapped, between] = ports;
        let mut node = Command::new(PROGRAM);
        node.env("HOME", folder.path())
            // The one mode in which the script becomes the node, so that its process id is the node's.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", mapped)
            .env("RABBITMQ_CONFIG_FILE", text("rabbitmq"))
            .env("RABBITMQ_CONF_ENV_FILE", text("rabbitmq-env.conf"))
            .env("RABBITMQ_DIST_PORT", between)
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", text("enabled_plugins"))
            .env("RABBITMQ_LOG_BASE", folder.path())
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_MNESIA_BASE", text("data"))
            .env("RABBITMQ_NODENAME", format!("sidespan-{port}@localhost"))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", port)
            .env("RABBITMQ_PID_FILE", text("pid"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", LOOPBACK);
        let mut node = Program::start(&mut node);
        let is_ready = node.wait("readiness", |said| {
            if IN_USE.iter().any(|words| said.contains(words)) {
                return Some(false);
            }
            said.contains("Server startup complete").then_some(true)
        });
        let is_whole = is_ready && !mapper.has_ended();
        is_whole.then_some(Self {
            address,
            _node: node,
            _mapper: mapper,
            _folder: folder,
        })
    }

    /// Returns the host and the port of AMQP.
    pub fn place(&self) -> (String, u16) {
        (self.address.ip().to_string(), self.address.port())
    }
}

/// The node's own program, where Debian has it.
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// The interface on which other nodes would be heard, which is every one unless it is named.
const LOOPBACK: &str = "-kernel inet_dist_use_interface {127,0,0,1}";

/// The words of a node whose port is taken, its own or the one between nodes.
const IN_USE: [&str; 2] = ["eaddrinuse", "already in use"];
