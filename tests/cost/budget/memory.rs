//! Memory of a worker's VM: at rest, with a full queue, and after many requests.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidespan::bench::request_kind::{CLUSTER, USUAL};
use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, StreamProperties};
use sidespan_tests::effort;
use sidespan_tests::worlds::module;

const MIB: usize = 1 << 20;

#[test]
fn a_machine_takes_three_mebibytes_at_rest_and_twelve_with_a_full_queue() {
    let mut host = start(&json!({"sampling": {"percentage": 100}}));
    let at_rest = host.memory_bytes();
    for _ in 0..1_000 {
        request(&mut host);
    }
    let working = host.memory_bytes();
    // The collector does not answer: one batch is under way, and the queue behind it overflows.
    for number in 0..9_500 {
        request(&mut host);
        if number % 512 == 0 {
            host.advance(Duration::from_millis(1));
        }
    }
    host.advance(Duration::from_secs(1));
    let full = host.memory_bytes();
    let (queue, dropped) = (host.gauge("sidespan.queue.spans"), dropped(&host));
    println!(
        "{} KiB at rest, {} after a thousand requests, {} with {queue:?} spans in the queue and {dropped} dropped",
        at_rest >> 10,
        working >> 10,
        full >> 10
    );
    assert!(dropped > 0, "the queue is full");
    assert!(queue.is_some_and(|spans| spans >= 8_192), "{queue:?}");
    assert!(
        at_rest <= 3 * MIB && working <= 3 * MIB,
        "{at_rest} {working}"
    );
    assert!(full <= 12 * MIB, "{full}");
}

/// Sends five million requests with `SIDESPAN_LOAD=100000`, whatever time they take.
#[test]
fn requests_leave_no_memory_behind() {
    for sampling in [
        json!({"percentage": 100}),
        json!({"percentage": 0}),
        json!({"percentage": 0, "keep": {"errors": false}}),
    ] {
        let mut host = start(&json!({"sampling": sampling}));
        let (count, warm) = (
            effort::share(5_000_000, 20_000),
            effort::share(EARLY, 8_000),
        );
        let end = Instant::now() + effort::patience(LIMIT);
        let (mut early, mut done) = (0, 0);
        while done < count && (done < 2 * warm || Instant::now() < end) {
            for _ in 0..500 {
                request(&mut host);
            }
            done += 500;
            host.advance(Duration::from_millis(100));
            for call in host.calls() {
                let accepted = [(":status", "200"), ("grpc-status", "0")];
                host.reply(call.token, accepted, b"", Headers::default())
                    .expect("a call in flight");
            }
            if early == 0 && done >= warm {
                early = host.memory_bytes();
            }
        }
        let late = host.memory_bytes();
        println!(
            "{sampling}: {done} requests, {} KiB early and {} at the end",
            early >> 10,
            late >> 10
        );
        assert_eq!(host.trap(), None);
        assert_eq!(dropped(&host), 0);
        assert_eq!(early, late, "{sampling}");
    }
}

const LIMIT: Duration = Duration::from_secs(4);
/// The number of requests after which a worker has allocated all that it needs.
const EARLY: u64 = 50_000;

fn start(configuration: &Value) -> Host {
    let mut configuration = configuration.clone();
    configuration["export"] = json!({"otlp": {"cluster": CLUSTER}});
    configuration["direction"] = "inbound".into();
    Host::builder(module())
        .plugin_name("sidespan")
        .plugin_configuration(configuration.to_string())
        .cluster(CLUSTER)
        .start()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn request(host: &mut Host) {
    let stream = host.open_stream(StreamProperties::new().listener_direction(1));
    let headers: Headers = USUAL.iter().copied().collect();
    let asked = host.request_headers(stream, headers, EndOfStream::Yes);
    let answered = host.response_headers(stream, [(":status", "200")], EndOfStream::Yes);
    assert_eq!([asked, answered], [Action::Continue; 2]);
    host.end(stream, Ending::Complete).expect("one end");
}

fn dropped(host: &Host) -> u64 {
    host.counter("sidespan.spans.dropped_queue")
        .unwrap_or_default()
}
