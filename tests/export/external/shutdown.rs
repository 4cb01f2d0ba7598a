//! The end of a configuration on real Envoy: queued spans are exported, and none is counted twice.

use std::time::Duration;

use serde_json::{Value, json};
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, ExtensionFile, Listener, Node, Route, Verdict, Wasm,
};
use sidespan_sink::Reply;
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{
    self, LIMIT, counter, filter, settle, wait_for_counter, wait_until_accounted,
};
use sidespan_tests::http::{Request, Server, load, send};

/// Returns a configuration whose batch waits for a minute.
fn patient(max_spans: u32) -> Value {
    json!({
        "export": {
            "otlp": {"cluster": "collector"},
            "batch": {"maxDelay": "60s", "maxSpans": max_spans},
        },
    })
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_new_configuration_sends_what_the_old_one_held() {
    let collector = Collector::start();
    let scene = Scene::start(&filter(&patient(512)), collector.grpc_cluster("collector"));
    let caller = Caller::fresh();
    for _ in 0..3 {
        let request = Request::get("/").header("traceparent", caller.traceparent());
        let address = scene.envoy.address("inbound").expect("a listener");
        assert_eq!(send(address, &request).status, 200);
    }
    // The gauge is written by a tick, so the spans are in the queue by then.
    wait_for_counter(&scene.envoy, "queue.spans", |waiting| waiting == 3);

    scene.replace(&filter(&patient(511)));
    assert_eq!(collector.trace(&caller.trace_id, 3).len(), 3);
    wait_for_counter(&scene.envoy, "spans.exported", |exported| exported == 3);
    wait_for_counter(&scene.envoy, "queue.spans", |waiting| waiting == 0);
    for lost in ["dropped_shutdown", "dropped_export", "dropped_queue"] {
        assert_eq!(counter(&scene.envoy, &format!("spans.{lost}")), 0, "{lost}");
    }
}

/// Checks that a collector which says that it is overloaded does not get the rest, batch by batch and retry by retry.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_end_of_a_configuration_spares_a_collector_that_asked_for_patience() {
    const COUNT: u64 = 2_000;
    let collector = Collector::start();
    let overloaded = Reply::HttpStatus(503, Some(Duration::from_secs(60)));
    collector.sink().script(vec![overloaded; 1_000]);
    let configuration = |max_spans: u32| {
        filter(&json!({
            "sampling": {"percentage": 100},
            "export": {
                "otlp": {"cluster": "collector", "protocol": "http/protobuf"},
                "batch": {"maxSpans": max_spans},
            },
        }))
    };
    let scene = Scene::start(&configuration(64), collector.http_cluster("collector"));
    load(scene.envoy.address("inbound").expect("a listener"), COUNT);
    wait_for_counter(&scene.envoy, "queue.spans", |waiting| waiting == COUNT);

    scene.replace(&configuration(65));
    wait_for_counter(&scene.envoy, "queue.spans", |waiting| waiting == 0);
    wait_until_accounted(&scene.envoy, COUNT);
    let lost =
        ["spans.dropped_shutdown", "spans.dropped_export"].map(|name| counter(&scene.envoy, name));
    let requests = collector.sink().counts().requests;
    println!("{requests} requests; lost in the shutdown and in the export: {lost:?}");
    assert_eq!(lost.iter().sum::<u64>(), COUNT);
    assert!(
        requests <= 5,
        "{requests} requests to a collector that asked for patience"
    );
    settle(&scene.envoy);
    assert_eq!(
        collector.sink().counts().requests,
        requests,
        "and no more come"
    );
}

/// An Envoy whose filter comes by discovery (ECDS).
struct Scene {
    envoy: Envoy,
    file: ExtensionFile,
    _upstream: Server,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn start(first: &Wasm, collector: Cluster) -> Self {
        let upstream = Server::ok();
        let folder = tempfile::tempdir().expect("a folder");
        let file = ExtensionFile::create(&folder.path().join("filter.json"), first)
            .expect("the first configuration");
        let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .listener(
                Listener::new("inbound")
                    .direction(Direction::Inbound)
                    .route(Route::to("app"))
                    .filter(file.filter()),
            )
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector);
        Self {
            envoy: envoy::start(&bootstrap),
            file,
            _upstream: upstream,
            _folder: folder,
        }
    }

    fn replace(&self, wasm: &Wasm) {
        let verdict = self
            .file
            .replace(wasm, &self.envoy, LIMIT)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(verdict, Verdict::Applied);
    }
}
