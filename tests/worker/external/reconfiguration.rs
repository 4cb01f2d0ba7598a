//! Many configurations in sequence under load: no request fails, no span is lost, and memory does not grow.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::json;
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, ExtensionFile, Listener, Node, Route, Verdict, Wasm,
};
use sidespan_tests::collector::Collector;
use sidespan_tests::effort;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{Connection, Request, Server};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn two_hundred_configurations_under_load_lose_neither_a_request_nor_a_span() {
    const WARM: u64 = 40;
    let swaps = effort::share(200, WARM + 10);
    let collector = Collector::start();
    let upstream = Server::ok();
    let folder = tempfile::tempdir().expect("a folder");
    let file = ExtensionFile::create(&folder.path().join("filter.json"), &configured(0))
        .expect("the first configuration");
    let envoy = envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .concurrency(2)
            .listener(
                Listener::new("in")
                    .direction(Direction::Inbound)
                    .route(Route::to("app"))
                    .filter(file.filter()),
            )
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector")),
    );

    let load = Load::default();
    let start = Instant::now();
    let memory = thread::scope(|scope| {
        let _stop = Stop(&load);
        for _ in 0..CONNECTIONS {
            scope.spawn(|| load.run(&envoy));
        }
        (1..=swaps)
            .map(|number| {
                // Each configuration has spans to export at its end.
                let answered = load.answered();
                let verdict = file.replace(&configured(number), &envoy, LIMIT);
                assert_eq!(verdict.expect("a verdict"), Verdict::Applied, "{number}");
                load.goes_on(answered);
                envoy.resident_bytes().expect("its memory")
            })
            .collect::<Vec<u64>>()
    });
    let seconds = start.elapsed().as_secs_f64();

    let sent = load.answered();
    wait_until_accounted(&envoy, sent);
    wait_for_counter(&envoy, "queue.spans", |waiting| waiting == 0);
    for lost in ["shutdown", "export", "queue", "restart"] {
        let name = format!("spans.dropped_{lost}");
        assert_eq!(counter(&envoy, &name), 0, "{name}");
    }
    assert_eq!(counter(&envoy, "spans.exported"), sent);
    assert_eq!(collector.sink().counts().accepted, sent);

    let at = |number: u64| memory[usize::try_from(number - 1).expect("a number")] >> 10;
    println!(
        "{swaps} configurations and {sent} requests in {seconds:.0} s: {} KiB after {WARM}, {} KiB half way, {} KiB at the end",
        at(WARM),
        at(swaps.midpoint(WARM)),
        at(swaps)
    );
    assert!(at(swaps) <= at(WARM) + MAX_GROWTH_KIB, "{memory:?}");
}

const CONNECTIONS: usize = 2;
/// The permitted growth of Envoy's memory: room for the allocator's noise and the few KiB that Envoy keeps of each
/// configuration, also with a filter that exports nothing, but not for a VM or a queue of spans that stays.
const MAX_GROWTH_KIB: u64 = 4 << 10;

/// Returns the filter with a configuration that differs for each number, because Envoy does not apply an equal one.
fn configured(number: u64) -> Wasm {
    filter(&json!({
        "sampling": {"percentage": 100},
        "spans": {"serviceName": format!("cart-{number}")},
        "export": {"otlp": {"cluster": "collector"}},
    }))
}

/// Requests in sequence until the load is stopped.
#[derive(Default)]
struct Load {
    is_enough: AtomicBool,
    answered: AtomicU64,
}

impl Load {
    fn run(&self, envoy: &Envoy) {
        let address = envoy.address("in").expect("a listener");
        let mut connection = Connection::open(address).expect("a listener");
        let request = Request::get("/load").header("user-agent", "load/1").bytes();
        while !self.is_enough.load(Ordering::Relaxed) {
            let answer = connection.exchange_bytes(&request).expect("an answer");
            assert_eq!(answer.status, 200);
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits for some more requests.
    fn goes_on(&self, since: u64) {
        let more = sidespan_envoy::wait_for(LIMIT, || (self.answered() > since + 20).then_some(()));
        assert!(more.is_some(), "requests go on");
    }
}

/// A guard that ends the load also where the test fails, because the load's threads are joined.
struct Stop<'a>(&'a Load);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.is_enough.store(true, Ordering::Relaxed);
    }
}
