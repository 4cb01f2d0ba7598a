//! A gateway and four services with a sidecar each on real Envoys, of which two lose `tracestate`.
//!
//! ```text
//!                                  ┌─ legacy (B3 alone) ────────┐
//! istio-ingressgateway ── front ───┤                            ├── stock
//!                                  └─ bare (traceparent alone) ─┘
//! ```
//!
//! Requests begin without a context. Their path says what stock does, and all in front of it answer with the worst status that they got.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Protocol, Route};
use sidespan_tests::envoy::{self, counter, filter, settle, wait_for_counter};
use sidespan_tests::http::{Connection, Received, Reply, Request, Server};

use super::sizing::cpu;

/// Spans of a request: one for each request that a proxy receives, and one for each that it sends.
pub(super) const SPANS: usize = 11;
/// Calls of a request, by caller and callee.
pub(super) const EDGES: [(&str, &str); 5] = [
    (GATEWAY, "front"),
    ("front", "legacy"),
    ("front", "bare"),
    ("legacy", "stock"),
    ("bare", "stock"),
];
/// Requests that a service receives for each that comes in.
pub(super) const RECEIVED: [(&str, u64); 5] = [
    (GATEWAY, 1),
    ("front", 1),
    ("legacy", 1),
    ("bare", 1),
    ("stock", 2),
];
/// Time from which a request is slow, to the filter here and to the tail sampler as it is shipped.
pub(super) const SLOWER_THAN: Duration = Duration::from_secs(1);

/// Requests: all of them, and those among them that fail or are slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) requests: u64,
    pub(super) failing: u64,
    pub(super) slow: u64,
}

/// The running proxies with their applications.
pub(super) struct Shop {
    gateway: Envoy,
    sidecars: HashMap<&'static str, Envoy>,
    _applications: Vec<Server>,
}

impl Shop {
    /// Starts all, with what the filter's configuration says of sampling, and how it compresses.
    pub(super) fn start(agent: SocketAddr, sampling: &Value, compression: &str) -> Self {
        let configuration = json!({
            "sampling": sampling,
            "export": {
                "otlp": {"cluster": AGENT, "compression": compression},
                "batch": {"maxDelay": "200ms"},
            },
        });
        let base = |node| {
            let agent = Cluster::new(AGENT, agent).protocol(Protocol::Http2);
            Bootstrap::new(node).cluster(agent)
        };
        let listener = |name: &str, direction| {
            let listener = Listener::new(name).direction(direction);
            listener.filter(filter(&configuration).filter())
        };
        let mut sidecars: HashMap<&'static str, Envoy> = HashMap::new();
        let mut applications = Vec::new();
        for (name, handed_on) in SERVICES {
            let callees: Vec<&str> = callees(name).collect();
            let way_out: Arc<OnceLock<SocketAddr>> = Arc::default();
            let (out, called) = (Arc::clone(&way_out), callees.clone());
            let application = Server::start(move |request| {
                let out = *out.get().expect("requests come after the start");
                serve(request, handed_on, &called, out)
            });
            let mut bootstrap = base(Node::sidecar("shop", &pod(name)))
                .cluster(Cluster::new("application", application.address()))
                .listener(listener("inbound", Direction::Inbound).route(Route::to("application")));
            let mut outbound = listener("outbound", Direction::Outbound);
            for callee in callees {
                bootstrap = bootstrap.cluster(Cluster::new(callee, inbound(&sidecars[callee])));
                outbound = outbound.route(Route::to(callee).authority(callee));
            }
            // A listener needs a route, also where nobody is called.
            outbound = outbound.route(Route::to("application").authority("nobody"));
            let sidecar = envoy::start(&bootstrap.listener(outbound));
            let address = sidecar.address("outbound").expect("a listener");
            way_out.set(address).expect("set once");
            sidecars.insert(name, sidecar);
            applications.push(application);
        }
        // Istio's gateways listen OUTBOUND.
        let edge = listener("edge", Direction::Outbound).route(Route::to("front"));
        let bootstrap = base(Node::gateway("istio-system", &pod(GATEWAY)))
            .cluster(Cluster::new("front", inbound(&sidecars["front"])))
            .listener(edge);
        Self {
            gateway: envoy::start(&bootstrap),
            sidecars,
            _applications: applications,
        }
    }

    /// Sends requests, those that fail at equal distances among the others, and the slow ones all at once at last.
    ///
    /// # Panics
    /// When one is not answered as it should be.
    pub(super) fn send(&self, load: Load) {
        let to = self.gateway.address("edge").expect("a listener");
        let quick = load.requests - load.slow;
        let distance = quick / load.failing;
        thread::scope(|scope| {
            for first in 0..CONNECTIONS {
                scope.spawn(move || {
                    let mut connection = Connection::open(to).expect("a listener");
                    for number in (0..quick).filter(|it| it % CONNECTIONS == first) {
                        let fails = number % distance == 0 && number / distance < load.failing;
                        let (path, status) = if fails { (FAIL, 503) } else { ("/well", 200) };
                        let answer = connection.exchange(&Request::get(path));
                        assert_eq!(answer.expect("an answer").status, status);
                    }
                });
            }
        });
        thread::scope(|scope| {
            for _ in 0..load.slow {
                scope.spawn(move || {
                    let mut connection = Connection::open(to).expect("a listener");
                    let answer = connection.exchange(&Request::get(SLOW));
                    assert_eq!(answer.expect("an answer").status, 200);
                });
            }
        });
    }

    /// Waits until nothing waits in the proxies, and returns the spans that the agent took.
    ///
    /// # Panics
    /// When a span was lost on the way to it.
    pub(super) fn exported(&self) -> u64 {
        let exported = self.proxies().map(|envoy| {
            settle(envoy);
            wait_for_counter(envoy, "queue.spans", |count| count == 0);
            let finished = counter(envoy, "spans.finished");
            wait_for_counter(envoy, "spans.exported", |count| count == finished)
        });
        exported.sum()
    }

    /// Returns the bytes that the proxies have sent to the agent, as they are on the wire.
    pub(super) fn bytes(&self) -> u64 {
        let stat = format!("cluster.{AGENT}.upstream_cx_tx_bytes_total");
        let sent = self.proxies().map(|envoy| envoy.stat(&stat));
        let sent = sent.map(|count| count.expect("the admin interface").expect("a cluster"));
        sent.sum()
    }

    /// Returns the CPU time of all proxies since their start, in microseconds.
    pub(super) fn cpu(&self) -> u64 {
        let pids: Vec<_> = self.proxies().map(|envoy| Some(envoy.pid())).collect();
        cpu(&pids)
    }

    fn proxies(&self) -> impl Iterator<Item = &Envoy> {
        self.sidecars.values().chain([&self.gateway])
    }
}

/// Returns the edges that this many requests make.
pub(super) fn edges(requests: u64) -> BTreeMap<(String, String), u64> {
    let edges = EDGES.map(|(from, to)| ((from.to_owned(), to.to_owned()), requests));
    edges.into()
}

fn callees(of: &str) -> impl Iterator<Item = &'static str> {
    let edges = EDGES.into_iter().filter(move |(caller, _)| *caller == of);
    edges.map(|(_, callee)| callee)
}

fn inbound(sidecar: &Envoy) -> SocketAddr {
    sidecar.address("inbound").expect("a listener")
}

fn pod(name: &str) -> String {
    format!("{name}-7d9c5b8f6-x2x4z")
}

/// Calls all callees with the headers that are handed on, over connections that stay open, and answers with the worst status.
fn serve(
    request: &Received,
    handed_on: &[&str],
    callees: &[&'static str],
    out: SocketAddr,
) -> Reply {
    thread_local! {
        static OPEN: RefCell<Option<Connection>> = const { RefCell::new(None) };
    }
    if callees.is_empty() {
        if request.path == SLOW {
            thread::sleep(SLOWER_THAN);
        }
        return Reply::status(if request.path == FAIL { 503 } else { 200 });
    }
    let own = handed_on.iter();
    let own: Vec<_> = own
        .filter_map(|name| Some((*name, request.headers.one(name)?)))
        .collect();
    let statuses = callees.iter().map(|callee| {
        let call = Request::to("GET", callee, &request.path);
        let call = own
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value));
        OPEN.with_borrow_mut(|open| {
            let connection = open.get_or_insert_with(|| Connection::open(out).expect("a listener"));
            connection.exchange(&call).expect("an answer").status
        })
    });
    Reply::status(statuses.max().unwrap_or(200))
}

/// Services, and the headers that they hand on; callees first, because a sidecar knows their addresses.
const SERVICES: [(&str, &[&str]); 4] = [
    ("stock", &[]),
    ("bare", &["traceparent"]),
    ("legacy", &["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"]),
    ("front", &["traceparent", "tracestate"]),
];
pub(super) const GATEWAY: &str = "istio-ingressgateway";
const AGENT: &str = "otel-collector";
const CONNECTIONS: u64 = 4;
pub(super) const FAIL: &str = "/fail";
pub(super) const SLOW: &str = "/slow";
