//! The least filter on a real Envoy, beside Sidespan: a rod that did less than the filter would measure nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::{Value, json};
use sidespan::bench::least::{self, LeastWork};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, Wasm};
use sidespan_sink::{SpanKind, StatusCode, StoredSpan};
use sidespan_tests::collector::Collector;
use sidespan_tests::effort;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Reply, Request, Server, load, send};

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn its_spans_say_what_ours_say_of_the_same_requests() {
    let both = Both::start(
        LeastWork::Sampled,
        &json!({"percentage": 100, "consistent": false}),
    );
    let long = "x".repeat(300);
    let plain = || Request::get("/api/orders/42?expand=items&currency=EUR");
    let rows = [
        ("a root", plain()),
        ("a child", plain().header("traceparent", SAMPLED)),
        (
            "behind a proxy",
            plain()
                .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)")
                .header("x-forwarded-proto", "https")
                .header("x-forwarded-for", "203.0.113.7, 10.0.0.9"),
        ),
        ("no query", Request::post("/api/orders", "{}")),
        ("a port", Request::to("PUT", "shop.example:8443", "/")),
        (
            "long values",
            Request::get(&format!("/{long}?{long}")).header("user-agent", &long),
        ),
        ("a failure", Request::get("/fails")),
    ];
    for (name, request) in rows {
        let [ours, its] = both.spans(&request);
        let known = ours.status.code == StatusCode::Error;
        assert_eq!(described(&its, &[]), described(&ours, &[DETAILS]), "{name}");
        assert_eq!(ours.attribute(DETAILS).is_some(), known, "{name}");
        let parts = |span: &StoredSpan| {
            (
                span.name.clone(),
                span.kind,
                span.status.clone(),
                span.flags,
                span.parent_span_id.clone(),
            )
        };
        assert_eq!(parts(&its), parts(&ours), "{name}");
        assert_eq!(its.kind, SpanKind::Server);
        assert!(its.start_unix_nanos > 0 && its.end_unix_nanos >= its.start_unix_nanos);
        assert_eq!(
            texts(&its.resource.attributes),
            texts(&ours.resource.attributes),
            "{name}"
        );
        assert_eq!(
            texts(&its.scope.attributes),
            texts(&ours.scope.attributes),
            "{name}"
        );
        assert_eq!(its.resource.schema_url, ours.resource.schema_url);
        assert_eq!(
            (&its.scope.name, &its.scope.version, &its.scope.schema_url),
            (
                &ours.scope.name,
                &ours.scope.version,
                &ours.scope.schema_url
            )
        );
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_context_goes_on_with_its_span() {
    let both = Both::start(
        LeastWork::Sampled,
        &json!({"percentage": 100, "consistent": false}),
    );
    for (name, request) in [
        ("a root", Request::get("/root")),
        (
            "a child",
            Request::get("/child").header("traceparent", SAMPLED),
        ),
    ] {
        let span = both.one(&both.least, "least", &request);
        let path = if name == "a root" { "/root" } else { "/child" };
        let sent = both.upstream.to(path).pop().expect("a request");
        let header = format!("00-{}-{}-01", span.trace_id, span.span_id);
        assert_eq!(
            sent.headers.all("traceparent"),
            [header.as_bytes()],
            "{name}"
        );
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_failure_is_kept_as_ours_is_and_a_success_is_not() {
    let both = Both::start(LeastWork::Keep, &json!({"percentage": 0}));
    for listener in ["ours", "least"] {
        send(both.address(listener), &Request::get("/fine"));
        let sent = both.upstream.to("/fine").pop().expect("a request");
        let [header] = sent.headers.all("traceparent")[..] else {
            panic!("{listener}: {sent:?}")
        };
        assert!(header.ends_with(b"-00"), "{listener}");
    }
    let [ours, its] = both.spans(&Request::get("/fails"));
    assert_eq!(described(&its, &[]), described(&ours, &[DETAILS]));
    assert_eq!((its.status, its.flags), (ours.status.clone(), ours.flags));
    assert_eq!(
        texts(&its.attributes)["sidespan.kept"],
        texts(&ours.attributes)["sidespan.kept"]
    );
    for collector in [&both.ours, &both.least] {
        assert_eq!(collector.sink().counts().accepted, 1);
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_request_becomes_one_span_in_full_batches() {
    let requests = effort::requests(20_000);
    let both = Both::start(
        LeastWork::Sampled,
        &json!({"percentage": 100, "consistent": false}),
    );
    load(both.address("least"), requests);
    let now = both.least.wait(|now| {
        let is_there = now.counts.accepted >= requests;
        is_there.then(|| (now.spans.clone(), now.counts.accepted))
    });
    let (spans, accepted) = now;
    assert_eq!(accepted, requests);
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    assert_eq!(ids.len(), spans.len());
    // As many full batches as there are, and one with the rest, which a pause of the machine may divide.
    let sent = both.least.sink().counts().requests;
    assert!(
        sent <= requests / 512 + 2,
        "{sent} requests to the collector"
    );
}

/// One Envoy with a listener for each filter, and a collector for each.
struct Both {
    envoy: Envoy,
    ours: Collector,
    least: Collector,
    upstream: Server,
    // Where Envoy has read the rod's module.
    _folder: tempfile::TempDir,
}

impl Both {
    fn start(work: LeastWork, sampling: &Value) -> Self {
        let (ours, least) = (Collector::start(), Collector::start());
        let upstream = Server::start(|received| match received.path.as_str() {
            "/fails" => Reply::status(503),
            _ => Reply::status(200),
        });
        let configuration = json!({
            "sampling": sampling,
            "propagation": {"inject": ["tracecontext"], "mirror": false},
            "direction": "inbound",
            "export": {"otlp": {"cluster": "ours"}, "batch": {"maxDelay": "50ms"}},
        });
        let folder = tempfile::tempdir().expect("a folder");
        let module = folder.path().join("least.wasm");
        std::fs::write(&module, sidespan::LEAST).expect("the module");
        let rod = Wasm::new("least", &module).configuration(&work.configuration("least"));
        let listener = |name: &str| {
            Listener::new(name)
                .direction(Direction::Inbound)
                .route(Route::to("app"))
        };
        let envoy = envoy::start(
            &Bootstrap::new(Node::sidecar(least::NAMESPACE, least::POD))
                .cluster(Cluster::new("app", upstream.address()))
                .cluster(ours.grpc_cluster("ours"))
                .cluster(least.grpc_cluster("least"))
                .listener(listener("ours").filter(filter(&configuration).filter()))
                .listener(listener("least").filter(rod.filter())),
        );
        Self {
            envoy,
            ours,
            least,
            upstream,
            _folder: folder,
        }
    }

    fn address(&self, listener: &str) -> SocketAddr {
        self.envoy.address(listener).expect("a listener")
    }

    /// Sends a request through each filter, and returns the span of each.
    fn spans(&self, request: &Request) -> [StoredSpan; 2] {
        [("ours", &self.ours), ("least", &self.least)]
            .map(|(listener, collector)| self.one(collector, listener, request))
    }

    fn one(&self, collector: &Collector, listener: &str, request: &Request) -> StoredSpan {
        let before = collector.sink().counts().accepted;
        let known: BTreeSet<String> = collector.wait(|now| {
            let is_whole = now.spans.len() as u64 >= before;
            is_whole.then(|| now.spans.iter().map(|span| span.span_id.clone()).collect())
        });
        send(self.address(listener), request);
        collector.wait(|now| {
            let mut spans = now.spans.iter();
            let span = spans.find(|span| !known.contains(&span.span_id))?;
            Some(StoredSpan::clone(span))
        })
    }
}

/// A question of its own, which the filter asks of failures alone and the rod does not.
const DETAILS: &str = "sidespan.response_code_details";

/// Returns the attributes of a span, without some, and with the port of the caller's connection as a word.
fn described(span: &StoredSpan, without: &[&str]) -> BTreeMap<String, String> {
    let mut texts = texts(&span.attributes);
    texts.retain(|key, _| !without.contains(&key.as_str()));
    if let Some(port) = texts.get_mut("network.peer.port") {
        "of the connection".clone_into(port);
    }
    texts
}

/// Returns attributes by their keys. The digest of the configuration, and so its value, is each filter's own.
fn texts(attributes: &[sidespan_sink::Attribute]) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for attribute in attributes {
        let value = match attribute.key.as_str() {
            "sidespan.configuration" => "a digest".to_owned(),
            _ => format!("{:?}", attribute.value),
        };
        let before = texts.insert(attribute.key.clone(), value);
        assert_eq!(before, None, "{} is there twice", attribute.key);
    }
    texts
}
