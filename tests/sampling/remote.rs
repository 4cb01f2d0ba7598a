//! Jaeger's remote sampling: percentages follow the document, and no request notices a fault of its server.

use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_host::{
    Action, EndOfStream, Ending, Headers, Host, HttpCall, Shared, StreamProperties,
};
use sidespan_tests::worlds::{Guest, module};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
pub(super) const ALL: &str =
    r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1}}"#;
pub(super) const NONE: &str =
    r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0}}"#;

/// A configuration that samples by the fetched document only, and exports nothing.
const CONFIGURATION: &str = r#"{
    "sampling": {
        "percentage": 0,
        "remote": {"service": "jaeger.observability.svc.cluster.local"},
        "rules": [{"match": {"path": "/rule"}, "percentage": 100}]
    },
    "spans": {"serviceName": "cart & co", "routes": ["/cart/{id}"]}
}"#;
const CLUSTER: &str = "outbound|5778||jaeger.observability.svc.cluster.local";

struct Scene {
    host: Host,
}

impl Scene {
    fn of(configuration: &str, clusters: &[&str], process: &Shared) -> Self {
        let mut builder = Host::builder(module())
            .plugin_name("sidespan")
            .plugin_configuration(configuration)
            .property(["xds", "node", "id"], "sidecar~10.0.0.1~cart.payments")
            .shared(process);
        for cluster in clusters {
            builder = builder.cluster(*cluster);
        }
        Self {
            host: builder.start().unwrap_or_else(|error| panic!("{error}")),
        }
    }

    fn start() -> Self {
        Self::of(CONFIGURATION, &[CLUSTER], &Shared::new())
    }

    /// Returns true if a new request to this path is sampled.
    fn samples(&mut self, path: &str) -> bool {
        self.samples_with(path, &[])
    }

    fn samples_with(&mut self, path: &str, more: &[(&str, &str)]) -> bool {
        let stream = self
            .host
            .open_stream(StreamProperties::new().listener_direction(1));
        let usual = [(":method", "GET"), (":path", path), (":authority", "cart")];
        let headers: Headers = usual.iter().chain(more).copied().collect();
        let asked = self.host.request_headers(stream, headers, EndOfStream::Yes);
        let answered = self
            .host
            .response_headers(stream, [(":status", "200")], EndOfStream::Yes);
        assert_eq!([asked, answered], [Action::Continue; 2]);
        let ended = self.host.end(stream, Ending::Complete).expect("one end");
        assert_eq!(self.host.trap(), None);
        let headers = ended.request().headers().expect("headers");
        let traceparent = headers
            .iter()
            .find(|(name, _)| *name == b"traceparent")
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        traceparent.expect("a context").ends_with("1")
    }

    /// Waits for the next request to the server: a minute, a tenth more or less.
    fn call(&mut self) -> HttpCall {
        for _ in 0..70 {
            if let Some(call) = self.host.calls().pop() {
                return call;
            }
            self.host.advance(SECOND);
        }
        panic!("nobody asks");
    }

    fn answer(&mut self, status: &str, body: impl Into<Vec<u8>>) {
        let token = self.call().token;
        let headers = [(":status", status)];
        let answered = self.host.reply(token, headers, body, Headers::new());
        answered.expect("a call under way");
    }

    /// Returns the log's lines on sampling since the last call.
    fn says(&mut self) -> Vec<String> {
        let lines = self.host.take_logs().into_iter();
        let lines = lines.filter(|line| line.text.contains("sampling.remote"));
        lines.map(|line| line.text).collect()
    }
}

fn header<'c>(call: &'c HttpCall, name: &str) -> Option<&'c str> {
    let mut lines = call.headers.iter();
    let (_, value) = lines.find(|(other, _)| *other == name.as_bytes())?;
    std::str::from_utf8(value).ok()
}

#[test]
fn jr_1_the_first_tick_asks_for_the_service() {
    let mut scene = Scene::start();
    assert_eq!(scene.host.calls(), [], "not before");
    scene.host.advance(SECOND);
    let call = scene.call();
    assert_eq!(call.cluster, CLUSTER);
    assert_eq!(call.timeout, Some(Duration::from_secs(5)));
    assert_eq!((call.body.as_slice(), call.trailers.len()), (&b""[..], 0));
    for (name, value) in [
        (":method", "GET"),
        (":path", "/sampling?service=cart%20%26%20co"),
        (":authority", "jaeger.observability.svc.cluster.local:5778"),
        ("accept", "application/json"),
        ("b3", "0"),
        (
            "user-agent",
            concat!("sidespan/", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        assert_eq!(header(&call, name), Some(value), "{name}");
    }
    scene.host.advance(Duration::from_secs(4));
    assert_eq!(scene.host.calls(), [], "one at a time");
}

#[test]
fn jr_4_what_is_fetched_holds_from_the_next_request_on_and_until_it_changes() {
    let mut scene = Scene::start();
    assert!(!scene.samples("/"), "before the first: the percentage");
    scene.host.advance(SECOND);
    scene.answer("200", ALL);
    for _ in 0..50 {
        assert!(scene.samples("/"));
    }
    assert_eq!(
        scene.says(),
        [format!(
            "sampling.remote: cluster {CLUSTER} says: probability 1"
        )]
    );
    // A tenth more or less than a minute.
    scene.host.advance(Duration::from_secs(53));
    assert_eq!(scene.host.calls(), []);
    scene.answer("200", ALL);
    assert!(scene.samples("/"));
    assert!(scene.says().is_empty(), "nothing new");
    scene.answer("200", NONE);
    assert!(!scene.samples("/"));
    assert!(scene.samples("/rule"), "rules stay");
    assert_eq!(scene.says().len(), 1);
    scene.host.advance(SECOND);
    for (name, count) in [
        ("sampled.remote", 51),
        ("dropped.remote", 1),
        ("dropped.default", 1),
        ("sampled.rule", 1),
    ] {
        let counted = scene.host.counter(&format!("sidespan.{name}"));
        assert_eq!(counted, Some(count), "{name}");
    }
}

#[test]
fn jr_4_a_failure_keeps_the_last_good_one_and_is_said_once_a_kind() {
    let mut scene = Scene::start();
    scene.host.advance(SECOND);
    scene.answer("200", ALL);
    scene.says();
    let too_long = format!("{ALL}{}", " ".repeat(1 << 20));
    let bad = r#"{"probabilisticSampling":{"samplingRate":50}}"#;
    for (status, body, line) in [
        ("503", "", "HTTP status 503"),
        ("302", ALL, "HTTP status 302"),
        ("200", "", "the answer is no strategy document: EOF"),
        ("200", bad, ""),
        ("200", &too_long, "an answer of more than 1 MiB"),
        ("503", "", ""),
    ] {
        scene.answer(status, body);
        assert!(scene.samples("/"), "{status} {body:.80}");
        let says = scene.says();
        let is_told = says.first().is_some_and(|said| {
            said.contains(&format!("fails: {line}"))
                && said.ends_with("what holds: still probability 1")
        });
        let expected = usize::from(!line.is_empty());
        assert_eq!((says.len(), is_told), (expected, expected == 1), "{says:?}");
    }
    // No answer until the timeout, and then a broken connection.
    let token = scene.call().token;
    scene.host.fail_call(token).expect("a call under way");
    assert_eq!(scene.says().len(), 1);
    scene.call();
    scene.host.advance(Duration::from_secs(6));
    assert_eq!(scene.host.calls_in_flight(), 0);
    assert!(scene.says()[0].contains("fails: HTTP status 504"));
    assert!(scene.samples("/"));
    scene.answer("200", NONE);
    assert!(!scene.samples("/"));
    let says = scene.says();
    assert!(says[0].ends_with("works again"), "{says:?}");
    assert_eq!(says.len(), 2, "{says:?}");
}

#[test]
fn an_unknown_cluster_is_said_with_its_cure_and_tried_again() {
    let mut scene = Scene::of(CONFIGURATION, &[], &Shared::new());
    for _ in 0..20 {
        scene.host.advance(SECOND);
        assert!(!scene.samples("/") && scene.samples("/rule"));
    }
    let says = scene.says();
    assert_eq!(says.len(), 1, "{says:?}");
    assert!(
        says[0].contains("egress hosts") && says[0].ends_with("the configured percentages"),
        "{says:?}"
    );
    // After 1, 2, 4, 8 seconds.
    let tries = scene.host.transcript().count("proxy_http_call");
    assert!((4..=6).contains(&tries), "{tries} tries");
}

#[test]
fn the_answers_of_the_sampling_server_and_of_the_collector_are_not_taken_for_each_others() {
    let configuration = r#"{
        "sampling": {"percentage": 100, "remote": {"cluster": "jaeger", "interval": "1s"}},
        "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}, "batch": {"maxDelay": "1s"}}
    }"#;
    let mut scene = Scene::of(configuration, &["jaeger", "collector"], &Shared::new());
    assert!(scene.samples("/"));
    scene.host.advance(SECOND);
    let mut calls = scene.host.calls();
    calls.sort_by_key(|call| call.cluster.clone());
    let [collector, jaeger] = calls.try_into().expect("two calls");
    assert_eq!(
        [&*collector.cluster, &*jaeger.cluster],
        ["collector", "jaeger"]
    );
    let reply = |host: &mut Host, call: &HttpCall, status: &str, body: &str| {
        let headers = [(":status", status)];
        let answered = host.reply(call.token, headers, body, Headers::new());
        answered.expect("a call under way");
    };
    reply(&mut scene.host, &jaeger, "200", NONE);
    assert!(!scene.samples("/"));
    scene.host.advance(Duration::from_millis(10));
    assert_eq!(scene.host.counter("sidespan.spans.exported"), Some(0));
    reply(&mut scene.host, &collector, "200", "");
    assert!(!scene.samples("/"));
    scene.host.advance(SECOND);
    assert_eq!(scene.host.counter("sidespan.spans.exported"), Some(1));
    assert_eq!(scene.host.counter("sidespan.export.failures"), Some(0));
    // An answer to a replaced configuration changes nothing.
    let late = scene.host.calls().remove(0);
    scene.host.reconfigure(configuration).expect("a good one");
    let _ = scene
        .host
        .reply(late.token, [(":status", "200")], NONE, Headers::new());
    assert!(scene.samples("/"), "the percentage holds again");
}

#[test]
fn rl_2_operations_are_what_spans_are_called() {
    let mut scene = Scene::start();
    scene.host.advance(SECOND);
    let one = |name: &str| {
        format!(r#"{{"operation":"{name}","probabilisticSampling":{{"samplingRate":1}}}}"#)
    };
    scene.answer(
        "200",
        format!(
            r#"{{"strategyType":"PROBABILISTIC","probabilisticSampling":{{"samplingRate":1}},
                "operationSampling":{{"defaultSamplingProbability":0,"perOperationStrategies":[{},{}]}}}}"#,
            one("GET /cart/{id}"),
            one("shop.v1.Cart/Add"),
        ),
    );
    let grpc = [("content-type", "application/grpc")];
    for (path, more, is_sampled) in [
        ("/cart/7?x=y", &[][..], true),
        ("/cart/7/items", &[], false),
        ("/shop.v1.Cart/Add", &grpc, true),
        ("/shop.v1.Cart/Remove", &grpc, false),
        ("/shop.v1.Cart/Add", &[], false),
    ] {
        assert_eq!(scene.samples_with(path, more), is_sampled, "{path}");
    }
    let says = scene.says();
    assert!(
        says[0].ends_with("probability 0, 2 operations with their own"),
        "{says:?}"
    );
}

#[test]
fn rl_2_and_rl_3_the_lower_bound_and_the_rate_write_no_threshold() {
    for document in [
        r#"{"rateLimitingSampling":{"maxTracesPerSecond":2}}"#,
        r#"{"operationSampling":{"defaultSamplingProbability":0,"defaultLowerBoundTracesPerSecond":2}}"#,
    ] {
        let mut scene = Scene::start();
        scene.host.advance(SECOND);
        scene.answer("200", document);
        for second in 0..5 {
            let sampled = (0..20).filter(|_| scene.samples("/")).count();
            assert_eq!(sampled, 2, "{document} in second {second}");
            scene.host.advance(SECOND);
        }
    }
}

#[test]
fn workers_ask_each_for_itself_and_say_it_once() {
    let process = Shared::new();
    let mut workers = [(); 3].map(|()| Scene::of(CONFIGURATION, &[CLUSTER], &process));
    let mut lines = Vec::new();
    for (number, worker) in workers.iter_mut().enumerate() {
        // Some answers are late.
        let seconds = u32::try_from(number * 2).expect("few");
        worker.host.advance(SECOND * seconds);
        worker.answer("200", ALL);
        assert!(worker.samples("/"));
        lines.extend(worker.says());
    }
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn without_remote_nobody_is_asked_and_a_request_costs_what_it_did() {
    let calls = |configuration: &str, body: &str| {
        let mut scene = Scene::of(configuration, &[CLUSTER], &Shared::new());
        scene.host.advance(SECOND);
        if !body.is_empty() {
            scene.answer("200", body);
        }
        // The first request draws randomness for many.
        scene.samples("/");
        scene.host.clear_transcript();
        scene.samples("/");
        scene.host.transcript().total()
    };
    let without = calls(r#"{"sampling": {"percentage": 0}}"#, "");
    assert_eq!(
        calls(CONFIGURATION, NONE),
        without,
        "a probability costs nothing"
    );
    let rate = r#"{"rateLimitingSampling":{"maxTracesPerSecond":0.1}}"#;
    assert_eq!(
        calls(CONFIGURATION, rate),
        without + 1,
        "a rate costs the time"
    );
    let mut guest = Guest::start(r#"{"sampling": {"percentage": 0}}"#);
    guest.host.advance(MINUTE);
    guest.request(Direction::Inbound, &[], 200);
    assert_eq!(guest.host.calls(), []);
}
