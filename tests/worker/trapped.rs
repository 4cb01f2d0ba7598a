//! What a trapped VM held: its spans are counted and its share of the gauges is taken back, by a worker that lives on or
//! by one that starts later, and never by one that only believes so.

use std::time::Duration;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, FailurePolicy, Listener, Node, Route};
use sidespan_host::{EndOfStream, Ending, Entropy, Headers, Host, Shared, StreamProperties};
use sidespan_tests::accounts::assert_accounted;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{Connection, Request, Server, send};
use sidespan_tests::worlds::module;

const HOLDING: &str = r#"{
    "sampling": {"percentage": 100},
    "export": {
        "otlp": {"cluster": "collector", "protocol": "http/protobuf"},
        "batch": {"maxDelay": "60s"},
        "queue": {"maxSpans": 600}
    }
}"#;
const SECOND: Duration = Duration::from_secs(1);

fn worker(process: &Shared, number: u64) -> Host {
    Host::builder(module())
        .plugin_name("sidespan")
        .root_id("sidespan")
        .plugin_configuration(HOLDING)
        .property(["xds", "node", "id"], "sidecar~10.0.0.1~cart.payments")
        .cluster("collector")
        .shared(process)
        .entropy(Entropy::Seeded(number))
        .start()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn requests(worker: &mut Host, count: usize) {
    for _ in 0..count {
        let stream = worker.open_stream(StreamProperties::new().listener_direction(1));
        let headers: Headers = [(":method", "GET"), (":path", "/")].into_iter().collect();
        let _ = worker.request_headers(stream, headers, EndOfStream::Yes);
        let _ = worker.response_headers(stream, [(":status", "200")], EndOfStream::Yes);
        worker.end(stream, Ending::Complete).expect("one end");
    }
}

fn count(process: &Shared, name: &str) -> u64 {
    process.counter(&format!("sidespan.{name}")).unwrap_or(0)
}

fn waiting(process: &Shared) -> [u64; 2] {
    ["spans", "bytes"].map(|what| {
        process
            .gauge(&format!("sidespan.queue.{what}"))
            .unwrap_or(0)
    })
}

/// A VM that ends as a trapped one does: without a word.
fn trap(worker: Host) {
    drop(worker);
}

/// On a real Envoy with one worker it is the main thread's VM that lives on. What traps the worker's is the one mistake
/// that can: the module as a network filter, at the first connection.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_trapped_worker_of_a_real_envoy_is_counted_by_its_main_thread() {
    let (collector, upstream) = (Collector::start(), Server::ok());
    let holding = filter(&json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "60s"}},
    }))
    .failure_policy(FailurePolicy::Open);
    let listener = |name: &str| {
        Listener::new(name)
            .direction(Direction::Inbound)
            .route(Route::to("app"))
    };
    let envoy = envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener("good").filter(holding.filter()))
            .listener(listener("mistaken").network_filter(&holding)),
    );
    let address = |name: &str| envoy.address(name).expect("a listener");
    for _ in 0..7 {
        assert_eq!(send(address("good"), &Request::get("/")).status, 200);
    }
    wait_for_counter(&envoy, "queue.spans", |waiting| waiting == 7);
    // Nobody needs its answer, which may be none.
    let mistaken = Connection::open(address("mistaken"));
    drop(mistaken.and_then(|mut connection| connection.exchange(&Request::get("/"))));
    envoy
        .wait_for_log("panicked", LIMIT)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(counter(&envoy, "spans.dropped_restart"), 0);

    wait_for_counter(&envoy, "spans.dropped_restart", |lost| lost == 7);
    assert_eq!(counter(&envoy, "queue.spans"), 0);
    assert_eq!(counter(&envoy, "queue.bytes"), 0);
    wait_until_accounted(&envoy, 7);
    assert_eq!(
        send(address("good"), &Request::get("/")).status,
        200,
        "it fails open"
    );
}

#[test]
fn a_worker_that_lives_on_counts_what_a_trapped_one_held() {
    let process = Shared::new();
    let [mut trapped, mut living] = [worker(&process, 1), worker(&process, 2)];
    requests(&mut trapped, 7);
    requests(&mut living, 2);
    for worker in [&mut trapped, &mut living] {
        worker.advance(SECOND);
    }
    let [spans, bytes] = waiting(&process);
    assert_eq!(spans, 9);
    // Of these no number tells, as nobody has heard of them.
    requests(&mut trapped, 3);
    trap(trapped);

    living.advance(13 * SECOND);
    assert_eq!(
        count(&process, "spans.dropped_restart"),
        0,
        "it may be busy"
    );
    living.advance(10 * SECOND);
    assert_eq!(count(&process, "spans.dropped_restart"), 7);
    let [left, left_bytes] = waiting(&process);
    assert_eq!(left, 2);
    assert_eq!(left_bytes * 9, bytes * 2, "all spans have one size");
    assert_accounted(&process);
    living.advance(30 * SECOND);
    assert_eq!(count(&process, "spans.dropped_restart"), 7, "once");
}

#[test]
fn a_worker_that_starts_later_counts_it_too() {
    let process = Shared::new();
    let mut trapped = worker(&process, 1);
    requests(&mut trapped, 7);
    trapped.advance(SECOND);
    trap(trapped);
    let mut late = worker(&process, 2);
    late.advance(40 * SECOND);
    assert_eq!(count(&process, "spans.dropped_restart"), 7);
    assert_eq!(waiting(&process), [0, 0]);
    assert_accounted(&process);
}

#[test]
fn an_orderly_end_leaves_nothing_to_count() {
    let process = Shared::new();
    let [mut ending, mut living] = [worker(&process, 1), worker(&process, 2)];
    requests(&mut ending, 7);
    ending.advance(SECOND);
    ending.shutdown();
    ending.advance(10 * SECOND);
    drop(ending);
    living.advance(60 * SECOND);
    assert_eq!(count(&process, "spans.dropped_restart"), 0);
    assert_eq!(waiting(&process), [0, 0]);
    assert_eq!(count(&process, "spans.finished"), 7);
    assert_accounted(&process);
}

#[test]
fn a_worker_that_stood_still_goes_on_and_the_sum_stays_right() {
    let process = Shared::new();
    let [mut stopped, mut living] = [worker(&process, 1), worker(&process, 2)];
    requests(&mut stopped, 7);
    stopped.advance(SECOND);
    living.advance(40 * SECOND);
    assert_eq!(count(&process, "spans.dropped_restart"), 7);
    stopped.advance(6 * SECOND);
    assert_eq!(waiting(&process)[0], 7, "they are there after all");
    assert_accounted(&process);
    stopped.advance(60 * SECOND);
    for call in stopped.calls() {
        stopped
            .reply(call.token, [(":status", "200")], b"", Headers::new())
            .expect("a call under way");
    }
    stopped.advance(SECOND);
    assert_eq!(count(&process, "spans.exported"), 7);
    assert_eq!(waiting(&process), [0, 0]);
    assert_accounted(&process);
}

#[test]
fn an_idle_worker_writes_nothing_and_looks_seldom() {
    let process = Shared::new();
    let mut idle = worker(&process, 2);
    idle.advance(SECOND);
    idle.clear_transcript();
    idle.advance(60 * SECOND);
    assert_eq!(process.data("", "sidespan.queues"), None);
    let calls = idle.transcript();
    println!(
        "an idle worker in a minute: {} reads and {} writes of shared data",
        calls.count("proxy_get_shared_data"),
        calls.count("proxy_set_shared_data")
    );
    // The lists of installations and of good configurations are read each second and renewed each five.
    assert!(calls.count("proxy_set_shared_data") <= 24);
}
