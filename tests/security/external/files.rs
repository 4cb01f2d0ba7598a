//! An Envoy without a free file handle: it can connect to no upstream and to no collector, and accept nobody. Requests on open connections are
//! answered as past the filter, spans are counted, memory stays, and all is well again once there are handles.

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, counter, filter};
use sidespan_tests::http::{Connection, Reply, Request, Server, send};
use sidespan_tests::under_fire::{assert_memory_stays, balance, memory_kib};

/// Requests of a caller without handles: more than the queues of both workers take.
const EACH: u64 = 150;
/// The number of handles that an Envoy has long before it serves.
const FEW: u64 = 3;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn without_a_free_file_handle_answers_are_those_past_the_filter_and_spans_are_counted() {
    // A new connection for each request.
    let closing = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    let upstream = Server::start(|_| Reply::Bytes(closing.into()));
    let collector = Collector::start();
    let envoy = start(&upstream, &collector);
    let mut callers: Vec<_> = (0..3).map(|_| Pair::open(&envoy)).collect();
    // These make no spans, so that there is no connection to the collector yet.
    let unsampled = Request::get("/").header("traceparent", Caller::fresh().unsampled());
    for caller in &mut callers {
        assert_eq!(caller.exchange(&unsampled), 200);
    }

    let before = limit(&envoy, Some(FEW));
    let mut seen = 0;
    let mut half = 0;
    for number in 0..EACH {
        for caller in &mut callers {
            assert_eq!(caller.exchange(&Request::get("/")), 503);
            seen += 1;
        }
        if number == EACH / 2 {
            half = memory_kib(&envoy);
        }
    }
    let failure = envoy.wait_for_log("export to cluster collector", LIMIT);
    failure.expect("exports that fail");
    let end = memory_kib(&envoy);
    let address = envoy.address("through").expect("a listener");
    // The kernel lets it connect, and Envoy does not accept it yet.
    let mut waiting = Connection::open(address).expect("a listener");

    limit(&envoy, before);
    let answer = waiting.exchange(&Request::get("/")).expect("an answer");
    assert_eq!(answer.status, 200);
    seen += 1;
    for caller in &mut callers {
        assert_eq!(caller.exchange(&Request::get("/")), 200);
        seen += 1;
    }
    let last = Caller::fresh();
    let request = Request::get("/").header("traceparent", last.traceparent());
    assert_eq!(send(address, &request).status, 200);
    collector.trace(&last.trace_id, 1);
    let delivery = balance(&[(&envoy, seen + 1)], &collector);
    println!("without handles: {delivery}; {half} KiB of memory at half and {end} at the end");
    assert_memory_stays(half, end);
    for name in [
        "export.failures",
        "spans.dropped_export",
        "spans.dropped_queue",
    ] {
        assert!(counter(&envoy, name) > 0, "{name}");
    }
}

fn start(upstream: &Server, collector: &Collector) -> Envoy {
    let configuration = json!({
        "sampling": {"percentage": 100},
        "export": {
            "otlp": {"cluster": "collector"},
            "batch": {"maxSpans": 16, "maxDelay": "50ms"},
            "queue": {"maxSpans": 64},
            "retry": {"initial": "50ms", "max": "200ms", "attempts": 2},
        },
    });
    let listener = |name| {
        Listener::new(name)
            .direction(Direction::Inbound)
            .route(Route::to("app"))
    };
    envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .concurrency(2)
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener("past"))
            .listener(listener("through").filter(filter(&configuration).filter())),
    )
}

/// A caller's open connections, past the filter and through it.
struct Pair([Connection; 2]);

impl Pair {
    fn open(envoy: &Envoy) -> Self {
        Self(["past", "through"].map(|listener| {
            let address = envoy.address(listener).expect("a listener");
            Connection::open(address).expect("a listener")
        }))
    }

    /// Sends a request both ways and returns the status of the answers, which must be the same.
    fn exchange(&mut self, request: &Request) -> u16 {
        let [past, through] = self.0.each_mut().map(|connection| {
            let response = connection.exchange(request).expect("an answer");
            (response.status, response.body)
        });
        assert_eq!(through, past);
        through.0
    }
}

/// Sets how many files an Envoy may have open, and returns how many those were before. Those that it has stay open.
fn limit(envoy: &Envoy, files: Option<u64>) -> Option<u64> {
    let pid = i32::try_from(envoy.pid()).ok().and_then(Pid::from_raw);
    let pid = pid.expect("a process id");
    // Nobody but root may raise the upper one again.
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let limits = Rlimit {
        current: files,
        maximum,
    };
    let before = prlimit(Some(pid), Resource::Nofile, limits);
    before.expect("a limit").current
}
