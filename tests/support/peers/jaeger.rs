//! Jaeger, all in one: OTLP in, a store in memory, the query APIs.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::build;
use super::peer::{HEALTH, Peer, Places};

/// A running Jaeger. Dropping it kills it.
#[derive(Debug)]
pub struct Jaeger(Peer);

impl Jaeger {
    /// Starts a Jaeger with a store for 100,000 traces, and waits until it is ready. It has no web page, because the Go module
    /// has none, and no other receivers than OTLP's.
    ///
    /// # Panics
    /// With its log, when Jaeger does not become ready.
    pub fn start() -> Self {
        Self::with(&json!({"memory": {"max_traces": 100_000}}), false)
    }

    /// Starts a Jaeger as [`Jaeger::start`] does, which also tells of itself what Prometheus scrapes; see
    /// [`Jaeger::metrics`].
    ///
    /// # Panics
    /// As [`Jaeger::start`].
    pub fn start_with_metrics() -> Self {
        Self::with(&json!({"memory": {"max_traces": 100_000}}), true)
    }

    /// Starts a Jaeger whose spans are kept and found elsewhere: at an address that serves its remote storage.
    ///
    /// # Panics
    /// As [`Jaeger::start`].
    pub fn over(storage: SocketAddr) -> Self {
        let client = json!({"endpoint": storage.to_string(), "tls": {"insecure": true}});
        Self::with(&json!({ "grpc": client }), false)
    }

    /// Starts a Jaeger that keeps its spans on disk, in a folder of its own; see [`Jaeger::stored`].
    ///
    /// # Panics
    /// As [`Jaeger::start`].
    pub fn on_disk() -> Self {
        Self::configured(false, |places| {
            let [keys, values] = ["keys", "values"].map(|name| places.file(STORE).join(name));
            json!({"badger": {"ephemeral": false, "directories": {"keys": keys, "values": values}}})
        })
    }

    fn with(backend: &Value, tells: bool) -> Self {
        Self::configured(tells, |_| backend.clone())
    }

    fn configured(tells: bool, backend: impl Fn(&mut Places) -> Value) -> Self {
        Self(Peer::start(program(), "/status", |places| {
            let backend = backend(places);
            let metrics = match tells {
                true => {
                    let port = places.address(METRICS).port();
                    let prometheus = json!({"host": "127.0.0.1", "port": port});
                    json!({"readers": [{"pull": {"exporter": {"prometheus": prometheus}}}]})
                }
                false => json!({"level": "none"}),
            };
            json!({
                "receivers": {
                    "otlp": {
                        "protocols": {
                            "grpc": {"endpoint": places.address(GRPC)},
                            "http": {"endpoint": places.address(HTTP)},
                        },
                    },
                },
                "exporters": {"jaeger_storage_exporter": {"trace_storage": "spans"}},
                "extensions": {
                    "jaeger_storage": {"backends": {"spans": backend}},
                    "jaeger_query": {
                        "storage": {"traces": "spans"},
                        "http": {"endpoint": places.address(QUERY)},
                        "grpc": {"endpoint": places.address(QUERY_GRPC)},
                        // Else it sends its own spans to port 4317.
                        "enable_tracing": false,
                    },
                    "healthcheckv2": {
                        "use_v2": true,
                        "http": {"endpoint": places.address(HEALTH)},
                    },
                },
                "service": {
                    "extensions": ["jaeger_storage", "jaeger_query", "healthcheckv2"],
                    "telemetry": {"metrics": metrics},
                    "pipelines": {
                        "traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]},
                    },
                },
            })
        }))
    }

    /// Returns the address for OTLP/gRPC.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.0.address(GRPC)
    }

    /// Returns the address for OTLP/HTTP.
    pub fn http_addr(&self) -> SocketAddr {
        self.0.address(HTTP)
    }

    /// Returns the address of the query APIs over HTTP, `/api` and `/api/v3`.
    pub fn query_addr(&self) -> SocketAddr {
        self.0.address(QUERY)
    }

    /// Sends a GET to the query APIs, and returns the status and the JSON of the answer.
    ///
    /// # Panics
    /// When Jaeger does not answer in JSON.
    pub fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.0.ask(QUERY, path).expect("an answer");
        let body = serde_json::from_slice(&answer.body).expect("JSON");
        (answer.status, body)
    }

    /// Returns the page that Prometheus scrapes.
    ///
    /// # Panics
    /// When Jaeger was started without metrics, or does not answer.
    pub fn metrics(&self) -> String {
        let answer = self.0.ask(METRICS, "/metrics").expect("an answer");
        String::from_utf8(answer.body).expect("text")
    }

    /// Returns the process id; `None` when Jaeger does not run.
    pub fn pid(&self) -> Option<u32> {
        self.0.pid()
    }

    /// Returns Jaeger's log since its last start.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// Returns the folder of a Jaeger that keeps its spans on disk.
    pub fn stored(&self) -> PathBuf {
        self.0.file(STORE)
    }

    /// Ends Jaeger as a termination signal does: what it still holds is written.
    ///
    /// # Panics
    /// With its log, when Jaeger does not end.
    pub fn quit(&mut self) {
        self.0.quit();
    }

    /// Kills Jaeger, as a crash does: its spans are gone.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts Jaeger again on the same addresses, empty.
    ///
    /// # Panics
    /// With its log, when Jaeger does not become ready, or another process has taken an address.
    pub fn resume(&mut self) {
        assert!(self.0.resume(), "another process has its address");
    }
}

/// Returns Jaeger's program, which the first call builds.
pub(super) fn program() -> PathBuf {
    build::program("jaeger", "github.com/jaegertracing/jaeger/cmd/jaeger")
}

const GRPC: &str = "otlp/grpc";
const HTTP: &str = "otlp/http";
const QUERY: &str = "query";
const QUERY_GRPC: &str = "query/grpc";
const METRICS: &str = "metrics";
const STORE: &str = "store";
