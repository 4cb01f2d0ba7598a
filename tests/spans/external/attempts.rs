//! The filter behind the router (`role: attempt`): one CLIENT span for each attempt, with the right parent, and the context
//! written last of all, after Envoy's own tracer.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, Tracer};
use sidespan_sink::{SpanKind, StatusCode, StoredSpan};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter, filter_named, wait_until_accounted};
use sidespan_tests::http::{Connection, Reply, Request, Server, send};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn three_tries_are_three_spans_under_the_span_of_the_request() {
    let scene = Scene::start(|listener| listener.filter(request().filter()));
    let caller = Caller::fresh();
    let path = "/twice-503";
    assert_eq!(scene.get(path, &caller.traceparent()), 200);
    let spans = scene.collector.trace(&caller.trace_id, 4);
    let (tries, whole) = apart(&spans);
    let [whole] = whole[..] else {
        panic!("one span of the request: {spans:#?}");
    };
    assert_eq!(whole.parent_span_id.as_ref(), Some(&caller.span_id));
    assert_eq!(whole.status.code, StatusCode::Unset, "ST-4");
    let sent = scene.upstream.to(path);
    assert_eq!(sent.len(), 3);
    for (index, (span, sent)) in tries.iter().zip(&sent).enumerate() {
        assert_eq!(span.kind, SpanKind::Client);
        assert_eq!(
            span.parent_span_id.as_ref(),
            Some(&whole.span_id),
            "try {index}: under the request, not under the last try"
        );
        let traceparent = sent.headers.one("traceparent").expect("a context");
        assert_eq!(
            traceparent,
            format!("00-{}-{}-01", caller.trace_id, span.span_id),
            "try {index} is the parent of what happens behind it"
        );
        assert_eq!(
            sent.headers.one("x-b3-spanid").as_deref(),
            Some(&*span.span_id)
        );
        let number = |name: &str| span.attribute(name).and_then(|value| value.as_int());
        let status = if index < 2 { 503 } else { 200 };
        assert_eq!(number("http.response.status_code"), Some(status));
        let resends = Some(i64::try_from(index).expect("small")).filter(|index| *index > 0);
        assert_eq!(number("http.request.resend_count"), resends);
        assert_eq!(span.status.code == StatusCode::Error, status == 503);
        assert!(number("network.peer.port").is_some());
    }
    wait_until_accounted(&scene.envoy, 4);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_context_is_written_after_the_native_tracer_and_under_its_span() {
    let native = Collector::start();
    let tracer =
        || Tracer::opentelemetry("native", "cart").with("spawn_upstream_span", json!(true));
    let cluster = native.grpc_cluster("native");
    let scene = Scene::with(vec![cluster], |listener| listener.tracer(tracer()));
    let caller = Caller::fresh();
    let path = "/twice-503";
    assert_eq!(scene.get(path, &caller.traceparent()), 200);
    let spans = scene.collector.trace(&caller.trace_id, 3);
    let (tries, _) = apart(&spans);
    let theirs = native.trace(&caller.trace_id, 4);
    for (span, sent) in tries.iter().zip(scene.upstream.to(path)) {
        let traceparent = sent.headers.one("traceparent").expect("a context");
        assert_eq!(&traceparent[36..52], span.span_id, "ours, not Envoy's");
        let parent = theirs
            .iter()
            .find(|native| Some(&native.span_id) == span.parent_span_id.as_ref())
            .expect("the native span of this try");
        assert_eq!(parent.kind, SpanKind::Client);
    }
    let parents: std::collections::BTreeSet<_> =
        tries.iter().map(|span| &span.parent_span_id).collect();
    assert_eq!(
        parents.len(),
        3,
        "each try under the native span of its own"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_end_of_a_try_ends_its_span() {
    let scene = alone();
    for (path, expected) in [
        ("/ok", vec![(Some(200), None)]),
        ("/404", vec![(Some(404), Some("404"))]),
        // Envoy tells an attempt neither of a reset nor of a timeout.
        ("/hangup", vec![(None, Some("_OTHER"))]),
        (
            "/dead",
            vec![
                (None, Some("upstream_connect_failure")),
                (None, Some("upstream_connect_failure")),
            ],
        ),
        (
            "/slow",
            vec![(None, Some("_OTHER")), (None, Some("_OTHER"))],
        ),
        ("/cut", vec![(Some(200), Some("_OTHER"))]),
    ] {
        let caller = Caller::fresh();
        let request = Request::get(path).header("traceparent", caller.traceparent());
        let address = scene.envoy.address("out").expect("a listener");
        // A response that is cut off is an error here.
        let _ = Connection::open(address).and_then(|mut open| open.exchange(&request));
        let spans = scene.collector.trace(&caller.trace_id, expected.len());
        let found: Vec<_> = spans
            .iter()
            .map(|span| {
                let text = |name: &str| span.attribute(name).and_then(|value| value.as_str());
                let status = span.attribute("http.response.status_code");
                (
                    status.and_then(|status| status.as_int()),
                    text("error.type"),
                )
            })
            .collect();
        assert_eq!(found, expected, "{path}: {spans:#?}");
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_caller_that_goes_away_ends_the_try() {
    let scene = alone();
    let caller = Caller::fresh();
    let request = Request::get("/silence").header("traceparent", caller.traceparent());
    let address = scene.envoy.address("out").expect("a listener");
    let connection = Connection::open(address).expect("a listener");
    connection
        .abandon(&request, || drop(scene.upstream.wait("/silence")))
        .expect("a request on its way");
    let spans = scene.collector.trace(&caller.trace_id, 1);
    assert_eq!(spans[0].status.code, StatusCode::Unset);
    let flags = spans[0].attribute("sidespan.response_flags");
    assert_eq!(flags.and_then(|flags| flags.as_str()), Some("DC"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_unsampled_request_has_no_spans_of_tries_either() {
    let scene = Scene::start(|listener| listener.filter(request().filter()));
    let caller = Caller::fresh();
    assert_eq!(scene.get("/ok", &caller.unsampled()), 200);
    let later = Caller::fresh();
    assert_eq!(scene.get("/ok", &later.traceparent()), 200);
    scene.collector.trace(&later.trace_id, 2);
    assert_eq!(scene.collector.sink().trace(&caller.trace_id).len(), 0);
}

/// Returns the spans of attempts, in order, and the others.
fn apart(spans: &[StoredSpan]) -> (Vec<&StoredSpan>, Vec<&StoredSpan>) {
    let is_try = |span: &&StoredSpan| {
        let service = span.service();
        service == "tries"
    };
    let (mut tries, others): (Vec<_>, Vec<_>) = spans.iter().partition(is_try);
    tries.sort_by_key(|span| span.start_unix_nanos);
    (tries, others)
}

fn configuration(mut more: Value) -> Value {
    more["export"] = json!({"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}});
    more
}

/// Returns the filter in its usual place.
fn request() -> sidespan_envoy::Wasm {
    filter(&configuration(json!({"sampling": {"percentage": 100}})))
}

/// Returns the scene without a filter in the usual place, which tests share because they ask for spans by trace.
fn alone() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| Scene::start(|listener| listener))
}

struct Scene {
    collector: Collector,
    upstream: Server,
    envoy: Envoy,
}

impl Scene {
    fn start(listener: impl FnOnce(Listener) -> Listener) -> Self {
        Self::with(Vec::new(), listener)
    }

    /// Starts an Envoy with an outbound listener that retries and has the filter behind the router, and with the additions
    /// of `listener`.
    fn with(clusters: Vec<Cluster>, listener: impl FnOnce(Listener) -> Listener) -> Self {
        let collector = Collector::start();
        let count = AtomicU64::new(0);
        let upstream = Server::start(move |request| match request.path.as_str() {
            "/twice-503" if count.fetch_add(1, Ordering::Relaxed) < 2 => Reply::status(503),
            "/hangup" => Reply::HangUp,
            "/cut" => Reply::Cut,
            "/slow" | "/silence" => Reply::Silence,
            path => Reply::status(path[1..].parse().unwrap_or(200)),
        });
        let retry = |on: &str, times: u32| json!({"retry_on": on, "num_retries": times});
        let per_try = json!({"retry_on": "5xx", "num_retries": 1, "per_try_timeout": "0.1s"});
        let tries = configuration(json!({"role": "attempt", "spans": {"serviceName": "tries"}}));
        let tries = filter_named("sidespan-attempt", &tries.to_string());
        let routes = [
            Route::to("dead")
                .prefix("/dead")
                .with("retry_policy", retry("connect-failure", 1)),
            Route::to("app")
                .prefix("/slow")
                .with("retry_policy", per_try),
            Route::to("app").prefix("/hangup"),
            Route::to("app").with("retry_policy", retry("5xx", 3)),
        ];
        let outbound = Listener::new("out")
            .direction(Direction::Outbound)
            .upstream_filter(tries.filter());
        let outbound = routes.into_iter().fold(listener(outbound), Listener::route);
        let nobody = Server::ok().address();
        let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(Cluster::new("dead", nobody))
            .cluster(collector.grpc_cluster("collector"))
            .listener(outbound);
        let bootstrap = clusters.into_iter().fold(bootstrap, Bootstrap::cluster);
        Self {
            envoy: envoy::start(&bootstrap),
            collector,
            upstream,
        }
    }

    fn get(&self, path: &str, traceparent: &str) -> u16 {
        let request = Request::get(path).header("traceparent", traceparent);
        send(self.envoy.address("out").expect("a listener"), &request).status
    }
}
