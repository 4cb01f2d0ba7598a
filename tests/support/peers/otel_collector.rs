//! OpenTelemetry's Collector, with a configuration that a test writes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Map, Value, json};

use super::build;
use super::peer::{HEALTH, Peer, Places};
use crate::http::Response;

/// A running Collector. Dropping it kills it.
///
/// ```no_run
/// use serde_json::json;
/// use sidespan_tests::peers::Collector;
///
/// let collector = Collector::start(|places| {
///     json!({
///         "exporters": {"file": {"path": places.file("traces.json")}},
///         "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}}},
///     })
/// });
/// println!("export to {}", collector.grpc_addr());
/// ```
#[derive(Debug)]
pub struct Collector(Peer);

impl Collector {
    /// Starts a Collector and waits until it is ready. `parts` is the Collector's own configuration, which has the receiver
    /// `otlp` on free ports already and tells nothing of itself; its other addresses and files come from [`Places`].
    ///
    /// # Panics
    /// With its log, when the Collector refuses the configuration or does not become ready.
    pub fn start(parts: impl Fn(&mut Places) -> Value) -> Self {
        Self::start_with(&["--config"], parts)
    }

    /// Starts a Collector as [`Collector::start`] does, by the probability that a span tells: with the feature gate of the tail
    /// sampler by which it reads and writes OpenTelemetry's `tracestate`.
    ///
    /// # Panics
    /// As [`Collector::start`].
    pub fn start_by_tracestate(parts: impl Fn(&mut Places) -> Value) -> Self {
        const GATE: &str = "--feature-gates=processor.tailsamplingprocessor.usetracestate";
        Self::start_with(&[GATE, "--config"], parts)
    }

    /// Lets the Collector read the configurations that its arguments name, in an environment, without starting it.
    ///
    /// # Panics
    /// When the program does not run.
    pub fn validate(arguments: &[String], environment: &[(&str, String)]) -> Output {
        let mut command = Command::new(program());
        let environment = environment.iter().map(|(name, value)| (name, value));
        command.arg("validate").envs(environment).args(arguments);
        command.output().expect("the Collector runs")
    }

    fn start_with(
        arguments: &'static [&'static str],
        parts: impl Fn(&mut Places) -> Value,
    ) -> Self {
        Self(Peer::start_with(program(), &[], arguments, "/", |places| {
            let mut whole = json!({
                "receivers": {
                    "otlp": {
                        "protocols": {
                            "grpc": {"endpoint": places.address(GRPC)},
                            "http": {"endpoint": places.address(HTTP)},
                        },
                    },
                },
                "extensions": {"health_check": {"endpoint": places.address(HEALTH)}},
                "service": {
                    "extensions": ["health_check"],
                    "telemetry": {"metrics": {"level": "none"}},
                },
            });
            lay_over(&mut whole, parts(places));
            whole
        }))
    }

    /// Returns the address of the receiver `otlp` for gRPC.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.0.address(GRPC)
    }

    /// Returns the address of the receiver `otlp` for HTTP.
    pub fn http_addr(&self) -> SocketAddr {
        self.0.address(HTTP)
    }

    /// Returns an address that the configuration took from [`Places`].
    ///
    /// # Panics
    /// When it took none by this name.
    pub fn address(&self, name: &str) -> SocketAddr {
        self.0.address(name)
    }

    /// Returns the path of a file that the configuration took from [`Places`].
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.file(name)
    }

    /// Sends a GET to an address that the configuration took from [`Places`]; `None` when nothing answers.
    ///
    /// # Panics
    /// When it took none by this name.
    pub fn get(&self, address: &str, path: &str) -> Option<Response> {
        self.0.ask(address, path)
    }

    /// Returns the process id; `None` when the Collector does not run.
    pub fn pid(&self) -> Option<u32> {
        self.0.pid()
    }

    /// Returns the Collector's log since its last start.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// Ends the Collector as a termination signal does: what it still holds is written and sent.
    ///
    /// # Panics
    /// With its log, when the Collector does not end.
    pub fn quit(&mut self) {
        self.0.quit();
    }

    /// Kills the Collector, as a crash does.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts the Collector again after [`Collector::quit`] or [`Collector::kill`]: the same configuration, addresses and
    /// files.
    ///
    /// # Panics
    /// With its log, when the Collector does not become ready, or another process has taken an address.
    pub fn resume(&mut self) {
        assert!(self.0.resume(), "another process has its address");
    }
}

/// Returns the Collector's program, which the first call builds.
pub(super) fn program() -> PathBuf {
    build::program("collector", ".")
}

/// Lays one configuration over another as the Collector does: maps are merged, all else is replaced.
pub fn lay_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                lay_over(under.entry(key).or_insert_with(|| Map::new().into()), value);
            }
        }
        (under, over) => *under = over,
    }
}

const GRPC: &str = "otlp/grpc";
const HTTP: &str = "otlp/http";
