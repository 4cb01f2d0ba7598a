//! Bytes that no client should send. A trap would answer every later request of the worker with 503, so each hostile
//! request must be answered, a good one after each must be answered, and each refusal must be counted once.

use std::net::SocketAddr;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, filter, settle};
use sidespan_tests::http::{Request, Server, send};
use sidespan_tests::under_fire::assert_no_trap;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn no_request_can_trap_the_filter() {
    let scene = Scene::start();
    for (name, request) in strange() {
        scene.survives(name, &request);
    }
    settle(&scene.envoy);
    assert_eq!(scene.refused(), [], "none of these is a malformed context");

    for (name, request, expected) in malformed() {
        let before = scene.refused();
        scene.survives(name, &request);
        settle(&scene.envoy);
        let moved: Vec<(String, u64)> = scene
            .refused()
            .into_iter()
            .filter(|now| !before.contains(now))
            .collect();
        let through_each = u64::try_from(LISTENERS.len()).expect("a few");
        let names: Vec<&str> = moved.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected, "{name}");
        for (counter, count) in &moved {
            let earlier = before
                .iter()
                .find(|(own, _)| own == counter)
                .map_or(0, |(_, count)| *count);
            assert_eq!(count - earlier, through_each, "{name}: {counter}");
        }
    }

    // Exported spans: the last request's span comes after all others.
    let last = Caller::fresh();
    let request = Request::get("/last").header("traceparent", last.traceparent());
    assert_eq!(send(scene.address("plain"), &request).status, 200);
    scene.collector.trace(&last.trace_id, 2);
    assert_eq!(counter(&scene.envoy, "export.failures"), 0);
    assert_eq!(counter(&scene.envoy, "spans.rejected"), 0);

    assert_no_trap(&scene.envoy);
}

/// Returns requests that are strange, but whose contexts are not malformed.
fn strange() -> Vec<(&'static str, Request)> {
    let get = || Request::get("/strange");
    let many = (0..150).fold(get(), |request, index| {
        request.header(&format!("x-many-{index}"), "value")
    });
    let lines = (0..100).fold(get(), |request, _| request.header("x-same", "value"));
    vec![
        (
            "values above 0x7F",
            get()
                .header("x-name", b"caf\xe9")
                .header("x-all", every_byte_above_ascii()),
        ),
        (
            "a user agent above 0x7F",
            get().header("user-agent", b"curl/\xff\xfe"),
        ),
        (
            "a request id above 0x7F",
            get().header("x-request-id", b"\xc3\x28"),
        ),
        (
            "forwarded headers above 0x7F",
            get()
                .header("x-forwarded-for", b"\xff")
                .header("x-forwarded-host", b"\xff"),
        ),
        ("baggage above 0x7F", get().header("baggage", b"k=\xff\xff")),
        ("150 headers", many),
        ("100 lines of one header", lines),
        (
            "a header of 60 KiB",
            get().header("x-long", vec![b'a'; 60 << 10]),
        ),
        (
            "a user agent of 60 KiB",
            get().header("user-agent", vec![b'a'; 60 << 10]),
        ),
        ("an empty b3", get().header("b3", "")),
        (
            "empty values everywhere",
            get()
                .header("tracestate", "")
                .header("baggage", "")
                .header("user-agent", ""),
        ),
        (
            "a query with a broken escape",
            Request::get("/strange?%zz=%&&&==&sig"),
        ),
        (
            "a method that the conventions do not know",
            Request::new("PURGE", "/strange"),
        ),
    ]
}

/// Returns requests whose context is malformed, and the counters that say so.
fn malformed() -> Vec<(&'static str, Request, [&'static str; 2])> {
    let get = || Request::get("/malformed");
    let caller = Caller::fresh();
    vec![
        (
            "a duplicate traceparent (TP-6)",
            get()
                .header("traceparent", caller.traceparent())
                .header("traceparent", caller.traceparent()),
            [
                "context.refused.duplicate",
                "context.tracecontext.malformed",
            ],
        ),
        (
            "a traceparent that is not UTF-8 (A38)",
            get().header("traceparent", with_last_byte(&caller.traceparent(), 0xff)),
            ["context.refused.flags", "context.tracecontext.malformed"],
        ),
        (
            "a b3 that is not UTF-8 (B3-26)",
            get().header("b3", with_last_byte(&caller.b3(), 0xff)),
            ["context.b3.malformed", "context.refused.sampled"],
        ),
    ]
}

fn every_byte_above_ascii() -> Vec<u8> {
    (0x80..=0xff).collect()
}

fn with_last_byte(text: &str, byte: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last = byte;
    }
    bytes
}

const LISTENERS: [&str; 3] = ["inbound", "outbound", "plain"];

struct Scene {
    envoy: Envoy,
    collector: Collector,
    _upstream: Server,
}

impl Scene {
    fn start() -> Self {
        let upstream = Server::ok();
        let collector = Collector::start();
        let configuration = json!({
            "sampling": {"percentage": 100},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
        });
        let mut bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"));
        for (name, direction) in
            LISTENERS
                .into_iter()
                .zip([Some(Direction::Inbound), Some(Direction::Outbound), None])
        {
            let listener = Listener::new(name)
                .max_request_headers_kb(96)
                .max_headers_count(200);
            let listener = listener
                .route(Route::to("app"))
                .filter(filter(&configuration).filter());
            bootstrap = bootstrap.listener(match direction {
                Some(direction) => listener.direction(direction),
                None => listener,
            });
        }
        Self {
            envoy: envoy::start(&bootstrap),
            collector,
            _upstream: upstream,
        }
    }

    fn address(&self, listener: &str) -> SocketAddr {
        self.envoy
            .address(listener)
            .expect("a listener of the scene")
    }

    fn survives(&self, name: &str, request: &Request) {
        for listener in LISTENERS {
            let address = self.address(listener);
            assert_eq!(send(address, request).status, 200, "{name}, {listener}");
            assert_eq!(
                send(address, &Request::get("/good")).status,
                200,
                "after {name}, {listener}"
            );
        }
    }

    /// Returns the counters of malformed contexts that are not 0.
    fn refused(&self) -> Vec<(String, u64)> {
        let prefix = envoy::stat("");
        let stats = self.envoy.stats(&prefix).expect("the admin interface");
        let says_so = |name: &str| {
            name.contains(".refused.") || name.contains("malformed") || name.contains("conflict")
        };
        let stats = stats
            .into_iter()
            .filter(|(name, value)| says_so(name) && *value > 0);
        stats
            .map(|(name, value)| (name.trim_start_matches(&prefix).to_owned(), value))
            .collect()
    }
}
