//! The topology in which the suite tests a proxy.
//!
//! ```text
//! test ── inbound ── app ── outbound ── test
//! ```
//!
//! The app makes the callbacks that a request asks for before it answers, and passes every propagation header on as
//! received, line by line. The app adds no header, so what arrives at the end is the proxy's work.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_tests::envoy;
use sidespan_tests::http::{Headers, Received, Reply, Request, Server, send};

/// One sidecar with both its sides, the application behind it, and the test's own server.
pub(super) struct Mesh {
    envoy: Envoy,
    _app: Server,
    harness: Server,
    scopes: AtomicU64,
}

impl Mesh {
    /// Starts the mesh, with the tracer or filter that `equip` puts on each listener.
    pub(super) fn start(equip: impl Fn(Listener) -> Listener) -> Self {
        let harness = Server::ok();
        let outbound: Arc<OnceLock<SocketAddr>> = Arc::default();
        let way_out = Arc::clone(&outbound);
        let app = Server::start(move |request| {
            let way_out = way_out.get().expect("requests come after the start");
            answer(request, *way_out)
        });
        let inbound = Listener::new("inbound")
            .direction(Direction::Inbound)
            .route(Route::to("app"));
        let back = Listener::new("outbound")
            .direction(Direction::Outbound)
            .route(Route::to("harness"));
        let bootstrap = Bootstrap::new(Node::sidecar("conformance", "app-7d9c5b8f6-x2x4z"))
            .listener(equip(inbound))
            .listener(equip(back))
            .cluster(Cluster::new("app", app.address()))
            .cluster(Cluster::new("harness", harness.address()))
            .cluster(Cluster::empty("nobody"));
        let envoy = envoy::start(&bootstrap);
        outbound
            .set(envoy.address("outbound").expect("an outbound listener"))
            .expect("set once");
        Self {
            envoy,
            _app: app,
            harness,
            scopes: AtomicU64::new(0),
        }
    }

    /// Sends a request with these headers and asks the app for `count` callbacks; returns their headers.
    pub(super) fn callbacks(&self, headers: &[(&str, &str)], count: usize) -> Vec<Headers> {
        let scope = self.scopes.fetch_add(1, Ordering::Relaxed);
        let paths: Vec<String> = (0..count)
            .map(|index| format!("/{scope}.{index}"))
            .collect();
        let request = Request::post("/test", paths.join("\n")).headers(headers);
        let response = send(
            self.envoy.address("inbound").expect("an inbound listener"),
            &request,
        );
        assert_eq!(response.status, 200);
        paths
            .iter()
            .map(|path| self.harness.only(path).headers)
            .collect()
    }
}

fn answer(request: &Received, outbound: SocketAddr) -> Reply {
    for path in String::from_utf8_lossy(&request.body).lines() {
        let mut callback = Request::post(path, "[]").header("content-type", "application/json");
        for (name, value) in request.headers.only(PROPAGATED).lines() {
            callback = callback.header(name, value);
        }
        send(outbound, &callback);
    }
    Reply::status(200)
}

const PROPAGATED: &[&str] = &[
    "traceparent",
    "tracestate",
    "baggage",
    "x-request-id",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
];
