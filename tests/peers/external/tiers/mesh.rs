//! Two sidecars on real Envoys, whose spans go to an agent.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Protocol, Route};
use sidespan_tests::envoy::{self, counter, filter, settle};
use sidespan_tests::http::{Connection, Received, Reply, Request, Server};

/// Spans of a request: the front as SERVER and as CLIENT, and the stock.
pub(super) const HOPS: usize = 3;
/// The reciprocal of the share of requests that fail.
pub(super) const FAILS: u64 = 50;
const CONNECTIONS: u64 = 4;

/// Running sidecars with their applications.
pub(super) struct Mesh {
    front: Envoy,
    stock: Envoy,
    _applications: [Server; 2],
}

impl Mesh {
    /// Starts the sidecars with what the filter's configuration says of sampling.
    pub(super) fn start(agent: SocketAddr, sampling: &Value) -> Self {
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
        let stocks = sidecar("stock", agent, sampling, [stock.address(), stock.address()]);
        let next = stocks.address("inbound").expect("a listener");
        let fronts = sidecar("front", agent, sampling, [front.address(), next]);
        let outbound = fronts.address("outbound").expect("a listener");
        way_out.set(outbound).expect("set once");
        Self {
            front: fronts,
            stock: stocks,
            _applications: [front, stock],
        }
    }

    /// Sends requests, of which one in [`FAILS`] fails; returns the number of those.
    pub(super) fn send(&self, requests: u64) -> u64 {
        let way_in = self.front.address("inbound").expect("a listener");
        thread::scope(|scope| {
            let running: Vec<_> = (0..CONNECTIONS)
                .map(|index| scope.spawn(move || sent(way_in, index, requests)))
                .collect();
            let failures = running.into_iter().map(|load| load.join());
            failures.map(|load| load.expect("no load panics")).sum()
        })
    }

    /// Waits until nothing waits in the sidecars, and returns the spans that the agent took.
    ///
    /// # Panics
    /// When a span was lost on the way to it.
    pub(super) fn exported(&self) -> u64 {
        let envoys = [&self.front, &self.stock];
        for envoy in envoys {
            settle(envoy);
            envoy::wait_for_counter(envoy, "queue.spans", |count| count == 0);
            settle(envoy);
            let finished = counter(envoy, "spans.finished");
            assert_eq!(counter(envoy, "spans.exported"), finished, "none is lost");
        }
        envoys
            .iter()
            .map(|envoy| counter(envoy, "spans.exported"))
            .sum()
    }

    /// Returns the tries that failed.
    pub(super) fn failures(&self) -> u64 {
        let envoys = [&self.front, &self.stock];
        envoys
            .iter()
            .map(|envoy| counter(envoy, "export.failures"))
            .sum()
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
    agent: SocketAddr,
    sampling: &Value,
    [app, next]: [SocketAddr; 2],
) -> Envoy {
    let configuration = json!({
        "sampling": sampling,
        "export": {
            "otlp": {"cluster": "otel-collector"},
            "batch": {"maxDelay": "200ms"},
            "retry": {"initial": "100ms", "max": "500ms", "attempts": 100},
        },
    });
    let pod = format!("{workload}-7d9c5b8f6-x2x4z");
    let mut bootstrap = Bootstrap::new(Node::sidecar("shop", &pod))
        .cluster(Cluster::new("otel-collector", agent).protocol(Protocol::Http2));
    for (name, direction, target) in [
        ("inbound", Direction::Inbound, app),
        ("outbound", Direction::Outbound, next),
    ] {
        let listener = Listener::new(name)
            .direction(direction)
            .route(Route::to(name));
        bootstrap = bootstrap
            .cluster(Cluster::new(name, target))
            .listener(listener.filter(filter(&configuration).filter()));
    }
    envoy::start(&bootstrap)
}
