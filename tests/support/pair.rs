//! Two sidecars on real Envoys: a service `front`, which calls a service `stock`, and a load of which some requests fail.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;

use serde_json::Value;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};

use crate::envoy::{self, filter};
use crate::http::{Connection, Received, Reply, Request, Server};

/// The reciprocal of the share of requests that fail.
const FAILS: u64 = 50;
const CONNECTIONS: u64 = 4;

/// Running sidecars with their applications.
pub struct Pair {
    /// The sidecar of the service that is called first.
    pub front: Envoy,
    /// The sidecar of the service that it calls.
    pub stock: Envoy,
    _applications: [Server; 2],
}

impl Pair {
    /// Starts the sidecars with a configuration of the filter, and with the cluster that it exports to.
    ///
    /// # Panics
    /// When they do not start.
    pub fn start(collector: &Cluster, configuration: &Value) -> Self {
        let stock = Server::start(|request| match request.path.as_str() {
            "/fail" => Reply::status(503),
            _ => Reply::status(200),
        });
        let way_out: Arc<OnceLock<SocketAddr>> = Arc::default();
        let out = Arc::clone(&way_out);
        let front = Server::start(move |request| {
            let out = *out.get().expect("requests come after the start");
            Reply::status(called(out, request))
        });
        let sidecar =
            |workload: &str, targets| sidecar(workload, collector, configuration, targets);
        let stocks = sidecar("stock", [stock.address(), stock.address()]);
        let next = stocks.address("inbound").expect("a listener");
        let fronts = sidecar("front", [front.address(), next]);
        let outbound = fronts.address("outbound").expect("a listener");
        way_out.set(outbound).expect("set once");
        Self {
            front: fronts,
            stock: stocks,
            _applications: [front, stock],
        }
    }

    /// Returns where requests to the front come in.
    ///
    /// # Panics
    /// When its sidecar has ended.
    pub fn way_in(&self) -> SocketAddr {
        self.front.address("inbound").expect("a listener")
    }

    /// Sends requests, of which one in fifty fails; returns the number of those.
    ///
    /// # Panics
    /// When one is not answered as its service does.
    pub fn send(&self, requests: u64) -> u64 {
        let way_in = self.way_in();
        thread::scope(|scope| {
            let running: Vec<_> = (0..CONNECTIONS)
                .map(|index| scope.spawn(move || sent(way_in, index, requests)))
                .collect();
            let failures = running.into_iter().map(|load| load.join());
            failures.map(|load| load.expect("no load panics")).sum()
        })
    }
}

/// Sends one connection's share of the requests in sequence; returns the number of failures.
fn sent(way_in: SocketAddr, index: u64, requests: u64) -> u64 {
    let mut connection = Connection::open(way_in).expect("a listener");
    let [well, badly] = ["/ok", "/fail"].map(|path| Request::get(path).bytes());
    let mut failures = 0;
    for number in (0..requests).filter(|number| number % CONNECTIONS == index) {
        let is_failure = number % FAILS == 0;
        let request = if is_failure { &badly } else { &well };
        let answer = connection.exchange_bytes(request).expect("an answer");
        assert_eq!(answer.status, if is_failure { 503 } else { 200 });
        failures += u64::from(is_failure);
    }
    failures
}

/// Makes the front's own call: with `traceparent` and nothing else, over a connection that stays open.
fn called(out: SocketAddr, request: &Received) -> u16 {
    thread_local! {
        static OPEN: RefCell<Option<Connection>> = const { RefCell::new(None) };
    }
    let traceparent = request.headers.one("traceparent").expect("a context");
    let call = Request::get(&request.path).header("traceparent", traceparent);
    OPEN.with_borrow_mut(|open| {
        let connection = open.get_or_insert_with(|| Connection::open(out).expect("a listener"));
        connection.exchange(&call).expect("an answer").status
    })
}

fn sidecar(
    workload: &str,
    collector: &Cluster,
    configuration: &Value,
    [app, next]: [SocketAddr; 2],
) -> Envoy {
    let pod = format!("{workload}-7d9c5b8f6-x2x4z");
    let mut bootstrap = Bootstrap::new(Node::sidecar("shop", &pod)).cluster(collector.clone());
    for (name, direction, target) in [
        ("inbound", Direction::Inbound, app),
        ("outbound", Direction::Outbound, next),
    ] {
        let listener = Listener::new(name)
            .direction(direction)
            .route(Route::to(name));
        bootstrap = bootstrap
            .cluster(Cluster::new(name, target))
            .listener(listener.filter(filter(configuration).filter()));
    }
    envoy::start(&bootstrap)
}
