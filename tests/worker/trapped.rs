//! The spans of a trapped VM: a worker that lives on, or starts later, counts them and subtracts the VM's share of the
//! gauges. Where the VM was only suspended and goes on, the sums stay right.

use std::time::Duration;

use sidespan_host::{EndOfStream, Ending, Entropy, Headers, Host, Shared, StreamProperties};
use sidespan_tests::accounts::assert_accounted;
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

/// Ends a VM as a trap does: without a callback.
fn trap(worker: Host) {
    drop(worker);
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
    // No counter includes these spans, because the VM trapped before the tick that would have written them.
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

/// Lets one worker renew its entry just after the other has looked at the clock, as threads do.
#[test]
fn a_worker_that_renews_its_entry_meanwhile_is_not_written_off() {
    let process = Shared::new();
    let [mut ahead, mut behind] = [worker(&process, 1), worker(&process, 2)];
    requests(&mut ahead, 7);
    requests(&mut behind, 2);
    ahead.advance(Duration::from_millis(1));
    for _ in 0..40 {
        ahead.advance(SECOND);
        behind.advance(SECOND);
    }
    assert_eq!(count(&process, "spans.dropped_restart"), 0);
    assert_eq!(waiting(&process)[0], 9);
    assert_accounted(&process);
}

#[test]
fn a_worker_that_starts_later_counts_it_too() {
    let process = Shared::new();
    // Envoy's main thread has a VM, too, and what VMs share lives as long as one of them.
    let _of_the_main_thread = worker(&process, 3);
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
    // The installations' list and the configurations' lease are read each second and renewed every five.
    assert!(calls.count("proxy_set_shared_data") <= 24);
}
