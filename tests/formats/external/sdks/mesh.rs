//! The two services, a sidecar each, and the collector.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, wait_for};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, filter};
use sidespan_tests::http::{Request, Server, send};
use sidespan_tests::packages;
use sidespan_tests::program::Program;

/// The running services, sidecars, collector and warehouse.
pub(super) struct Mesh {
    pub(super) collector: Collector,
    /// The server that the last service calls.
    pub(super) warehouse: Server,
    services: [Mutex<Program>; 2],
    sidecars: [Envoy; 2],
}

/// The sidecars' work on headers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sidecars {
    /// Translation, and recorded spans.
    WithTheFilter,
    /// Translation, recorded spans, and their ids in Envoy's access logs.
    WithAccessLogs,
    /// Nothing.
    Plain,
}

impl Mesh {
    pub(super) fn start(sidecars: Sidecars) -> Self {
        let collector = Collector::start();
        let url = format!("http://{}/v1/traces", collector.sink().http_addr());
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("formats/external/sdks");

        let warehouse = Server::ok();
        let modules = packages::node("sdks-node", include_str!("package.json"));
        let mut stock = Command::new("node");
        stock.arg(sources.join("stock.cjs")).arg(&url);
        let mut stock = Program::start(stock.env("NODE_PATH", modules));
        let stocks = sidecar(
            sidecars,
            "stock",
            &collector,
            [address(&mut stock), warehouse.address()],
        );
        stock.tell(&outbound(&stocks));

        let python = packages::python("sdks-python", include_str!("requirements.txt"));
        let mut cart = Command::new(python.join("bin/python"));
        let mut cart = Program::start(cart.arg(sources.join("cart.py")).arg(&url));
        let next = stocks.address("inbound").expect("a listener");
        let carts = sidecar(sidecars, "cart", &collector, [address(&mut cart), next]);
        cart.tell(&outbound(&carts));
        Self {
            collector,
            warehouse,
            services: [cart, stock].map(Mutex::new),
            sidecars: [carts, stocks],
        }
    }

    /// Sends a request to the cart, from outside.
    pub(super) fn request(&self, path: &str, traceparent: Option<String>) {
        let mut request = Request::get(path);
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        let inbound = self.sidecars[0].address("inbound").expect("a listener");
        assert_eq!(send(inbound, &request).status, 200);
    }

    /// Returns the trace ids in the two services' log lines of the request to this path.
    pub(super) fn traces_in_the_logs(&self, path: &str) -> [String; 2] {
        self.services.each_ref().map(|service| {
            let of_path = |line: &Value| line["path"] == path;
            let mut service = service.lock().unwrap_or_else(PoisonError::into_inner);
            let line = service.wait("its line of the request", |said| find(said, of_path));
            line["trace"].as_str().expect("an id").to_owned()
        })
    }

    /// Returns the line of the request to this path in the access log of a service's listener.
    pub(super) fn access(&self, service: &str, listener: &str, path: &str) -> Value {
        let [carts, stocks] = &self.sidecars;
        let sidecar = if service == "cart" { carts } else { stocks };
        let of_path = |line: &Value| line["path"] == path;
        wait_for(LIMIT, || find(&sidecar.access_log(listener), of_path))
            .unwrap_or_else(|| panic!("{path} is not in it:\n{}", sidecar.access_log(listener)))
    }
}

fn sidecar(
    sidecars: Sidecars,
    workload: &str,
    collector: &Collector,
    [service, next]: [SocketAddr; 2],
) -> Envoy {
    let configuration = json!({
        "sampling": {"percentage": 100},
        "spans": {"accessLog": sidecars == Sidecars::WithAccessLogs},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    let line = json!({
        "path": "%REQ(:PATH)%",
        "trace": "%FILTER_STATE(wasm.sidespan.trace_id:PLAIN)%",
        "span": "%FILTER_STATE(wasm.sidespan.span_id:PLAIN)%",
    });
    let listener = |name, direction| {
        let plain = Listener::new(name)
            .direction(direction)
            .route(Route::to(name));
        match sidecars {
            Sidecars::Plain => plain,
            Sidecars::WithTheFilter | Sidecars::WithAccessLogs => plain
                .filter(filter(&configuration).filter())
                .access_log_json(line.clone()),
        }
    };
    let bootstrap = Bootstrap::new(Node::sidecar(
        "shop",
        &format!("{workload}-7d9c5b8f6-x2x4z"),
    ))
    .cluster(collector.grpc_cluster("collector"))
    .cluster(Cluster::new("inbound", service))
    .cluster(Cluster::new("outbound", next))
    .listener(listener("inbound", Direction::Inbound))
    .listener(listener("outbound", Direction::Outbound));
    envoy::start(&bootstrap)
}

/// Returns the address at which a sidecar takes its service's calls.
fn outbound(sidecar: &Envoy) -> String {
    let address = sidecar.address("outbound").expect("a listener");
    address.to_string()
}

/// Returns the address at which a service listens, which is its first output.
fn address(service: &mut Program) -> SocketAddr {
    let port = service.wait("its port", |said| {
        find(said, |line| line["port"].is_u64())?["port"].as_u64()
    });
    let port = u16::try_from(port).expect("a port");
    ([127, 0, 0, 1], port).into()
}

/// Returns the first line that is JSON and wanted; libraries may print other lines.
fn find(said: &str, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    let lines = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.into_iter().find(wanted)
}
