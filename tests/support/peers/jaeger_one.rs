//! Jaeger 1, all in one, over a remote storage: of the older API, which no other Jaeger speaks.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::build;
use super::peer::{HEALTH, Peer};

/// A running Jaeger 1. Dropping it kills it.
#[derive(Debug)]
pub struct JaegerOne(Peer);

impl JaegerOne {
    /// Starts a Jaeger 1 whose spans are kept and found at an address that serves its remote storage, and waits until it is
    /// ready.
    ///
    /// # Panics
    /// With its log, when Jaeger does not become ready.
    pub fn over(storage: SocketAddr) -> Self {
        // Its flag of the same meaning is read by other programs of Jaeger alone.
        let environment = &[("SPAN_STORAGE_TYPE", "grpc")];
        let arguments = &["--config-file"];
        Self(Peer::start_with(
            program(),
            environment,
            arguments,
            "/",
            |places| {
                let mut at = |name| json!({ "host-port": places.address(name) });
                json!({
                    "grpc-storage": {"server": storage},
                    "admin": {"http": at(HEALTH)},
                    "collector": {
                        "grpc-server": at("collector/grpc"),
                        "http-server": at("collector/http"),
                        "otlp": {"grpc": at(GRPC), "http": at("otlp/http")},
                    },
                    "query": {
                        "http-server": at(QUERY),
                        "grpc-server": at("query/grpc"),
                        "enable-tracing": false,
                    },
                })
            },
        ))
    }

    /// Returns the address for OTLP/gRPC.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.0.address(GRPC)
    }

    /// Sends a GET to the query API, and returns the status and the JSON of the answer.
    ///
    /// # Panics
    /// When Jaeger does not answer in JSON.
    pub fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.0.ask(QUERY, path).expect("an answer");
        let body = serde_json::from_slice(&answer.body).expect("JSON");
        (answer.status, body)
    }

    /// Returns Jaeger's log.
    pub fn log(&self) -> String {
        self.0.log()
    }
}

/// Returns Jaeger 1's program, which the first call builds.
pub(super) fn program() -> PathBuf {
    let package = "github.com/jaegertracing/jaeger/cmd/all-in-one";
    build::program_in("jaeger-one", "jaeger", package)
}

const GRPC: &str = "otlp/grpc";
const QUERY: &str = "query";
