//! The lease of a valid configuration: written by some, removed by others, and right in whatever order they come.

use serde_json::{Value, json};
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, ExtensionFile, Listener, Node, Route, Verdict, Wasm,
    wait_for,
};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, settle, wait_for_counter};
use sidespan_tests::http::{Connection, Reply, Request, Server, send};

/// Gives both listeners a filter of the same name, so that they share the lease, which the newest configuration has
/// written.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_end_of_another_listeners_configuration_does_not_let_a_bad_one_in() {
    let collector = Collector::start();
    // The tick of this configuration is far quicker than the others'.
    let good = json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    let scene = Scene::start(&["in", "out"], &filter(&good), &collector);
    assert_eq!(
        scene.replace("out", &filter(&patient(511))),
        Verdict::Applied
    );
    let caller = Caller::fresh();
    let request = Request::get("/").header("traceparent", caller.traceparent());
    assert_eq!(send(scene.address("out"), &request).status, 200);
    // In a VM of its own the next configuration has another lease, so only the ending one touches this lease.
    let elsewhere = filter(&patient(510)).vm_id("elsewhere");
    assert_eq!(scene.replace("out", &elsewhere), Verdict::Applied);
    // The ending configuration counts its queued spans last.
    collector.trace(&caller.trace_id, 1);
    wait_for_counter(&scene.envoy, "spans.exported", |exported| exported >= 1);
    settle(&scene.envoy);

    assert_eq!(scene.replace("in", &filter(&bad())), Verdict::Refused);
    assert!(scene.starts_traces("in"), "the old one goes on");
    wait_for_counter(&scene.envoy, "config.refused", |value| value == 1);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_last_streams_of_a_bad_configuration_say_nothing_over_a_good_one() {
    let collector = Collector::start();
    let scene = Scene::start(&["in"], &filter(&bad()), &collector);
    wait_for_counter(&scene.envoy, "config.refused", |value| value == 1);
    let slow = Connection::open(scene.address("in")).expect("a listener");
    slow.abandon(&Request::get("/silence"), || {
        scene.upstream.wait("/silence");
        let good = filter(&json!({"sampling": {"percentage": 100}}));
        assert_eq!(scene.replace("in", &good), Verdict::Applied);
        wait_for_counter(&scene.envoy, "config.refused", |value| value == 0);
        assert!(scene.starts_traces("in"));
        // Four contexts tick at most once a second each: the old and the new, on the worker and on the main thread.
        let seen = counter(&scene.envoy, "worker.ticks");
        let ticked = wait_for(LIMIT, || {
            assert_eq!(counter(&scene.envoy, "config.refused"), 0);
            (counter(&scene.envoy, "worker.ticks") >= seen + 9).then_some(())
        });
        assert!(ticked.is_some(), "the filter ticks");
    })
    .expect("a request on its way");
    settle(&scene.envoy);
    assert_eq!(counter(&scene.envoy, "config.refused"), 0);
    assert!(scene.starts_traces("in"));
}

fn bad() -> Value {
    json!({"sampling": {"percentage": "fifty"}})
}

/// Returns a configuration that queues a span for a minute, or until its end.
fn patient(max_spans: u32) -> Value {
    json!({"export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "60s", "maxSpans": max_spans}}})
}

/// An Envoy whose filters, all of one name, come by discovery (ECDS), one file for each listener.
struct Scene {
    envoy: Envoy,
    files: Vec<(String, ExtensionFile)>,
    upstream: Server,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// Starts the first listener with this configuration, and the others with one that queues spans.
    fn start(listeners: &[&str], first: &Wasm, collector: &Collector) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let upstream = Server::start(|request| match request.path.as_str() {
            "/silence" => Reply::Silence,
            _ => Reply::status(200),
        });
        let mut bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"));
        let mut files = Vec::new();
        for (index, name) in listeners.iter().enumerate() {
            let other = filter(&patient(512));
            let wasm = if index == 0 { first } else { &other };
            let file =
                ExtensionFile::create(&folder.path().join(name).with_extension("json"), wasm)
                    .expect("the first configuration");
            let listener = Listener::new(name)
                .direction(Direction::Inbound)
                .route(Route::to("app"));
            bootstrap = bootstrap.listener(listener.filter(file.filter()));
            files.push(((*name).to_owned(), file));
        }
        Self {
            envoy: envoy::start(&bootstrap),
            files,
            upstream,
            _folder: folder,
        }
    }

    fn address(&self, listener: &str) -> std::net::SocketAddr {
        self.envoy.address(listener).expect("a listener")
    }

    fn replace(&self, listener: &str, wasm: &Wasm) -> Verdict {
        let file = self.files.iter().find(|(name, _)| name == listener);
        let (_, file) = file.expect("a listener");
        file.replace(wasm, &self.envoy, LIMIT)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn starts_traces(&self, listener: &str) -> bool {
        assert_eq!(
            send(self.address(listener), &Request::get("/new")).status,
            200
        );
        self.upstream.last().headers.has("traceparent")
    }
}
