//! Two sidecars under load.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_sink::StoredSpan;
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::effort;
use sidespan_tests::envoy::{self, filter, settle, wait_for_counter};
use sidespan_tests::http::{Connection, Received, Reply, Request, Server, send};

/// A limit above the number of failures, because the limit has a test of its own.
pub(super) const SPANS_PER_SECOND: u64 = 5_000;
const FULL: u64 = 20_000;
/// The reciprocal of the share of requests that fail.
const FAILS: u64 = 50;
const CONNECTIONS: u64 = 4;

/// The requests that were sent, and the spans that arrived.
pub(super) struct Run {
    pub(super) requests: u64,
    pub(super) failures: u64,
    pub(super) seconds: f64,
    pub(super) spans: Vec<Arc<StoredSpan>>,
    pub(super) bytes: u64,
}

impl Run {
    /// Sends all requests and waits for all spans.
    pub(super) fn load() -> Self {
        let collector = Collector::start();
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
        let stocks = sidecar("stock", &collector, [stock.address(), stock.address()]);
        let next = stocks.address("inbound").expect("a listener");
        let fronts = sidecar("front", &collector, [front.address(), next]);
        let outbound = fronts.address("outbound").expect("a listener");
        way_out.set(outbound).expect("set once");
        let way_in = fronts.address("inbound").expect("a listener");

        let requests = effort::requests(FULL);
        let start = Instant::now();
        let failures = thread::scope(|scope| {
            let running: Vec<_> = (0..CONNECTIONS)
                .map(|index| scope.spawn(move || sent(way_in, index, requests)))
                .collect();
            let failures = running.into_iter().map(|load| load.join());
            failures.map(|load| load.expect("no load panics")).sum()
        });
        let seconds = start.elapsed().as_secs_f64();

        // Where no full batch waits, each sidecar's spans arrive in the order in which they ended, so all have arrived when
        // those of a last request have.
        let last = Caller::fresh();
        let request = Request::get("/ok").header("traceparent", last.traceparent());
        assert_eq!(send(way_in, &request).status, 200);
        collector.trace(&last.trace_id, 3);
        for envoy in [&fronts, &stocks] {
            settle(envoy);
            wait_for_counter(envoy, "spans.dropped_rate", |count| count == 0);
        }
        let now = collector.sink().snapshot();
        let records = u64::try_from(now.requests.len()).expect("a number");
        assert_eq!(records, now.counts.requests, "the sink has all requests");
        let bytes: usize = now.requests.iter().map(|request| request.wire_bytes).sum();
        let spans = now.spans.into_iter();
        Self {
            requests,
            failures,
            seconds,
            spans: spans
                .filter(|span| span.trace_id != last.trace_id)
                .collect(),
            bytes: bytes.try_into().expect("a number"),
        }
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

fn sidecar(workload: &str, collector: &Collector, [app, next]: [SocketAddr; 2]) -> Envoy {
    let configuration = json!({
        "sampling": {"percentage": 1, "keep": {"spansPerSecond": SPANS_PER_SECOND}},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "200ms"}},
    });
    let mut bootstrap = Bootstrap::new(Node::sidecar(
        "shop",
        &format!("{workload}-7d9c5b8f6-x2x4z"),
    ))
    .cluster(collector.grpc_cluster("collector"));
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
