//! Four services with a sidecar each, which hand on different headers.
//!
//! ```text
//! front (W3C) ── legacy (B3 alone) ── bare (traceparent alone) ── stock (W3C)
//! ```
//!
//! A path names the services through which its request goes, each of which is a callee of all before it:
//! `/legacy/stock` begins at legacy, which calls stock.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_sink::StoredSpan;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, filter, settle, wait_for_counter};
use sidespan_tests::http::{Connection, Received, Reply, Request, Server};

/// Services, and the headers that they hand on.
const SERVICES: [(&str, &[&str]); 4] = [
    ("front", &["traceparent", "tracestate"]),
    ("legacy", &["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"]),
    ("bare", &["traceparent"]),
    ("stock", &["traceparent", "tracestate"]),
];
/// The ways of requests, in turn.
const PATHS: [&str; 4] = [
    "/front/legacy/bare/stock",
    "/legacy/stock",
    "/bare/stock",
    "/front/bare",
];
const CONNECTIONS: u64 = 8;

/// The side of a service that a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Served,
    Called,
}

pub(super) struct Mesh {
    collector: Collector,
    sidecars: HashMap<&'static str, Envoy>,
    services: BTreeMap<&'static str, Server>,
    sent: OnceLock<u64>,
}

impl Mesh {
    /// Starts all services, with sidecars that sample this percentage.
    pub(super) fn start(percentage: f64) -> Self {
        let configuration = json!({
            "sampling": {"percentage": percentage},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "50ms"}},
        });
        let mut mesh = Self {
            collector: Collector::start(),
            sidecars: HashMap::new(),
            services: BTreeMap::new(),
            sent: OnceLock::new(),
        };
        // Callees first, because a sidecar knows their addresses.
        for (name, handed_on) in SERVICES.into_iter().rev() {
            let way_out = Arc::new(OnceLock::new());
            let service = {
                let way_out = Arc::clone(&way_out);
                Server::start(move |request| {
                    let way_out = *way_out.get().expect("requests come after the start");
                    serve(request, handed_on, way_out)
                })
            };
            let sidecar = mesh.sidecar(name, service.address(), &configuration);
            let outbound = sidecar.address("outbound").expect("a listener");
            way_out.set(outbound).expect("set once");
            mesh.sidecars.insert(name, sidecar);
            mesh.services.insert(name, service);
        }
        mesh
    }

    fn sidecar(&self, name: &str, service: SocketAddr, configuration: &Value) -> Envoy {
        let listener = |name: &str, direction| {
            Listener::new(name)
                .direction(direction)
                .filter(filter(configuration).filter())
        };
        let pod = format!("{name}-7d9c5b8f6-x2x4z");
        let mut bootstrap = Bootstrap::new(Node::sidecar("shop", &pod))
            .concurrency(2)
            .cluster(self.collector.grpc_cluster("collector"))
            .cluster(Cluster::new("service", service))
            .listener(listener("inbound", Direction::Inbound).route(Route::to("service")));
        let mut outbound = listener("outbound", Direction::Outbound);
        for (callee, sidecar) in &self.sidecars {
            let address = sidecar.address("inbound").expect("a listener");
            bootstrap = bootstrap.cluster(Cluster::new(callee, address));
            outbound = outbound.route(Route::to(callee).prefix(&format!("/{callee}")));
        }
        // A listener needs a route, also where nobody is called.
        outbound = outbound.route(Route::to("service").prefix("/nobody"));
        envoy::start(&bootstrap.listener(outbound))
    }

    /// Sends this many requests, several at a time, and returns the seconds that they take.
    pub(super) fn load(&self, requests: u64) -> f64 {
        self.sent.set(requests).expect("one load");
        let start = Instant::now();
        thread::scope(|scope| {
            for index in 0..CONNECTIONS {
                scope.spawn(move || {
                    let mut ways = PATHS.map(|path| {
                        let (first, _) = first(path);
                        let sidecar = &self.sidecars[first];
                        let address = sidecar.address("inbound").expect("a listener");
                        let connection = Connection::open(address).expect("a listener");
                        (connection, Request::get(path).bytes())
                    });
                    for number in (0..requests).filter(|number| number % CONNECTIONS == index) {
                        let (connection, request) = &mut ways[way(number)];
                        let answer = connection.exchange_bytes(request).expect("an answer");
                        assert_eq!(answer.status, 200);
                    }
                });
            }
        });
        start.elapsed().as_secs_f64()
    }

    /// Returns the spans of all sidecars, once the last has arrived.
    pub(super) fn spans(&self) -> Vec<Arc<StoredSpan>> {
        let mut all = 0;
        for sidecar in self.sidecars.values() {
            settle(sidecar);
            wait_for_counter(sidecar, "queue.spans", |waiting| waiting == 0);
            let finished = counter(sidecar, "spans.finished");
            all += wait_for_counter(sidecar, "spans.exported", |exported| exported == finished);
        }
        self.collector
            .wait(|now| (now.spans.len() as u64 >= all).then(|| now.spans.to_vec()))
    }

    /// Returns the number of requests that each service has got, and of the calls that it has made.
    pub(super) fn truth(&self) -> BTreeMap<(String, Side), u64> {
        let mut truth = BTreeMap::new();
        for number in 0..*self.sent.get().expect("a load") {
            let services: Vec<&str> = PATHS[way(number)].split('/').skip(1).collect();
            for (position, service) in services.iter().enumerate() {
                *truth.entry(((*service).into(), Side::Served)).or_default() += 1;
                if position + 1 < services.len() {
                    *truth.entry(((*service).into(), Side::Called)).or_default() += 1;
                }
            }
        }
        for (name, service) in &self.services {
            let served = truth.get(&((*name).into(), Side::Served)).copied();
            assert_eq!(Some(service.count()), served, "{name}");
        }
        truth
    }
}

/// Returns the position of a request's path. The connections take turns, and so do the paths of each.
fn way(number: u64) -> usize {
    let number = usize::try_from(number / CONNECTIONS).expect("a number");
    number % PATHS.len()
}

/// Calls the next service on the path with the headers that are handed on, over a connection that stays open.
fn serve(request: &Received, handed_on: &[&str], way_out: SocketAddr) -> Reply {
    thread_local! {
        static OPEN: RefCell<Option<Connection>> = const { RefCell::new(None) };
    }
    let (_, Some(next)) = first(&request.path) else {
        return Reply::status(200);
    };
    let mut call = Request::get(next);
    for name in handed_on {
        if let Some(value) = request.headers.one(name) {
            call = call.header(name, value);
        }
    }
    OPEN.with_borrow_mut(|open| {
        let connection = open.get_or_insert_with(|| Connection::open(way_out).expect("a listener"));
        Reply::status(connection.exchange(&call).expect("an answer").status)
    })
}

/// Returns the first service of a path, and the path behind it.
fn first(path: &str) -> (&str, Option<&str>) {
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.find('/') {
        Some(slash) => (&path[..slash], Some(&path[slash..])),
        None => (path, None),
    }
}
