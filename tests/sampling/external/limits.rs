//! Rules and the limit on new traces, on a real Envoy: the counters agree with the traces that are dropped and let through,
//! and a context that was sampled elsewhere is never limited.

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, wait_for};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, wait_for_counter};
use sidespan_tests::http::{Connection, Request, Server};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn only_traces_that_begin_here_are_limited() {
    // By the trace's randomness, and by a token bucket.
    for consistent in [true, false] {
        let sampling = json!({
            "percentage": 100, "consistent": consistent, "rateLimit": {"tracesPerSecond": RATE},
        });
        let scene = Scene::start(&sampling);
        let start = Instant::now();
        scene.sends(ROOTS, |request| request);
        let seconds = start.elapsed().as_secs_f64();
        let [sampled, dropped] = scene.counted(["sampled.default", "dropped.rate"], ROOTS);
        println!(
            "consistent: {consistent}: of {ROOTS} in {seconds:.2} s {sampled} began, {dropped} did not; {RATE} a second may"
        );
        // At least one second's limit, and at most that for each second that has started, and more in the first second,
        // while the rate is unknown.
        let begun = seconds.floor() + 2.0;
        assert!(sampled >= RATE, "{sampled}");
        let most = RATE as f64 * begun * if consistent { 5.0 } else { 1.0 };
        assert!(sampled as f64 <= most, "{sampled} in {seconds} s");
        assert!(dropped > 0);

        scene.sends(ROOTS, |request| {
            request.header("traceparent", Caller::fresh().traceparent())
        });
        wait_for_counter(&scene.envoy, "sampled.received", |count| count == ROOTS);
        assert_eq!(counter(&scene.envoy, "dropped.rate"), dropped);
        let all = usize::try_from(sampled + ROOTS).expect("a number");
        let spans = scene
            .collector
            .wait(|now| Some(now.spans.clone()).filter(|spans| spans.len() >= all));
        assert_eq!(spans.len(), all);
        // A probability is known only where the choice was by randomness.
        let roots = spans.iter().filter(|span| span.parent_span_id.is_none());
        for root in roots {
            assert_eq!(root.trace_state.contains("th:"), consistent, "{root:?}");
        }
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_first_rule_that_matches_decides_before_any_percentage() {
    let scene = Scene::start(&json!({
        "percentage": 0,
        "namespaces": {"shop": 100},
        "rules": [
            {"match": {"path": "/orders/*", "method": "DELETE"}, "percentage": 0},
            {"match": {"path": "/orders/{id}", "headers": {"x-canary": "*"}}, "percentage": 0},
            {"match": {"path": "/orders/*", "direction": "inbound", "labels": {"app": "cart"}}, "percentage": 100},
            {"match": {"path": "/orders/7"}, "percentage": 0},
        ],
    }));
    for (request, expected) in [
        (Request::new("DELETE", "/orders/7"), "dropped.rule"),
        (
            Request::get("/orders/7").header("x-canary", "1"),
            "dropped.rule",
        ),
        (Request::get("/orders/7?x=y"), "sampled.rule"),
        (Request::get("/orders"), "sampled.namespace"),
    ] {
        let before = counter(&scene.envoy, expected);
        let mut connection = Connection::open(scene.address()).expect("a listener");
        assert_eq!(
            connection.exchange(&request).expect("an answer").status,
            200
        );
        wait_for_counter(&scene.envoy, expected, |count| count == before + 1);
    }
    // The caller's decision comes before every rule.
    let caller = Caller::fresh();
    let decided = Request::new("DELETE", "/orders/7").header("traceparent", caller.traceparent());
    let mut connection = Connection::open(scene.address()).expect("a listener");
    assert_eq!(
        connection.exchange(&decided).expect("an answer").status,
        200
    );
    wait_for_counter(&scene.envoy, "sampled.received", |count| count == 1);
    assert_eq!(counter(&scene.envoy, "dropped.rule"), 2);
}

const RATE: u64 = 10;
const ROOTS: u64 = 200;

struct Scene {
    envoy: Envoy,
    collector: Collector,
    _app: Server,
}

impl Scene {
    fn start(sampling: &Value) -> Self {
        let (collector, app) = (Collector::start(), Server::ok());
        let configuration = json!({
            "sampling": sampling,
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
        });
        let listener = Listener::new("in")
            .direction(Direction::Inbound)
            .route(Route::to("app"))
            .filter(filter(&configuration).filter());
        let bootstrap = Bootstrap::new(Node::sidecar("shop", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", app.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener);
        Self {
            envoy: envoy::start(&bootstrap),
            collector,
            _app: app,
        }
    }

    fn address(&self) -> SocketAddr {
        self.envoy.address("in").expect("a listener")
    }

    /// Sends this many requests in sequence.
    fn sends(&self, count: u64, with: impl Fn(Request) -> Request) {
        let mut connection = Connection::open(self.address()).expect("a listener");
        for _ in 0..count {
            let answer = connection.exchange(&with(Request::get("/")));
            assert_eq!(answer.expect("an answer").status, 200);
        }
    }

    /// Returns both counters, once their sum is `all`.
    fn counted(&self, names: [&str; 2], all: u64) -> [u64; 2] {
        let now = || names.map(|name| counter(&self.envoy, name));
        let counts = wait_for(LIMIT, || {
            Some(now()).filter(|[one, other]| one + other >= all)
        });
        counts.expect("all are counted")
    }
}
