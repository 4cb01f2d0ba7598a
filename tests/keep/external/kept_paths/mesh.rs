//! Five services with a sidecar each, in two branches, and a gateway in front.
//!
//! ```text
//! gateway ── front ── orders ─┬─ payments ── bank
//!                             └─ stock
//! ```
//!
//! Nothing is sampled. Each sidecar has listeners of several configurations side by side, a **lane** each; a request stays
//! in its lane all the way. Its path names the lane, the protocol, the callee, and the services' behaviour:
//! `/<lane>/<protocol>/<callee>/<case>`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Protocol, Route};
use sidespan_sink::StoredSpan;
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Request, Response, Server, send};

use super::{grpc, service};

/// Services, and their callees.
pub(super) const SERVICES: [(&str, &[&str]); 5] = [
    ("bank", &[]),
    ("stock", &[]),
    ("payments", &["bank"]),
    ("orders", &["payments", "stock"]),
    ("front", &["orders"]),
];

/// The number of spans of a request through all services.
const SPANS: usize = 9;

/// The lane in which the callers' sidecars retry failed requests once.
const RETRIES: &str = "retries";

/// Addresses at which services leave through their own sidecar, by lane.
pub(super) type WaysOut = Arc<OnceLock<HashMap<&'static str, SocketAddr>>>;

/// A configuration, and its name in paths.
pub(super) type Lane = (&'static str, Value);

pub(super) struct Mesh {
    pub(super) collector: Collector,
    sidecars: HashMap<&'static str, Envoy>,
    gateway: Envoy,
    _services: Vec<Server>,
}

impl Mesh {
    /// Starts the services, the sidecars, the gateway and the collector.
    pub(super) fn start(workers: u32, lanes: &[Lane]) -> Self {
        let collector = Collector::start();
        let mut sidecars: HashMap<&'static str, Envoy> = HashMap::new();
        let mut services = Vec::new();
        for (name, callees) in SERVICES {
            let ways_out = WaysOut::default();
            let server = service::start(name, callees, &ways_out);
            let grpc = grpc::start(name, callees, &ways_out);
            let mut bootstrap = base(Node::sidecar("shop", &pod(name)), workers, &collector)
                .cluster(Cluster::new("app-http", server.address()))
                .cluster(Cluster::new("app-grpc", grpc).protocol(Protocol::Http2));
            for lane in lanes {
                let mut outbound = listener("outbound", lane, Direction::Outbound);
                for callee in callees {
                    let next = address(&sidecars[callee], "inbound", lane.0);
                    bootstrap = bootstrap.cluster(cluster("http", callee, lane.0, next));
                    bootstrap = bootstrap.cluster(cluster("grpc", callee, lane.0, next));
                    for protocol in ["http", "grpc"] {
                        let prefix = format!("/{}/{protocol}/{callee}/", lane.0);
                        let mut to = Route::to(&format!("{}-{protocol}-{callee}", lane.0));
                        if lane.0 == RETRIES {
                            let policy = json!({"retry_on": "5xx", "num_retries": 1});
                            to = to.with("retry_policy", policy);
                        }
                        outbound = outbound.route(to.prefix(&prefix));
                    }
                }
                let inbound = ["http", "grpc"].into_iter().fold(
                    listener("inbound", lane, Direction::Inbound),
                    |inbound, protocol| {
                        let prefix = format!("/{}/{protocol}/", lane.0);
                        inbound.route(Route::to(&format!("app-{protocol}")).prefix(&prefix))
                    },
                );
                bootstrap = bootstrap.listener(inbound).listener(outbound);
            }
            let sidecar = envoy::start(&bootstrap);
            let ways = lanes
                .iter()
                .map(|(lane, _)| (*lane, address(&sidecar, "outbound", lane)));
            ways_out.set(ways.collect()).expect("set once");
            sidecars.insert(name, sidecar);
            services.push(server);
        }
        let node = Node::gateway("istio-system", &pod("gateway"));
        let mut bootstrap = base(node, workers, &collector);
        for lane in lanes {
            let next = address(&sidecars["front"], "inbound", lane.0);
            // Istio's gateways listen OUTBOUND.
            let mut listener = listener("gateway", lane, Direction::Outbound);
            for protocol in ["http", "grpc"] {
                bootstrap = bootstrap.cluster(cluster(protocol, "front", lane.0, next));
                let to = Route::to(&format!("{}-{protocol}-front", lane.0));
                listener = listener.route(to.prefix(&format!("/{}/{protocol}/", lane.0)));
            }
            bootstrap = bootstrap.listener(listener);
        }
        Self {
            collector,
            sidecars,
            gateway: envoy::start(&bootstrap),
            _services: services,
        }
    }

    /// Returns the address of the way into the mesh.
    pub(super) fn way_in(&self, entry: Entry, lane: &str) -> SocketAddr {
        match entry {
            Entry::Front => address(&self.sidecars["front"], "inbound", lane),
            Entry::Gateway => address(&self.gateway, "gateway", lane),
        }
    }

    /// Sends one request by HTTP/1.1 that its caller has not sampled.
    pub(super) fn request(
        &self,
        entry: Entry,
        lane: &str,
        case: &str,
        caller: &Caller,
    ) -> Response {
        let request = Request::get(&format!("/{lane}/http/front/{case}"))
            .header("traceparent", caller.unsampled());
        send(self.way_in(entry, lane), &request)
    }

    /// Makes one gRPC call that its caller has not sampled; returns its status.
    pub(super) fn call(
        &self,
        entry: Entry,
        lane: &str,
        case: &str,
        caller: &Caller,
    ) -> grpc::Answer {
        let path = format!("/{lane}/grpc/front/{case}");
        grpc::call(self.way_in(entry, lane), &path, &caller.unsampled())
    }

    /// Waits until all spans of earlier requests in this lane have arrived. Each sidecar has one worker, which exports
    /// spans in the order in which they ended, where no full batch waits: those of a last, sampled request through all
    /// services come after all others.
    pub(super) fn settled(&self, lane: &str) {
        let last = Caller::fresh();
        let request = Request::get(&format!("/{lane}/http/front/healthy"))
            .header("traceparent", last.traceparent());
        let answer = send(self.way_in(Entry::Gateway, lane), &request);
        assert_eq!(answer.status, 200);
        // The gateway's spans as well.
        self.collector.trace(&last.trace_id, SPANS + 2);
    }

    /// Returns the spans of a trace, once all have arrived.
    pub(super) fn spans(&self, lane: &str, caller: &Caller) -> Vec<StoredSpan> {
        self.settled(lane);
        self.collector.sink().trace(&caller.trace_id)
    }
}

/// The entry of a request into the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Front,
    Gateway,
}

/// Returns a lane's configuration with these settings of `keep`.
pub(super) fn keeping(keep: &Value) -> Value {
    json!({
        "sampling": {"percentage": 0, "keep": keep},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    })
}

fn base(node: Node, workers: u32, collector: &Collector) -> Bootstrap {
    Bootstrap::new(node)
        .concurrency(workers)
        .cluster(collector.grpc_cluster("collector"))
}

fn listener(side: &str, (lane, configuration): &Lane, direction: Direction) -> Listener {
    Listener::new(&format!("{side}-{lane}"))
        .direction(direction)
        .filter(filter(configuration).filter())
}

fn cluster(protocol: &str, callee: &str, lane: &str, next: SocketAddr) -> Cluster {
    let spoken = match protocol {
        "grpc" => Protocol::Http2,
        _ => Protocol::Http1,
    };
    Cluster::new(&format!("{lane}-{protocol}-{callee}"), next).protocol(spoken)
}

fn address(envoy: &Envoy, side: &str, lane: &str) -> SocketAddr {
    let address = envoy.address(&format!("{side}-{lane}"));
    address.expect("a listener")
}

fn pod(name: &str) -> String {
    format!("{name}-7d9c5b8f6-x2x4z")
}

/// Runs the tasks at once and waits for all.
pub(super) fn at_once<T: Send>(tasks: Vec<impl FnOnce() -> T + Send>) -> Vec<T> {
    thread::scope(|scope| {
        let running: Vec<_> = tasks.into_iter().map(|task| scope.spawn(task)).collect();
        let ended = running.into_iter().map(|task| task.join());
        ended.map(|task| task.expect("no task panics")).collect()
    })
}
